import { ArgumentError, nearMatches } from "@ocelli/core";
import { type ImageDataset, imageDataset } from "@ocelli/training";
import { directoryFiles, type LocatedFile, StorageError, storeFiles } from "@ocelli/training/web";
import type { ImageShape } from "../model/spec.js";
import { deleteFolder, existingFile, foldersOf, openRoot, readJson, stored, whyNotStored, writeFile } from "./files.js";

/** A data set that is kept: in the site's storage, or in memory for as long as the page lives. */
export interface StoredData {
  readonly name: string;
  /** "CIFAR-10", or the name that the reader gave. */
  readonly title: string;
  readonly kind: "standard" | "pictures";
  readonly classes: readonly string[];
  /** Images of each class; of pictures all, of standard sets those for training. */
  readonly counts: readonly number[];
  /** For testing, apart from those. */
  readonly test: number;
  /** Of a standard set's images; pictures have any size: null. */
  readonly image: ImageShape | null;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** False: in memory. */
  readonly kept: boolean;
}

/** A standard set's images, or picture files, whose labels are the classes. */
export type DataContent =
  | { readonly kind: "standard"; readonly train: ImageDataset; readonly test: ImageDataset }
  | { readonly kind: "pictures"; readonly files: readonly (LocatedFile & { readonly label: string })[] };

export interface SetInMemory {
  readonly about: StoredData;
  readonly content: DataContent;
}

const prefix = "data-";
const about = "data.json";
const parts = ["train", "test"] as const;

const inMemory = new Map<string, SetInMemory>();

/** A name for a folder: what systems take, and not too long. */
export function cleanName(name: string): string {
  const clean = name
    .normalize("NFC")
    .replace(/[^\p{L}\p{N} _.-]+/gu, " ")
    .replace(/\s+/g, " ")
    .replace(/^[ .]+|[ .]+$/g, "")
    .slice(0, 60);
  return clean === "" ? "pictures" : clean;
}

/** The name, or with a number that makes it a new one. */
export function freeName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let free = name;
  for (let i = 2; names.has(free); i++) free = `${name} ${i}`;
  return free;
}

export interface DataListing {
  /** The newest first; torn ones are passed over. */
  readonly sets: readonly StoredData[];
  /** Why the site's storage cannot be read: then there are only those in memory. */
  readonly problem?: string;
}

/** What there is. */
export async function listData(): Promise<DataListing> {
  const held = [...inMemory.values()].map((one) => one.about);
  try {
    const kept = await Promise.all((await foldersOf(prefix)).map((folder) => readJson(folder, about)));
    const all = [...kept.flatMap((set) => (set as StoredData | undefined) ?? []), ...held];
    return { sets: all.sort((a, b) => b.created - a.created) };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { sets: held, problem: whyNotStored(error) };
  }
}

/** @throws ArgumentError with near matches when there is none */
export async function findData(name: string): Promise<StoredData> {
  const { sets: all } = await listData();
  const found = all.find((set) => set.name === name);
  if (found !== undefined) return found;
  const near = nearMatches(
    name,
    all.map((set) => set.name),
  );
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : "Add its files again.";
  throw new ArgumentError(`The data set "${name}" is not in this browser. ${hint}`, { name });
}

/** Keeps a set in memory. */
export function rememberData(set: SetInMemory): void {
  inMemory.set(set.about.name, set);
}

/**
 * Stores a set; of one that is there already, what is new. What describes it is written last, so that a set is there whole or not at all.
 * @throws StorageError when there is no room or no permission: then nothing of a new set stays
 */
export async function storeData(
  set: SetInMemory,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<void> {
  const root = await openRoot();
  const folder = `${prefix}${set.about.name}`;
  const known = (await listData()).sets.some(({ name, kept }) => kept && name === set.about.name);
  try {
    const directory = await stored(`Storing ${set.about.title}`, () =>
      root.getDirectoryHandle(folder, { create: true }),
    );
    if (set.content.kind === "standard") await storeSets(directory, set.content, onProgress);
    else await storePictures(directory, set.content, set.about, onProgress);
    await writeFile(directory, about, JSON.stringify(set.about));
  } catch (error) {
    if (!known) await deleteFolder(folder).catch(() => undefined);
    throw error;
  }
}

type Content<Kind extends DataContent["kind"]> = Extract<DataContent, { readonly kind: Kind }>;

async function storeSets(
  directory: FileSystemDirectoryHandle,
  content: Content<"standard">,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  for (const [i, part] of parts.entries()) {
    const { images, labels } = content[part];
    await writeFile(directory, `${part}.images`, images as Uint8Array<ArrayBuffer>);
    await writeFile(directory, `${part}.labels`, Uint8Array.from(labels));
    onProgress(i + 1, parts.length);
  }
}

/** Folders are numbers, for a class may have any name; a picture's name is that of its place. */
async function storePictures(
  directory: FileSystemDirectoryHandle,
  { files }: Content<"pictures">,
  { classes }: StoredData,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const placed = files.map(({ path, file, label }) => ({ path: placeOf(path, classes.indexOf(label)), file }));
  await storeFiles(directory, placed, { onProgress: ({ index, count }) => onProgress(index, count) });
}

/** `3/cats~1.jpg` of `photos/cats/1.jpg`, whose class is the fourth; a stored path is its own place. */
function placeOf(path: string, label: number): string {
  const inPlace = /^\d+\/[^/]+$/.exec(path);
  if (inPlace !== null) return path;
  const name = path.replace(/[\\/]+/g, "~").replace(/^[.~]+/, "");
  return `${label}/${name}`;
}

/** @throws ArgumentError when there is none; StorageError when it cannot be read */
export async function openData(name: string): Promise<SetInMemory> {
  const remembered = inMemory.get(name);
  if (remembered !== undefined) return remembered;
  const found = await findData(name);
  const root = await openRoot();
  return stored(`Reading ${found.title}`, async () => {
    const directory = await root.getDirectoryHandle(`${prefix}${name}`);
    return { about: found, content: await contentOf(directory, found) };
  });
}

async function contentOf(directory: FileSystemDirectoryHandle, found: StoredData): Promise<DataContent> {
  if (found.kind === "standard") {
    const [train, test] = await Promise.all(parts.map((part) => readSet(directory, part, found)));
    return { kind: "standard", train: train as ImageDataset, test: test as ImageDataset };
  }
  const files = (await directoryFiles(directory)).flatMap(({ path, file }) => {
    // The first name is that of the set's folder.
    const [, folder, name] = path.split("/");
    const label = found.classes[Number(folder)];
    return name === undefined || label === undefined ? [] : [{ path: `${folder}/${name}`, file, label }];
  });
  return { kind: "pictures", files };
}

async function readSet(
  directory: FileSystemDirectoryHandle,
  part: (typeof parts)[number],
  { title, image, classes }: StoredData,
): Promise<ImageDataset> {
  const bytes = async (name: string): Promise<Uint8Array> => {
    const file = await existingFile(directory, name);
    return new Uint8Array((await file?.arrayBuffer()) ?? new ArrayBuffer(0));
  };
  const [images, labels] = await Promise.all([bytes(`${part}.images`), bytes(`${part}.labels`)]);
  return imageDataset({ name: `${title} ${part}`, images, labels, shape: image as ImageShape, classes });
}

/** Deletes a set, wherever it is kept. @throws StorageError */
export async function deleteData(name: string): Promise<void> {
  if (inMemory.delete(name)) return;
  await deleteFolder(`${prefix}${name}`);
}
