import { ArgumentError } from "@ocelli/core";
import type { LocatedFile, WalkOptions } from "./located.js";
import { existing, guarded, pathOf, replaceFile } from "./storage.js";

export interface StoreProgress {
  /** The file that has been stored, and the how-manieth of all it is (from 1). */
  readonly path: string;
  readonly index: number;
  readonly count: number;
  /** Of all files so far, and in all. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface StoreOptions extends WalkOptions {
  readonly onProgress?: ((progress: StoreProgress) => void) | undefined;
}

/**
 * Copies files into a folder, each under its path, so that a page finds its data set again: `directoryFiles` reads it. Each file is the
 * old one or the new one, whole, at any moment. What is there already, with the size it should have, is left alone: a copy that ended early
 * goes on where it was.
 * @param directory of the site's storage: `(await navigator.storage.getDirectory()).getDirectoryHandle("photos", { create: true })`
 * @throws ArgumentError for a path that leads elsewhere, or two files of one path
 * @throws StorageError when there is no room or no permission; what was stored stays
 */
export async function storeFiles(
  directory: FileSystemDirectoryHandle,
  files: Iterable<LocatedFile>,
  { onProgress, signal }: StoreOptions = {},
): Promise<void> {
  const all = [...files].map((file) => ({ ...file, names: namesIn(file.path) }));
  checkDistinct(all);
  const totalBytes = all.reduce((sum, { file }) => sum + file.size, 0);
  let bytes = 0;
  for (const [i, { path, file, names }] of all.entries()) {
    signal?.throwIfAborted();
    await guarded(`writing ${pathOf(directory, path)}`, file.size, () => store(directory, names, file));
    bytes += file.size;
    onProgress?.({ path, index: i + 1, count: all.length, bytes, totalBytes });
  }
}

async function store(directory: FileSystemDirectoryHandle, names: readonly string[], file: Blob): Promise<void> {
  let folder = directory;
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
  const name = names.at(-1) as string;
  // An empty file may be what a torn write left.
  if (file.size > 0 && (await existing(folder, name))?.size === file.size) return;
  await replaceFile(folder, name, file);
}

function namesIn(path: string): string[] {
  const names = path.split("/");
  if (names.some((name) => name === "" || name === "." || name === ".." || name.includes("\\"))) {
    throw new ArgumentError(
      `storeFiles: the path is ${JSON.stringify(path)}; it needs names with "/" between them, and none of them empty, "." or ".."`,
      { path },
    );
  }
  return names;
}

function checkDistinct(files: readonly LocatedFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    if (seen.has(path)) throw new ArgumentError(`storeFiles: two files have the path ${path}`, { path });
    seen.add(path);
  }
}
