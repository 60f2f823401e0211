import { describe, expect, it } from "vitest";
import { topologicalOrder } from "../graph.js";
import { type PrimitiveName, primitives } from "../ops/index.js";
import { evaluate } from "../reference/index.js";
import { sizeOf } from "../shape.js";
import { checkGradient } from "./gradient-check.js";
import { graphOf } from "./graph.js";
import { allSamples, type OpSample, samples } from "./samples/index.js";

const all = allSamples().map(({ op, sample }) => [`${op}: ${sample.name}`, sample, op] as const);
const feedsOf = ({ inputs }: OpSample) => new Map(inputs.map((host, i) => [`x${i}`, host]));

describe("samples", () => {
  it("cover every primitive, contain it, and have names of their own", () => {
    for (const name of Object.keys(primitives) as PrimitiveName[]) {
      expect(samples[name].length, name).toBeGreaterThan(0);
      expect(new Set(samples[name].map((sample) => sample.name)).size, name).toBe(samples[name].length);
      const used = samples[name].map((sample) =>
        topologicalOrder(graphOf(sample).outputs).some(({ op }) => op === primitives[name]),
      );
      expect(used, name).not.toContain(false);
    }
  });
});

describe("the reference", () => {
  it.each(all)("%s: values fit the inferred shape, and are finite unless the sample says otherwise", (_, sample) => {
    const { outputs } = graphOf(sample);
    for (const [i, values] of evaluate(outputs, feedsOf(sample)).entries()) {
      expect(values.length).toBe(sizeOf(outputs[i]!.shape));
      if (!sample.tags.includes("nonfinite")) expect(values.every(Number.isFinite)).toBe(true);
    }
  });
});

describe("gradients against finite differences", () => {
  it.each(all)("%s", (_, sample) => {
    expect(checkGradient(sample).error).toBeLessThan(1e-6);
  });
});

describe("gradients of gradients against finite differences", () => {
  it.each(all)("%s", (_, sample) => {
    expect(checkGradient(sample, { order: 2 }).error).toBeLessThan(1e-6);
  });
});
