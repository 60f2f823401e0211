/** Files in the browser's own storage, or in a folder that the user gave. */
import { OcelliError } from "@ocelli/core";
import { StorageError, storageError } from "./storage-error.js";

/** For messages. The root of the site's storage has no name. */
export function pathOf(directory: FileSystemDirectoryHandle, file?: string): string {
  return [directory.name || "the site's storage", ...(file === undefined ? [] : [file])].join("/");
}

/**
 * Writes a file, or leaves the one that is there.
 *
 * No temporary name of our own: what `createWritable` is given goes to a file beside, which `close` exchanges for the old one. That is in
 * the standard, whereas renaming a file is in none. (Access handles do write in place; they are not used.) What can be torn is only
 * the making of a new name, which leaves an empty file.
 */
export async function replaceFile(
  directory: FileSystemDirectoryHandle,
  file: string,
  content: Uint8Array | Blob,
): Promise<void> {
  const handle = await directory.getFileHandle(file, { create: true });
  let stream: FileSystemWritableFileStream | undefined;
  try {
    if (!("createWritable" in handle)) {
      throw new StorageError(
        "unsupported",
        `writing ${pathOf(directory, file)}: this browser's files have no createWritable (Safari has it since version 26)`,
      );
    }
    stream = await handle.createWritable();
    await stream.write(content as Uint8Array<ArrayBuffer> | Blob);
    await stream.close();
  } catch (error) {
    // The error that led here says more than one from clearing up.
    await stream?.abort().catch(() => undefined);
    await removeIfEmpty(directory, file).catch(() => undefined);
    throw error;
  }
}

/** A file, if there is one of this name. */
export async function existing(directory: FileSystemDirectoryHandle, file: string): Promise<File | undefined> {
  try {
    return await (await directory.getFileHandle(file)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}

export async function removeIfEmpty(directory: FileSystemDirectoryHandle, file: string): Promise<void> {
  if ((await existing(directory, file))?.size === 0) await directory.removeEntry(file);
}

/** Runs with what the browser throws as a {@link StorageError}. @param what for instance "writing run/last.safetensors" */
export async function guarded<T>(what: string, bytes: number | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof OcelliError ? error : await storageError(what, error, bytes);
  }
}
