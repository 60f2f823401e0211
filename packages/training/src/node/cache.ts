import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where downloads are kept: `OCELLI_CACHE`, else the system's place for caches (`XDG_CACHE_HOME`, on Windows `LOCALAPPDATA`)
 * and `ocelli` in it, else `~/.cache/ocelli`. Set but empty counts as not set.
 */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env.OCELLI_CACHE) return env.OCELLI_CACHE;
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "ocelli");
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "ocelli");
  return join(homedir(), ".cache", "ocelli");
}
