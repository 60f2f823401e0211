import { openCheckpointDirectory } from "../src/web/index.js";

/** A folder with nothing in it. */
export async function freshDirectory(name: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(name, { recursive: true }).catch(() => undefined);
  return openCheckpointDirectory(name);
}

/** Every file with its size, by name. */
export async function rawFiles(directory: FileSystemDirectoryHandle): Promise<[name: string, bytes: number][]> {
  const files: [string, number][] = [];
  for await (const entry of directory.values()) {
    files.push([entry.name, (await (entry as FileSystemFileHandle).getFile()).size]);
  }
  return files.sort(([a], [b]) => (a < b ? -1 : 1));
}
