import { open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { replaceFile } from "./replace-file.js";

const mark = ".writing-";

/**
 * Writes a file so that its name always shows a whole one: beside it first, flushed to disk, then renamed over it.
 * On failure (a full disk, say) the old file stays, the new one's rest is removed, and the error names `path`.
 */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const beside = `${path}${mark}${process.pid}`;
  try {
    const file = await open(beside, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await replaceFile(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    const { path: named } = error as NodeJS.ErrnoException;
    throw named === beside ? Object.assign(error as Error, { path }) : error;
  }
}

/** Removes what a killed process left half-written beside `path`; what a living one is writing stays. */
export async function sweep(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => []);
  const prefix = `${basename(path)}${mark}`;
  const left = names.filter((name) => name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length))));
  await Promise.all(left.map((name) => rm(join(dirname(path), name), { force: true })));
}

/** Whether there is a process of that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
