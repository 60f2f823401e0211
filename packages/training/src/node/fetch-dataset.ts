import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FoundFiles } from "../data/source-files.js";
import type { DatasetSource, Download } from "../data/sources.js";
import { writeAtomic } from "./atomic-write.js";
import { DownloadError, type DownloadProgress, download } from "./download.js";
import { archiveNames, findFiles, isComplete, isFile, unpack } from "./find-files.js";

/** How far the download of one file of a dataset is. */
export interface DatasetProgress extends DownloadProgress {
  /** Its name, and which of how many files it is (from 1). */
  readonly file: string;
  readonly index: number;
  readonly count: number;
}

export interface FetchOptions {
  /** Folders on the web that hold the files, tried in order; the checksums stay the known ones. */
  readonly baseUrls?: readonly string[];
  readonly onProgress?: (progress: DatasetProgress) => void;
  readonly signal?: AbortSignal;
}

/** Files of a dataset from the cache folder, downloaded first where they are not there yet. */
export async function fetchDataset(source: DatasetSource, cache: string, options: FetchOptions): Promise<FoundFiles> {
  const place = join(cache, source.name);
  const signal = options.signal ? { signal: options.signal } : {};
  if (!(await isComplete(source, place))) {
    for (const [i, file] of source.downloads.entries()) {
      const path = join(place, file.name);
      // A file has its name only after its checksum was right.
      if (!(await isFile(path))) await fromMirrors(source, file, path, { ...options, index: i + 1 });
    }
    for (const name of archiveNames(source)) await unpackInto(source, join(place, name), place, signal);
  }
  return findFiles({ ...source, folders: [""] }, place, signal);
}

/** Downloads one file from the first mirror that gives it. */
async function fromMirrors(
  source: DatasetSource,
  { name, md5 }: Download,
  path: string,
  { baseUrls = source.mirrors, onProgress, signal, index }: FetchOptions & { readonly index: number },
): Promise<void> {
  const urls = baseUrls.map((base) => `${base.replace(/\/+$/, "")}/${name}`);
  const count = source.downloads.length;
  const failures: DownloadError[] = [];
  for (const url of urls) {
    try {
      return await download(url, path, {
        checksum: { algorithm: "md5", hex: md5 },
        maxBytes: source.maxBytes,
        ...(signal && { signal }),
        ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, file: name, index, count }) }),
      });
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      failures.push(error);
    }
  }
  const reasons = failures.map((error) => error.message).join("\n");
  const hint = `Without a network, get ${name} some other way and name its folder with --data-dir (dataDir).`;
  throw new DownloadError(`${source.name}: ${reasons}\n  ${hint}`, { dataset: source.name, urls, file: path });
}

/** Writes an archive's files into `place`, each beside and then renamed, and deletes the archive. */
async function unpackInto(source: DatasetSource, archive: string, place: string, signal: { signal?: AbortSignal }) {
  const { files } = await unpack(source, archive, signal);
  await mkdir(place, { recursive: true });
  for (const [{ name }, { bytes }] of files) {
    await writeAtomic(join(place, name), bytes);
  }
  await rm(archive, { force: true });
}
