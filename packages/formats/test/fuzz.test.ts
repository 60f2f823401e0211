import { describe, expect, it } from "vitest";
import { run } from "./fuzz.js";

/** `OCELLI_FUZZ=100000` for the long run; a seed may follow: `100000,7`. */
const [count = 6000, seed = 1] = (process.env.OCELLI_FUZZ || undefined)?.split(",").map(Number) ?? [];

describe("changed files", () => {
  it(`are read or refused with a named error, in time and memory: ${count} of them`, { timeout: 1_800_000 }, () => {
    const report = run(count, seed);
    console.log(JSON.stringify(report));
    // The counter counts.
    expect(report.largestRatio).toBeGreaterThan(0.5);
    // Both sides must be seen: changes of data and of names leave a good file.
    expect(report.read).toBeGreaterThan(count / 50);
    for (const kind of ["safetensors", "pytorch", "onnx"]) expect(report.refused[kind]).toBeGreaterThan(count / 20);
  });
});
