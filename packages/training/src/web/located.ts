/// <reference lib="dom.asynciterable" />

/** A file and where it lies, as far as is known: `photos/cats/1.jpg`. */
export interface LocatedFile {
  readonly path: string;
  readonly file: Blob;
  /** Its class, where the path does not say it: a picture of a camera. */
  readonly label?: string | undefined;
}

export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Files of an `<input type="file">` (with `webkitdirectory` they know their folders), or files with paths, as they are. */
export function located(file: File | LocatedFile): LocatedFile {
  return file instanceof Blob ? { path: file.webkitRelativePath || file.name, file } : file;
}

/**
 * The files of a drop, with those in dropped folders, by path; hidden ones are left out. Call it in the event's handler itself: what
 * `dataTransfer` holds is gone when the handler returns.
 * @example
 * element.addEventListener("drop", (event) => { event.preventDefault(); files = droppedFiles(event.dataTransfer); });
 */
export async function droppedFiles(dataTransfer: DataTransfer, { signal }: WalkOptions = {}): Promise<LocatedFile[]> {
  const items = [...dataTransfer.items].filter(({ kind }) => kind === "file");
  const entries = items.flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files: LocatedFile[] = [];
  // Not recursive: folders may be nested as deep as one likes.
  for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
    signal?.throwIfAborted();
    const path = entry.fullPath.replace(/^\//, "");
    if (isHidden(entry.name)) continue;
    if (entry.isDirectory) entries.push(...(await entriesOf(entry as FileSystemDirectoryEntry)));
    else files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
  }
  return byPath(files);
}

/** A reader gives a hundred entries at a time, and none at the end. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/**
 * The files of a folder and of those in it, by path; hidden ones are left out. For a folder that the user picked (`showDirectoryPicker()`) or
 * one of the site's own storage. Paths begin with the folder's name, as those of dropped folders do.
 */
export async function directoryFiles(
  directory: FileSystemDirectoryHandle,
  { signal }: WalkOptions = {},
): Promise<LocatedFile[]> {
  const files: LocatedFile[] = [];
  const open: [path: string, handle: FileSystemDirectoryHandle][] = [[directory.name, directory]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [folder, handle] = next;
    for await (const entry of handle.values()) {
      signal?.throwIfAborted();
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isHidden(entry.name)) continue;
      if (entry.kind === "directory") open.push([path, entry as FileSystemDirectoryHandle]);
      else files.push({ path, file: await (entry as FileSystemFileHandle).getFile() });
    }
  }
  return byPath(files);
}

/** What systems leave in folders: `.DS_Store`, `__MACOSX`, Chromium's files beside. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || name === "__MACOSX" || name.endsWith(".crswap");
}

/** In one order on every system. */
export function byPath<T extends { readonly path: string }>(files: readonly T[]): T[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
