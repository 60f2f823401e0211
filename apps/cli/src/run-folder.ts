import { existsSync } from "node:fs";
import { join } from "node:path";

/** `base`, or `base-2`, `base-3` ...: the first that does not exist. */
export function freshFolder(base: string): string {
  for (let n = 1; ; n++) {
    const path = n === 1 ? base : `${base}-${n}`;
    if (!existsSync(path)) return path;
  }
}

/** Where a run goes unless --out says otherwise. */
export function defaultRunFolder(model: string, data: string, seed: number): string {
  return freshFolder(join("runs", `${model}-${data}-seed${seed}`));
}
