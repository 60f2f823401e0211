import type { Program } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";

/** Gives programs back to their device; what they have queued is still done. */
export function release(programs: Iterable<Promise<Program>>): void {
  for (const compiled of programs) {
    // Whoever asked for a program that failed was told so.
    void compiled.then(
      (program) => program[disposeKey](),
      () => undefined,
    );
  }
}
