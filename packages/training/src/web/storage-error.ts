import { OcelliError } from "@ocelli/core";

/** `quota`: no room. `denied`: the browser or its user does not allow it. `unsupported`: the browser is too old. `failed`: the rest. */
export type StorageFailure = "quota" | "denied" | "unsupported" | "failed";

/** The browser did not store, read or delete a file. What was stored before is untouched. */
export class StorageError extends OcelliError {
  readonly reason: StorageFailure;
  constructor(reason: StorageFailure, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message, { reason, ...fields });
    this.reason = reason;
  }
}

/** What a browser threw, said so that one knows what to do. @param what for instance "writing run/last.safetensors" */
export async function storageError(what: string, cause: unknown, bytes?: number): Promise<StorageError> {
  const { name, message } = cause instanceof Error ? cause : { name: "Error", message: String(cause) };
  const fields = { cause, ...(bytes === undefined ? {} : { bytes }) };
  if (name === "QuotaExceededError") {
    const size = bytes === undefined ? "it" : `these ${bytes} bytes`;
    return new StorageError(
      "quota",
      `${what}: the browser has no room for ${size}${await usage()}. What was stored before is untouched. Delete what is not needed (deleteCheckpoint, directory.removeEntry), or free disk space.`,
      fields,
    );
  }
  if (name === "NotAllowedError" || name === "SecurityError") {
    return new StorageError(
      "denied",
      `${what}: the browser denies it (${name}: ${message}). Allow this site to store data; for a folder that the user chose, ask again with directory.requestPermission({ mode: "readwrite" }).`,
      fields,
    );
  }
  return new StorageError(
    "failed",
    `${what}: the browser failed (${name}: ${message}). What was stored before is untouched; try again, with no other program using the file.`,
    fields,
  );
}

/** Not the quota that `estimate` gives beside it: browsers make that up, so that sites cannot be told apart by it. */
async function usage(): Promise<string> {
  try {
    const { usage: stored } = await navigator.storage.estimate();
    return stored === undefined ? "" : ` (this site stores ${stored} already)`;
  } catch {
    return "";
  }
}
