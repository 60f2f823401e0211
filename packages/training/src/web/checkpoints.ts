/// <reference lib="dom.asynciterable" />
import { ArgumentError, FormatError, OcelliError } from "@ocelli/core";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, latestCheckpoint } from "../checkpoint.js";
import type { CheckpointSink } from "../fit.js";
import { existing, guarded, pathOf, removeIfEmpty, replaceFile } from "./storage.js";
import { StorageError } from "./storage-error.js";

export interface StoredCheckpoint {
  readonly name: string;
  readonly bytes: number;
  readonly modified: Date;
}

const extension = ".safetensors";

/**
 * A folder in the site's own storage (OPFS), made if need be and cleared of what torn writes left.
 * @throws StorageError when the browser has no such storage or denies it
 */
export async function openCheckpointDirectory(name = "checkpoints"): Promise<FileSystemDirectoryHandle> {
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  if (storage?.getDirectory === undefined) {
    throw new StorageError(
      "unsupported",
      `opening ${name}: there is no navigator.storage.getDirectory here; pages have it on https:// and on localhost, in browsers since 2023`,
    );
  }
  return guarded(`opening ${name}`, undefined, async () => {
    const root = await navigator.storage.getDirectory();
    const directory = await root.getDirectoryHandle(name, { create: true });
    await sweepCheckpoints(directory);
    return directory;
  });
}

/**
 * Writes the checkpoint `name` (the file NAME.safetensors, which Node's `readCheckpoint` reads, too). A page that dies at any moment
 * leaves the old file or the new one; of two tabs that write at once, one writes after the other.
 * @throws ArgumentError for a name that is no file name
 * @throws StorageError when there is no room or no permission; the old file stays
 */
export async function writeCheckpoint(
  directory: FileSystemDirectoryHandle,
  name: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const file = fileName(name);
  const bytes = encodeCheckpoint(checkpoint);
  await guarded(`writing ${pathOf(directory, file)}`, bytes.length, () =>
    locked(directory, name, "exclusive", () => replaceFile(directory, file, bytes)),
  );
}

/**
 * Reads the checkpoint `name`.
 * @throws ArgumentError when there is none
 * @throws FormatError when the file is damaged or something else
 * @throws StorageError when the browser does not let it be read
 */
export async function readCheckpoint(directory: FileSystemDirectoryHandle, name: string): Promise<Checkpoint> {
  const file = fileName(name);
  const path = pathOf(directory, file);
  const bytes = await guarded(`reading ${path}`, undefined, () =>
    // Shared with other readers: a File whose file is exchanged meanwhile cannot be read any more.
    locked(directory, name, "shared", async () => {
      const found = await existing(directory, file);
      return found === undefined || found.size === 0 ? undefined : new Uint8Array(await found.arrayBuffer());
    }),
  );
  if (bytes === undefined) {
    const names = (await listCheckpoints(directory)).map((stored) => stored.name);
    const others = names.length === 0 ? "the folder holds no checkpoint" : `the folder holds ${names.join(", ")}`;
    throw new ArgumentError(`reading ${path}: there is no such checkpoint; ${others}`, { file: path, names });
  }
  try {
    return decodeCheckpoint(bytes, path);
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    throw new FormatError(
      `${error.message}. Nothing can be resumed from this file: read another checkpoint (listCheckpoints names them) and delete this one (deleteCheckpoint).`,
      { ...error.fields, file: path, cause: error },
    );
  }
}

/** The checkpoints of a folder, the newest first. A damaged one is listed like any other: only reading tells. */
export async function listCheckpoints(directory: FileSystemDirectoryHandle): Promise<StoredCheckpoint[]> {
  return guarded(`listing ${pathOf(directory)}`, undefined, async () => {
    const stored: StoredCheckpoint[] = [];
    for (const file of await fileNames(directory)) {
      const found = file.endsWith(extension) ? await existing(directory, file) : undefined;
      if (found === undefined || found.size === 0) continue;
      const name = file.slice(0, -extension.length);
      stored.push({ name, bytes: found.size, modified: new Date(found.lastModified) });
    }
    return stored.sort((a, b) => b.modified.getTime() - a.modified.getTime() || (a.name < b.name ? -1 : 1));
  });
}

