import { basename, join } from "node:path";
import { ArgumentError } from "@ocelli/core";
import { cacheFolder } from "./cache.js";
import { type DownloadProgress, download, hashOf } from "./download.js";
import { isFile } from "./find-files.js";

/** A file on the web, as a zoo's weights entry describes one. */
export interface RemoteFile {
  readonly url: string;
  /** In hex: all of it, or its beginning (at least 8 digits) where the publisher prints no more. */
  readonly sha256: string;
  readonly bytes?: number;
}

export interface FetchFileOptions {
  /** Default: what `cacheFolder()` says. */
  readonly cacheDir?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
}

/** A file that is there, and right. */
export interface FetchedFile {
  readonly path: string;
  /** All 64 digits. */
  readonly sha256: string;
  /** How many of them were known and compared. */
  readonly comparedDigits: number;
  readonly downloaded: boolean;
}

/**
 * A published file of weights: from the folder `weights` in the cache, into which it is downloaded the first time (resumed where that
 * was interrupted). Its SHA-256 is checked each time; a file that is not the published one is fetched again.
 * @throws DownloadError that names the address and how to do without a network; ArgumentError for an address without a file name
 */
export async function fetchFile(
  { url, sha256, bytes }: RemoteFile,
  { cacheDir = cacheFolder(), onProgress, signal }: FetchFileOptions = {},
): Promise<FetchedFile> {
  const name = basename(new URL(url).pathname);
  if (name === "") throw new ArgumentError(`fetchFile: ${url} names no file`, { url });
  const path = join(cacheDir, "weights", name);
  const known = { comparedDigits: sha256.length };
  const kept = (await isFile(path)) ? await hashOf(path, "sha256", signal) : undefined;
  if (kept?.startsWith(sha256)) return { path, sha256: kept, ...known, downloaded: false };
  const stale = kept === undefined ? "" : `The file that is there has sha256 ${kept}, not ${sha256}. `;
  await download(url, path, {
    checksum: { algorithm: "sha256", hex: sha256 },
    hint: `${stale}Without a network, get ${url} some other way and put it there.`,
    ...(bytes === undefined ? {} : { maxBytes: bytes }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  return { path, sha256: await hashOf(path, "sha256", signal), ...known, downloaded: true };
}
