import { type DType, fromNumbers, type HostTensor, type Shape } from "@ocelli/core";
import { type PrimitiveName, primitives } from "@ocelli/core/backend";
import { expect } from "vitest";
import type { Kernel } from "../src/kernel.js";
import { concat } from "../src/kernels/concat.js";
import { localResponseNorm, localResponseNormGrad } from "../src/kernels/lrn.js";
import { randomBits } from "../src/kernels/random.js";
import { gridSample2d } from "../src/kernels/sample.js";
import { scatterAdd } from "../src/kernels/scatter.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { siteOf } from "./harness.js";
import { check, nodeOf, random, sampleCases } from "./kernels-cases.js";

const kernels = { concat, localResponseNorm, localResponseNormGrad, randomBits, gridSample2d, scatterAdd };

for (const [name, kernel] of Object.entries<Kernel>(kernels)) {
  describe(name, () => {
    for (const c of sampleCases(name as PrimitiveName)) it(c.name, () => check(c, kernel));
  });
}

describe("larger shapes", () => {
  it("randomBits draws an odd number exactly", async () => {
    const inputs = [fromNumbers([0xdeadbeef, 77], [2], "uint32")];
    const node = nodeOf(primitives.randomBits, inputs, { shape: [70001], stream: 123456789 });
    await check({ node, inputs, tolerance: 0 }, randomBits);
  });

  for (const [beta, channels, size] of [
    [0.75, 96, 5],
    [0.75, 13, 4],
    [0.6, 20, 9],
  ] as const) {
    it(`localResponseNorm: beta ${beta}, ${channels} channels, size ${size}`, async () => {
      const attrs = { size, alpha: 0.5, beta, k: 2 };
      const x = random([2, channels, 9, 11], { low: -3, high: 3 });
      const dy = random(x.shape, { seed: 2 });
      const forward = nodeOf(primitives.localResponseNorm, [x], attrs);
      await check({ node: forward, inputs: [x], tolerance: 2e-6 }, localResponseNorm);
      const inputs = [dy, x];
      const backward = nodeOf(primitives.localResponseNormGrad, inputs, attrs);
      await check({ node: backward, inputs, tolerance: 3e-6 }, localResponseNormGrad);
    });
  }

  it("gridSample2d", async () => {
    const inputs = [random([2, 5, 31, 29]), random([2, 40, 37, 2], { low: -1.3, high: 1.3, seed: 2 })];
    for (const paddingMode of ["zeros", "border"] as const) {
      const node = nodeOf(primitives.gridSample2d, inputs, { paddingMode, alignCorners: false });
      await check({ node, inputs, tolerance: 2e-5 }, gridSample2d);
    }
  });

  it("concat of channels", async () => {
    const inputs = [3, 64, 1].map((c, i) => random([5, c, 27, 31], { seed: i }));
    await check({ node: nodeOf(primitives.concat, inputs, { axis: 1 }), inputs, tolerance: 0 }, concat);
  });
});

/** Indices in 0..count-1, at random. */
const indicesOf = (length: number, count: number): HostTensor =>
  random([length], { low: 0, high: count, seed: 9, dtype: "int32" });

describe("scatterAdd", () => {
  const cases: readonly (readonly [string, Shape, number, number])[] = [
    ["a few into rows", [3000, 33], 32, 0],
    ["one block", [300, 5], 250, 0],
    ["two blocks, the second of one", [300, 7], 257, 0],
    ["more blocks", [2, 111, 3], 1501, 1],
    ["the last axis", [3, 50], 700, 1],
    ["a long line", [10000], 5000, 0],
  ];
  for (const dtype of ["float32", "float16", "int32", "uint32", "uint8"] as const satisfies readonly DType[]) {
    // The dtype matters to the additions alone.
    for (const [name, shape, length, axis] of dtype === "float32" ? cases : cases.slice(1, 2)) {
      it(`${dtype}: ${name}`, async () => {
        const range = { high: dtype.startsWith("float") ? 1 : 50, dtype };
        const updates = shape.map((dim, i) => (i === axis ? length : dim));
        const x = random(shape, { low: 0, ...range });
        const inputs = [x, indicesOf(length, shape[axis]!), random(updates, { low: 0, seed: 2, ...range })];
        const node = nodeOf(primitives.scatterAdd, inputs, { axis });
        const tolerance = { float32: 1e-6, float16: 1e-3, int32: 0, uint32: 0, uint8: 0 }[dtype];
        await check({ node, inputs, tolerance }, scatterAdd);
      });
    }
  }
  it("adds many updates of one entry without losing digits", async () => {
    const updates = random([20000], { low: 0.5, high: 1.5 });
    const inputs = [random([2]), fromNumbers(new Array(20000).fill(1), [20000], "int32"), updates];
    await check({ node: nodeOf(primitives.scatterAdd, inputs, { axis: 0 }), inputs, tolerance: 2e-6 }, scatterAdd);
  });
  it("merges sorted blocks by doubling", () => {
    const inputs = [random([99]), indicesOf(1501, 99), random([1501])];
    const site = siteOf(nodeOf(primitives.scatterAdd, inputs, { axis: 0 }));
    expect(scatterAdd.dispatches(site, undefined).map(({ name }) => name.slice(10))).toEqual([
      ".sort",
      ".merge",
      ".merge",
      ".merge",
      ".starts",
      "",
    ]);
  });
});
