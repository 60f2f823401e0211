import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";

/** What sharp reads everywhere. */
const extensions = new Set([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif", ".avif"]);

/** Has a name that pictures have. */
const isPictureName = (name: string): boolean => extensions.has(extname(name).toLowerCase());

export interface FoundPictures {
  /** Paths, in the order of their names, folder by folder. */
  readonly files: string[];
  /** Files that are no pictures by their names. */
  readonly others: string[];
}

/** The pictures in a folder and all folders below. Hidden files and folders are left alone; links are followed, in a circle only once. */
export async function findPictures(dir: string, above: readonly string[] = []): Promise<FoundPictures> {
  const here = await realpath(dir);
  const found: FoundPictures = { files: [], others: [] };
  if (above.includes(here)) return found;
  for (const entry of await visible(dir)) {
    const path = join(dir, entry.name);
    const kind = await kindOf(entry, path);
    if (kind === "folder") {
      const below = await findPictures(path, [...above, here]);
      for (const file of below.files) found.files.push(file);
      for (const file of below.others) found.others.push(file);
    } else if (kind === "file") (isPictureName(entry.name) ? found.files : found.others).push(path);
  }
  return found;
}

/** The folders in a folder, by name. */
export async function foldersIn(dir: string): Promise<string[]> {
  const entries = await visible(dir);
  const kinds = await Promise.all(entries.map((entry) => kindOf(entry, join(dir, entry.name))));
  return entries.filter((_, i) => kinds[i] === "folder").map(({ name }) => name);
}

/** In the order of their names' code units: the same on every system. */
async function visible(dir: string): Promise<Dirent[]> {
  const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => !name.startsWith("."));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of a link, what it leads to; nothing if that is gone. */
async function kindOf(entry: Dirent, path: string): Promise<"file" | "folder" | undefined> {
  const known = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
  if (known?.isDirectory()) return "folder";
  return known?.isFile() ? "file" : undefined;
}