/**
 * Reads where a training goes on: of `last` and `best` the further one (see `latestCheckpoint`).
 * @throws ArgumentError when there is neither; FormatError; StorageError
 */
export async function readLatestCheckpoint(directory: FileSystemDirectoryHandle): Promise<Checkpoint> {
  const kinds = ["last", "best"] as const;
  const kept = (await listCheckpoints(directory)).flatMap(({ name }) => kinds.find((kind) => kind === name) ?? []);
  const read = (kind: string): Promise<Checkpoint> => readCheckpoint(directory, kind);
  return (await latestCheckpoint(kept, read)) ?? read("last");
}

/** Deletes the checkpoint `name`, if there is one. @throws StorageError */
export async function deleteCheckpoint(directory: FileSystemDirectoryHandle, name: string): Promise<void> {
  const file = fileName(name);
  await guarded(`deleting ${pathOf(directory, file)}`, undefined, () =>
    locked(directory, name, "exclusive", async () => {
      if ((await existing(directory, file)) !== undefined) await directory.removeEntry(file);
    }),
  );
}

/**
 * Removes what torn writes left: empty files, and Chromium's files beside (NAME.safetensors.crswap), which stay when the whole browser is
 * killed. What another tab is writing stays. `openCheckpointDirectory` does this, too.
 */
export async function sweepCheckpoints(directory: FileSystemDirectoryHandle): Promise<void> {
  // Without locks, nobody knows who is writing.
  if (locks() === undefined) return;
  await guarded(`sweeping ${pathOf(directory)}`, undefined, async () => {
    for (const file of await fileNames(directory)) {
      const [, name, swap] = /^(.+)\.safetensors((?:\.\d+)?\.crswap)?$/.exec(file) ?? [];
      if (name === undefined) continue;
      await locked(directory, name, "if free", async () => {
        // A program that does not take our locks may be writing: then the browser refuses, rightly.
        const remove = swap === undefined ? removeIfEmpty(directory, file) : directory.removeEntry(file);
        await remove.catch(() => undefined);
      });
    }
  });
}

/** Where `fit` puts its snapshots: "last" and "best" of this folder. @param run as in {@link Checkpoint} */
export function checkpointSink(directory: FileSystemDirectoryHandle, run?: string): CheckpointSink {
  return { save: (kind, values, progress) => writeCheckpoint(directory, kind, { values, progress, run }) };
}

/** @throws ArgumentError */
function fileName(name: string): string {
  // So that the file can be downloaded under its name, on any system.
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_ .-]*$/u.test(name)) return `${name}${extension}`;
  throw new ArgumentError(
    `checkpoint: the name is ${JSON.stringify(name)}; it needs letters, digits, "_", "-", "." and spaces, beginning with a letter, digit or "_"`,
    { name },
  );
}

async function fileNames(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of directory.values()) if (entry.kind === "file") names.push(entry.name);
  return names;
}

/** Old browsers have none. There, of two tabs that write at once the later `close` wins, with a whole file all the same. */
function locks(): LockManager | undefined {
  return (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
}

/**
 * Runs while no other tab or worker of the site works on the checkpoint; the browser frees the locks of those that die. Folders of the same
 * name elsewhere share the lock, which costs a wait at most: a handle does not tell where its folder is.
 */
async function locked<T>(
  directory: FileSystemDirectoryHandle,
  name: string,
  mode: LockMode | "if free",
  run: () => Promise<T>,
): Promise<T> {
  const manager = locks();
  if (manager === undefined) return run();
  const options: LockOptions = mode === "if free" ? { ifAvailable: true } : { mode };
  return manager.request(`ocelli-checkpoint:${directory.name}/${name}`, options, (lock) =>
    lock === null ? (undefined as T) : run(),
  );
}
