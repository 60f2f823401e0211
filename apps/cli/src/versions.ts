import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const readVersion = (file: string | URL): string =>
  (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;

/** The command's own version: it is published together with the packages. */
export function ocelliVersion(): string {
  return readVersion(new URL("../package.json", import.meta.url));
}

/** Version of an installed package, which is not loaded; undefined when it is missing. */
export function versionOf(name: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      const file = join(folder, "package.json");
      const manifest = readManifest(file);
      if (manifest?.name === name) return manifest.version;
    }
  } catch {
    // Not installed.
  }
  return undefined;
}

function readManifest(file: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
  } catch {
    return undefined;
  }
}
