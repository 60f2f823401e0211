import { CommanderError } from "commander";
import { type Io, note } from "./io.js";

/** Ended by Ctrl-C. The message says what was saved. */
export class Interrupted extends Error {}

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {}

/** It was called rightly and failed: exit code 1. */
export class Failure extends Error {}

/** What went wrong with a file, by the system's code; each ends a sentence that names the file. */
const fileProblems: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EBUSY: "it is in use by another program",
  EDQUOT: "the disk quota is used up. Free some space and run the command again",
  EEXIST: "it exists already",
  EFBIG: "the file would be too large for this file system",
  EIO: "the disk reports an error",
  EISDIR: "it is a folder; a file is needed",
  EMFILE: "too many files are open",
  ENOENT: "no such file or folder",
  ENOSPC: "the disk is full. Free some space and run the command again; what was saved before is intact",
  ENOTDIR: "a part of the path is no folder",
  EROFS: "the file system is read-only",
};

/** One clear message, or undefined for what nobody foresaw. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof UsageError || error instanceof Failure) return error.message;
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const problem = code === undefined ? undefined : fileProblems[code];
  if (problem !== undefined) return `${path ?? `cannot ${syscall ?? "use a file"}`}: ${problem}`;
  // By field, not by class: importing the class would load core for `--help`.
  if ("fields" in error) return error.message.replace(/^run: /, "");
  if (error instanceof RangeError && /allocation|Invalid (typed )?array length/i.test(error.message))
    return `out of memory (${error.message}). Try a smaller --batch-size`;
  return undefined;
}

/** Prints what went wrong, without a stack, and returns the exit code: 2 for usage, 1 for failure, 130 after Ctrl-C. */
export function report(error: unknown, io: Io): number {
  // Commander has printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Interrupted) {
    if (error.message !== "") note(io, error.message);
    return 130;
  }
  const message = messageOf(error);
  note(io, `error: ${message ?? `unexpected: ${String((error as Error | undefined)?.message ?? error)}`}`);
  if (io.env.OCELLI_DEBUG === "1") note(io, (error as Error | undefined)?.stack ?? "");
  else if (message === undefined) note(io, "This is a mistake in ocelli. OCELLI_DEBUG=1 prints where it happened.");
  return error instanceof UsageError ? 2 : 1;
}
