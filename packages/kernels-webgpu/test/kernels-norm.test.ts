import { applyAll, type HostTensor, input, type Node, type Op, type Shape, type Tensor } from "@ocelli/core";
import { type PrimitiveName, primitives } from "@ocelli/core/backend";
import { evaluate } from "@ocelli/core/reference";
import { expect } from "vitest";
import {
  batchNormGradSums,
  batchNormGradSumsOp,
  batchNormStats,
  batchNormStatsOp,
  lowerBatchNormGrad,
  lowerBatchNormTrain,
} from "../src/kernels/batch-norm.js";
import { logSoftmax, softmax } from "../src/kernels/softmax.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { siteOf } from "./harness.js";
import { check, nodeOf, random, sampleCases } from "./kernels-cases.js";
import "./definitions.js";

const softmaxes = { softmax, logSoftmax };

for (const [name, kernel] of Object.entries(softmaxes)) {
  const op = primitives[name as keyof typeof softmaxes];
  describe(name, () => {
    for (const c of sampleCases(op.name as PrimitiveName)) it(c.name, () => check(c, kernel));
    const larger: readonly (readonly [string, Shape, number])[] = [
      ["a thread a line", [301, 10], 1],
      ["a small workgroup a line", [3, 400], 1],
      ["a workgroup a line", [5, 1000], 1],
      ["one long line", [1, 70001], 1],
      ["columns", [2, 21, 37, 9], 1],
      ["few columns", [700, 3], 0],
    ];
    for (const [what, shape, axis] of larger) {
      it(what, async () => {
        const x = random(shape, { low: -8, high: 8 });
        await check({ node: nodeOf(op, [x], { axis }), inputs: [x], tolerance: 3e-6 }, kernel);
      });
    }
    it("takes finite numbers of any size", async () => {
      const x = random([3, 300], { low: -1.6e38, high: 1.6e38 });
      await check({ node: nodeOf(op, [x], { axis: 1 }), inputs: [x], tolerance: 1e-6 }, kernel);
    });
  });
}

/** Shapes whose channels are a thread's, a workgroup's, and several workgroups' work. */
const shapes: readonly Shape[] = [
  [5, 3],
  [2, 3, 4, 5],
  [300, 70],
  [3, 17, 21, 13],
  [4, 600, 5, 5],
  [9, 2, 61, 67],
  [40000, 3],
];

const vector = (shape: Shape, seed: number, low = 0.5): HostTensor => random([shape[1]!], { low, high: 1.5, seed });

describe("batchNormStats", () => {
  for (const shape of shapes) {
    it(`[${shape}]`, async () => {
      const x = random(shape, { low: -2, high: 3 });
      await check({ node: nodeOf(batchNormStatsOp, [x]), inputs: [x], tolerance: 1e-6 }, batchNormStats);
    });
    it(`[${shape}] far from 0`, async () => {
      const x = random(shape, { low: 99, high: 101 });
      await check({ node: nodeOf(batchNormStatsOp, [x]), inputs: [x], tolerance: 1e-5 }, batchNormStats);
    });
  }
  it("splits few channels over workgroups", () => {
    const site = siteOf(nodeOf(batchNormStatsOp, [random([9, 2, 61, 67])]), { subgroups: { min: 32, max: 32 } });
    expect(batchNormStats.dispatches(site, undefined)).toHaveLength(2);
  });
});

describe("batchNormGradSums", () => {
  for (const shape of shapes) {
    it(`[${shape}]`, async () => {
      const inputs = [
        random(shape, { low: -1, high: 2 }),
        random(shape, { low: -1, seed: 2, high: 3 }),
        vector(shape, 3),
        vector(shape, 4),
      ];
      const node = nodeOf(batchNormGradSumsOp, inputs, { eps: 1e-3 });
      await check({ node, inputs, tolerance: 2e-6 }, batchNormGradSums);
    });
  }
});

/** Values of an op and of what replaces it, both by the reference. */
function bothWays(
  { node, inputs }: { node: Node; inputs: readonly HostTensor[] },
  lower: (inputs: readonly Tensor[], attrs: { readonly eps: number }) => readonly Tensor[],
): [number[][], number[][]] {
  const tensors = inputs.map(({ shape, dtype }, i) => input(`x${i}`, { shape, dtype }));
  const feeds = new Map(inputs.map((host, i) => [`x${i}`, host]));
  const direct = applyAll(node.op as Op<{ eps: number }>, tensors, node.attrs);
  const lowered = lower(tensors, node.attrs);
  return [direct, lowered].map((outputs) => evaluate(outputs, feeds).map((values) => [...values])) as [
    number[][],
    number[][],
  ];
}

describe("the lowered forms equal the ops", () => {
  const lowerings = { batchNormTrain: lowerBatchNormTrain, batchNormGrad: lowerBatchNormGrad };
  for (const [name, lower] of Object.entries(lowerings)) {
    for (const c of sampleCases(name as PrimitiveName)) {
      it(`${name}: ${c.name}`, () => {
        const [direct, lowered] = bothWays(c, lower);
        for (const [k, values] of direct.entries()) {
          for (const [i, value] of values.entries()) expect(lowered[k]![i]).toBeCloseTo(value, 9);
        }
      });
    }
  }
});
