import { ArgumentError, type StateDict } from "@ocelli/core";
import type { Named, Progress } from "@ocelli/training";
import {
  type Checkpoint,
  listCheckpoints,
  openCheckpointDirectory,
  readCheckpoint,
  readLatestCheckpoint,
  type StoredCheckpoint,
  writeCheckpoint,
} from "@ocelli/training/web";
import type { ModelSpec } from "../model/spec.js";
import type { Origin, TrainingSpec } from "../model/training.js";
import { deleteFolder, existingFolder, foldersOf, readJson, writeFile } from "./files.js";

/** What the file about a network says it is. */
export const networkFormat = "ocelli-network-1";

/** A network with values: trained in the page, or brought along. What a file in the site's storage says of it. */
export interface SavedNetwork {
  readonly format: typeof networkFormat;
  readonly id: string;
  readonly title: string;
  readonly spec: ModelSpec;
  readonly classes: readonly string[];
  /** What pixels (0..255) go through before the first layer, in evaluation. */
  readonly transform: Named;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly source: "trained" | "imported";
  /** How it was or is being trained; of imported ones, nothing is known. */
  readonly training?: TrainingSpec;
  /** What its training began from; left out: from chance. */
  readonly origin?: Origin;
  /** On the data it was judged by; null before its first epoch. */
  readonly accuracy: number | null;
}

const prefix = "networks-";
const about = "network.json";

/** The folder of a network's files, made if need be. @throws StorageError */
export const folderOf = (id: string): Promise<FileSystemDirectoryHandle> => openCheckpointDirectory(`${prefix}${id}`);

/** A name for a new network: sorts by time. */
export const newId = (): string =>
  `${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;

/** Networks, the newest first; files that are no networks are passed over. @throws StorageError where the site may store nothing */
export async function listNetworks(): Promise<SavedNetwork[]> {
  const found = await Promise.all((await foldersOf(prefix)).map(readAbout));
  return found.flatMap((network) => network ?? []).sort((a, b) => b.created - a.created);
}

async function readAbout(directory: FileSystemDirectoryHandle): Promise<SavedNetwork | undefined> {
  const network = (await readJson(directory, about)) as SavedNetwork | undefined;
  return network?.format === networkFormat ? network : undefined;
}

/** What is known of a network; undefined when there is none of the id. @throws StorageError where the site may store nothing */
export async function findNetwork(id: string): Promise<SavedNetwork | undefined> {
  const directory = await existingFolder(`${prefix}${id}`);
  return directory && readAbout(directory);
}

/** @throws ArgumentError when there is none of the id; StorageError */
export async function existingNetwork(id: string): Promise<SavedNetwork> {
  const found = await findNetwork(id);
  if (found === undefined) throw gone(id);
  return found;
}

const gone = (id: string): ArgumentError =>
  new ArgumentError("This network is no longer in the browser's storage. Choose another one.", { id });

/** @throws StorageError when there is no room or no permission */
export async function saveAbout(network: SavedNetwork): Promise<void> {
  await writeFile(await folderOf(network.id), about, JSON.stringify(network));
  tellAll();
}

/** Gives a network another name; what is known of it besides stays as it is now. @throws ArgumentError when it is gone; StorageError */
export async function renameNetwork(id: string, title: string): Promise<void> {
  await saveAbout({ ...(await existingNetwork(id)), title });
}

/** The files of a network's values, the newest first; none of one that is not there. @throws StorageError */
export async function checkpointsOf(id: string): Promise<StoredCheckpoint[]> {
  const directory = await existingFolder(`${prefix}${id}`);
  return directory === undefined ? [] : listCheckpoints(directory);
}

/**
 * Values and where the training stands: those that it goes on from, or those of its best epoch. Before the first epoch's end, and of what
 * was imported, there are only the last ones.
 * @throws ArgumentError, FormatError, StorageError
 */
export async function readNetwork(id: string, wanted: "last" | "best" = "last"): Promise<Checkpoint> {
  const directory = await existingFolder(`${prefix}${id}`);
  if (directory === undefined) throw gone(id);
  if (wanted === "last") return readLatestCheckpoint(directory);
  const hasBest = (await listCheckpoints(directory)).some(({ name }) => name === "best");
  return readCheckpoint(directory, hasBest ? "best" : "last");
}

/** Stores what was imported. @throws StorageError */
export async function importNetwork(network: SavedNetwork, values: StateDict, progress: Progress): Promise<void> {
  await writeCheckpoint(await folderOf(network.id), "last", { values, progress });
  await saveAbout(network);
}

/** Deletes a network with all that is kept of its training. @throws StorageError */
export async function deleteNetwork(id: string): Promise<void> {
  await deleteFolder(`${prefix}${id}`);
  tellAll();
}

const news = "ocelli networks";

/** Pages list networks that other tabs, and this one's workers, store and delete. */
function tellAll(): void {
  const channel = new BroadcastChannel(news);
  channel.postMessage(null);
  channel.close();
}

/** Calls whenever networks were stored or deleted, in any tab, until the function that it gives is called. */
export function onNetworks(listener: () => void): () => void {
  const channel = new BroadcastChannel(news);
  channel.addEventListener("message", listener);
  return () => channel.close();
}
