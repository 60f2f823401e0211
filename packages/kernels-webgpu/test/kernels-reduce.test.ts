import type { Shape } from "@ocelli/core";
import { primitives } from "@ocelli/core/backend";
import { expect } from "vitest";
import { linesOf, planOf } from "../src/kernels/lines.js";
import { argmax, max, sum } from "../src/kernels/reduce.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { limits, siteOf } from "./harness.js";
import { check, nodeOf, random, sampleCases } from "./kernels-cases.js";

const kernels = { sum, max, argmax };

/** Every way to share out the work, each with a remainder somewhere. */
const shapes: readonly (readonly [string, Shape, readonly number[]])[] = [
  ["a thread a short row", [501, 7], [1]],
  ["a thread a column", [9, 70001], [0]],
  ["a small workgroup a row", [5, 301], [1]],
  ["a workgroup a row", [3, 2049], [1]],
  ["several workgroups a row", [2, 200003], [1]],
  ["everything", [7, 33, 41, 11], [0, 1, 2, 3]],
  ["columns of a workgroup", [1000, 50], [0]],
  ["few columns", [4001, 3], [0]],
  ["several workgroups a column", [40001, 5], [0]],
  ["channels", [6, 5, 19, 23], [0, 2, 3]],
  ["all but the middle and the last", [33, 4, 9, 5], [0, 2]],
  ["the middle", [3, 260, 37], [1]],
];

for (const [name, kernel] of Object.entries(kernels)) {
  describe(name, () => {
    for (const c of sampleCases(name as keyof typeof kernels)) it(c.name, () => check(c, kernel));
  });
}

describe("larger shapes", () => {
  for (const [name, shape, axes] of shapes) {
    it(`sum: ${name}`, async () => {
      const x = random(shape, { low: 0.5, high: 1.5 });
      const node = nodeOf(primitives.sum, [x], { axes });
      await check({ node, inputs: [x], tolerance: 1e-6 }, sum);
    });
    it(`max: ${name}`, async () => {
      const x = random(shape, { low: -1e9, high: 1e9, dtype: "int32" });
      await check({ node: nodeOf(primitives.max, [x], { axes }), inputs: [x], tolerance: 0 }, max);
    });
    const [axis] = axes;
    if (axes.length > 1 || axis === undefined) continue;
    it(`argmax: ${name}, with many ties`, async () => {
      const x = random(shape, { low: -9, high: 3, dtype: "int32" });
      await check({ node: nodeOf(primitives.argmax, [x], { axis }), inputs: [x], tolerance: 0 }, argmax);
    });
  }
});

const card = { ...limits, subgroups: { min: 32, max: 32 } };

it("takes every path", () => {
  const plans = shapes.map(([, shape, axes]) => planOf(linesOf(shape, axes), true, card));
  expect(plans.some(({ lanes, across }) => lanes === 1 && across > 1)).toBe(true);
  expect(plans.some(({ lanes, across }) => lanes > 1 && across > 1)).toBe(true);
  expect(plans.some(({ lanes, across, parts }) => lanes > 1 && across === 1 && parts === 1)).toBe(true);
  expect(plans.some(({ across, parts }) => across === 1 && parts > 1)).toBe(true);
  expect(plans.some(({ across, parts }) => across > 1 && parts > 1)).toBe(true);
});

it("splits few long lines over workgroups, in two dispatches", () => {
  const x = random([2, 200003]);
  const site = siteOf(nodeOf(primitives.sum, [x], { axes: [1] }), card);
  expect(sum.dispatches(site, undefined).map(({ name }) => name)).toEqual(["sum.parts", "sum.merge"]);
});
