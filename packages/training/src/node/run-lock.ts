import { open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { ArgumentError } from "@ocelli/core";
import { isAlive } from "./atomic-write.js";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts: another process may get its number later. Null where it cannot be asked. */
  readonly born: string | null;
  /** When the lock was taken: for messages. */
  readonly since: string;
}

/**
 * Takes a lock file, so that of two processes only one writes into a folder. What a killed process left is taken over.
 * @returns what gives it back
 * @throws ArgumentError while another process has it
 */
export async function takeLock(file: string): Promise<() => Promise<void>> {
  const { pid } = process;
  const holder: Holder = { pid, host: hostname(), born: await birthOf(pid), since: new Date().toISOString() };
  const text = `${JSON.stringify(holder)}\n`;
  while (!(await create(file, text))) await clear(file);
  return async () => {
    if ((await readText(file)) === text) await rm(file, { force: true });
  };
}

/** False when the file is there already. */
async function create(file: string, text: string): Promise<boolean> {
  const handle = await open(file, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
}

/** Removes a lock whose holder is gone. @throws ArgumentError when it is not */
async function clear(file: string): Promise<void> {
  const text = await readText(file);
  if (text === undefined) return;
  const holder = parse(text);
  if (holder === undefined || (await isHeld(holder))) throw held(file, holder);
  const aside = `${file}.stale-${process.pid}`;
  await rename(file, aside).catch(() => undefined);
  const moved = await readText(aside);
  // Another process cleared it first and took it: that one gets it back.
  if (moved !== undefined && moved !== text) await rename(aside, file);
  await rm(aside, { force: true });
}

async function isHeld({ pid, host, born }: Holder): Promise<boolean> {
  // Nobody can ask another machine.
  if (host !== hostname()) return true;
  return isAlive(pid) && (born === null || born === (await birthOf(pid)));
}

function held(file: string, holder: Holder | undefined): ArgumentError {
  const where = holder === undefined || holder.host === hostname() ? "" : ` on ${holder.host}`;
  const who = holder === undefined ? "somebody" : `process ${holder.pid}${where}`;
  const since = holder === undefined ? "" : ` since ${holder.since}`;
  return new ArgumentError(
    `run: ${who} has been training in this folder${since}. Wait or stop it; if it is gone for certain, delete ${file}.`,
    { file, pid: holder?.pid, host: holder?.host },
  );
}

/** Undefined for a lock that is being written right now, or that nobody here wrote. */
function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    return typeof holder?.pid === "number" && typeof holder.host === "string" ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** Linux tells when a process began, in ticks since the machine did; the name before it may hold anything, even parentheses. */
async function birthOf(pid: number): Promise<string | null> {
  const text = await readText(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}
