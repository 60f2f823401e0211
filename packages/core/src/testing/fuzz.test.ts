import { describe, expect, it } from "vitest";
import { structuralHash, topologicalOrder } from "../graph.js";
import { optimize } from "../passes/index.js";
import { evaluate, reference } from "../reference/index.js";
import { graphOf, randomSample, runCase } from "./index.js";

const seeds = Array.from({ length: 100 }, (_, i) => i);

describe("random graphs", () => {
  it("are finite, the same for the same seed, and of many kinds", () => {
    const hashes = seeds.map((seed) => structuralHash(graphOf(randomSample(seed)).outputs));
    expect(new Set(hashes).size).toBeGreaterThan(95);
    expect(structuralHash(graphOf(randomSample(3)).outputs)).toBe(hashes[3]);
    const names = seeds.flatMap((seed) =>
      topologicalOrder(graphOf(randomSample(seed, 25)).outputs).map(({ op }) => op.name),
    );
    expect(new Set(names).size).toBeGreaterThan(18);
  });

  it("keep their values through the passes", () => {
    for (const seed of seeds) {
      const sample = randomSample(seed, 25);
      const feeds = new Map(sample.inputs.map((host, i) => [`x${i}`, host]));
      const { outputs } = graphOf(sample);
      const optimized = optimize(outputs, { supports: (op) => op.decompose === undefined });
      const [before, after] = [evaluate(outputs, feeds), evaluate(optimized, feeds)];
      for (const [i, values] of before.entries()) {
        expect(values.every(Number.isFinite)).toBe(true);
        expect(Math.max(...values.map((value, j) => Math.abs(value - after[i]![j]!)))).toBeLessThan(1e-12);
      }
    }
  });

  it("agree between float32 and float64", async () => {
    await using device = await reference({ precision: "float32" });
    for (const seed of seeds) {
      const result = await runCase(device, { op: "random", sample: randomSample(seed), pass: "forward" });
      expect(result.status, result.reason).toBe("passed");
    }
  });
});
