import { flattenState, type StateDict, toNumbers } from "@ocelli/core";

/** Qualified name of the first entry with a value that is NaN or infinite, or undefined. */
export function nonFiniteEntry(values: StateDict): string | undefined {
  for (const [name, host] of flattenState(values)) if (!toNumbers(host).every(Number.isFinite)) return name;
  return undefined;
}
