import { OcelliError } from "@ocelli/core";
import { StorageError, type StorageFailure } from "@ocelli/training/web";

/** The site's own storage. @throws StorageError where the browser gives none, or denies it */
export async function openRoot(): Promise<FileSystemDirectoryHandle> {
  const storage: Partial<StorageManager> | undefined = navigator.storage;
  if (storage?.getDirectory === undefined)
    throw new StorageError("unsupported", "This browser gives the page no storage of its own.");
  return stored("Opening the site's storage", () => navigator.storage.getDirectory());
}

const reasons: Readonly<Record<string, StorageFailure>> = {
  QuotaExceededError: "quota",
  NotAllowedError: "denied",
  SecurityError: "denied",
};

const advice: Readonly<Record<StorageFailure, string>> = {
  quota: "The browser has no room for it. Delete networks or data that you no longer need, or free disk space.",
  denied: "The browser does not let this site store data. Allow it in the browser's settings.",
  unsupported: "This browser is too old to do it.",
  failed: "Try it again.",
};

/** Why the site's storage did not take something, and what the reader can do. */
export const whyNotStored = ({ reason, message }: StorageError): string =>
  reason === "failed" ? message : advice[reason];

/** Runs with what the browser throws as a {@link StorageError}. @param what for instance "Storing photos" */
export async function stored<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof OcelliError) throw cause;
    const { name, message } = cause instanceof Error ? cause : { name: "Error", message: String(cause) };
    const reason = reasons[name] ?? "failed";
    throw new StorageError(reason, `${what} failed (${name}: ${message}). ${advice[reason]}`, { cause });
  }
}

/** Writes a file whole, or leaves the one that is there. @throws StorageError */
export async function writeFile(
  directory: FileSystemDirectoryHandle,
  name: string,
  content: string | Blob | Uint8Array<ArrayBuffer>,
): Promise<void> {
  await stored(`Storing ${directory.name}/${name}`, async () => {
    const handle = await directory.getFileHandle(name, { create: true });
    const writable = await handle.createWritable();
    try {
      await writable.write(content);
    } catch (error) {
      // What stands there stays; the error that led here says more than one from clearing up.
      await writable.abort().catch(() => undefined);
      throw error;
    }
    await writable.close();
  });
}

/** A file, if there is one of this name. */
export async function existingFile(directory: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  try {
    return await (await directory.getFileHandle(name)).getFile();
  } catch {
    return undefined;
  }
}

/** What a file holds; undefined when there is none, or a kill has torn it. */
export async function readJson(directory: FileSystemDirectoryHandle, name: string): Promise<unknown> {
  try {
    return JSON.parse((await (await existingFile(directory, name))?.text()) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Folders of the site's storage whose names begin so. @throws StorageError */
export async function foldersOf(prefix: string): Promise<FileSystemDirectoryHandle[]> {
  const root = await openRoot();
  return stored("Listing the site's storage", async () => {
    const found: FileSystemDirectoryHandle[] = [];
    for await (const [name, handle] of root.entries())
      if (handle.kind === "directory" && name.startsWith(prefix)) found.push(handle as FileSystemDirectoryHandle);
    return found;
  });
}

/** A folder of the site's storage; undefined when there is none of the name. @throws StorageError */
export async function existingFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  const root = await openRoot();
  return stored(`Opening ${name}`, () => root.getDirectoryHandle(name).catch(unlessMissing));
}

/** Deletes a folder of the site's storage with all in it; one that is not there is no error. @throws StorageError */
export async function deleteFolder(name: string): Promise<void> {
  const root = await openRoot();
  await stored(`Deleting ${name}`, () => root.removeEntry(name, { recursive: true }).catch(unlessMissing));
}

/** Nothing, where an entry is not there. @throws the error, where it is another one */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
}
