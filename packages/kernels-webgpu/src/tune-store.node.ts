import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { hashBytes } from "@ocelli/core";
import { type ChoiceStore, choicesText, joinedChoices, parsedChoices } from "./tune-store.js";

/**
 * Where choices are kept: `OCELLI_CACHE`, else `ocelli` in the system's place for caches (`XDG_CACHE_HOME` where it is set, on Windows
 * `LOCALAPPDATA`, on macOS `~/Library/Caches`, elsewhere `~/.cache`). Set but empty counts as not set.
 */
export function choicesFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env.OCELLI_CACHE) return join(env.OCELLI_CACHE, "webgpu");
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "ocelli", "webgpu");
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "ocelli", "webgpu");
  const caches = platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(caches, "ocelli", "webgpu");
}

/** A file larger than this is none of ours. */
const mostBytes = 16 * 2 ** 20;

/** Saves of this process, one after another: each adds to what the one before wrote. */
let saving: Promise<void> = Promise.resolve();

/** Choices in files, one a device. */
export function fileChoices(folder: () => string = choicesFolder): ChoiceStore {
  const pathOf = (device: string): string => join(folder(), `${hashBytes(new TextEncoder().encode(device))}.json`);
  const load = async (device: string): Promise<Map<string, unknown>> => {
    try {
      const path = pathOf(device);
      if ((await stat(path)).size > mostBytes) return new Map();
      return parsedChoices(device, await readFile(path, "utf8"));
    } catch {
      return new Map();
    }
  };
  const add = async (device: string, choices: ReadonlyMap<string, unknown>): Promise<void> => {
    const text = choicesText(device, joinedChoices(await load(device), choices));
    await replaced(folder(), pathOf(device), text);
  };
  return {
    load,
    save: (device, choices) => {
      saving = saving.then(() => add(device, choices)).catch(() => undefined);
      return saving;
    },
  };
}

/** Another process sees the old file or the new one, never a half. */
async function replaced(folder: string, path: string, text: string): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(beside, text, { flush: true });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}
