import { flattenState, type StateDict, toNumbers } from "@ocelli/core";

/** Qualified name of the first entry with a value that is NaN or infinite, or undefined. */
export function nonFiniteEntry(values: StateDict): string | undefined {
  for (const [name, host] of flattenState(values)) {
    // float16 travels as bits; everything else is looked at in place.
    const numbers = host.dtype === "float16" ? toNumbers(host) : host.data;
    if (!numbers.every((value) => Number.isFinite(value))) return name;
  }
  return undefined;
}
