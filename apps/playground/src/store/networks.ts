/// <reference lib="dom.asynciterable" />
import type { StateDict } from "@ocelli/core";
import type { Named, Progress } from "@ocelli/training";
import {
  checkpointSink,
  openCheckpointDirectory,
  readCheckpoint,
  StorageError,
  writeCheckpoint,
} from "@ocelli/training/web";
import type { ModelSpec } from "../model/spec.js";
import type { TrainingSpec } from "../model/training.js";

/** A network with values: trained in the page, or brought along. What a file in the site's storage says of it. */
export interface SavedNetwork {
  readonly format: "ocelli-network-1";
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
  /** On the data it was judged by; null before its first epoch. */
  readonly accuracy: number | null;
}

const folder = "networks";
const about = "network.json";

const folderOf = (id: string): Promise<FileSystemDirectoryHandle> => openCheckpointDirectory(`${folder}-${id}`);

/** A name for a new network: sorts by time. */
export const newId = (): string =>
  `${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;

/** Networks, the newest first; files that are no networks are passed over. @throws StorageError where the site may store nothing */
export async function listNetworks(): Promise<SavedNetwork[]> {
  const root = await openRoot();
  const found: SavedNetwork[] = [];
  for await (const [name, handle] of root.entries()) {
    if (handle.kind !== "directory" || !name.startsWith(`${folder}-`)) continue;
    const network = await readAbout(handle as FileSystemDirectoryHandle);
    if (network !== undefined) found.push(network);
  }
  return found.sort((a, b) => b.created - a.created);
}

async function openRoot(): Promise<FileSystemDirectoryHandle> {
  const storage: Partial<StorageManager> | undefined = navigator.storage;
  if (storage?.getDirectory === undefined)
    throw new StorageError("unsupported", "networks: this browser gives the page no storage of its own");
  return navigator.storage.getDirectory();
}

async function readAbout(directory: FileSystemDirectoryHandle): Promise<SavedNetwork | undefined> {
  try {
    const file = await (await directory.getFileHandle(about)).getFile();
    const network = JSON.parse(await file.text()) as SavedNetwork;
    return network.format === "ocelli-network-1" ? network : undefined;
  } catch {
    // Torn by a kill, or not there yet: nothing to show.
    return undefined;
  }
}

/** @throws StorageError when there is no room or no permission */
export async function saveAbout(network: SavedNetwork): Promise<void> {
  const directory = await folderOf(network.id);
  const writable = await (await directory.getFileHandle(about, { create: true })).createWritable();
  await writable.write(JSON.stringify(network));
  await writable.close();
}

/** Values and where the training stands; `best` as long as there is one. @throws ArgumentError, FormatError, StorageError */
export async function readNetwork(
  id: string,
  name: "last" | "best" = "last",
): Promise<{ readonly values: StateDict; readonly progress?: Progress }> {
  return readCheckpoint(await folderOf(id), name);
}

/** Where a training saves. */
export const sinkOf = async (id: string): Promise<ReturnType<typeof checkpointSink>> =>
  checkpointSink(await folderOf(id));

/** Stores what was imported. @throws StorageError */
export async function importNetwork(network: SavedNetwork, values: StateDict, progress: Progress): Promise<void> {
  await writeCheckpoint(await folderOf(network.id), "last", { values, progress });
  await saveAbout(network);
}

export async function deleteNetwork(id: string): Promise<void> {
  await (await openRoot()).removeEntry(`${folder}-${id}`, { recursive: true });
}
