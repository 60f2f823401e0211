import type { ConformanceOptions } from "@ocelli/core/testing";

/** These say what becomes of NaN, and hold: they look at bits, or leave values as they are. */
const sure: ReadonlySet<string> = new Set(["isFinite", "select"]);

/** What this device need not compute as the reference does. */
export const known: ConformanceOptions = {
  skip: ({ op, sample }) =>
    sample.tags.includes("nonfinite") && !sure.has(op) ? "WGSL promises nothing about NaN and infinities" : undefined,
};
