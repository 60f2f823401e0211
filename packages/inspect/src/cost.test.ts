import {
  apply,
  avgPool2d,
  batchNormInference,
  broadcastTo,
  conv2d,
  defineOp,
  input,
  localResponseNorm,
  matmul,
  maxPool2d,
  mul,
  relu,
  reshape,
  type Shape,
  softmax,
  sum,
  type Tensor,
  topologicalOrder,
  transpose,
} from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { flopsOf } from "./cost.js";

const x = (...shape: Shape): Tensor => input("x", { shape, dtype: "float32" });

describe("flopsOf", () => {
  const image = x(1, 4, 6, 6);

  it.each<[name: string, tensor: Tensor, flops: number]>([
    // 2 x (outputs x inputs of each)
    ["matmul", matmul(x(2, 3), x(3, 5)), 2 * 10 * 3],
    ["conv2d", conv2d(image, x(8, 4, 3, 3), { padding: 1 }), 2 * 8 * 36 * 36],
    ["conv2d in groups", conv2d(image, x(8, 2, 3, 3), { padding: 1, groups: 2 }), 2 * 8 * 36 * 18],
    ["relu", relu(image), 144],
    ["maxPool2d", maxPool2d(image, { kernelSize: 3, stride: 2, padding: 1 }), 4 * 9 * 8],
    ["avgPool2d", avgPool2d(image, { kernelSize: 2 }), 4 * 9 * 4],
    ["reshape", reshape(image, [-1]), 0],
    ["broadcastTo", broadcastTo(x(6), [4, 6]), 0],
    ["transpose", transpose(x(2, 3), [1, 0]), 0],
    // A row: 4 comparisons, 5 differences, 5 exponentials, 4 additions, 5 divisions.
    ["softmax", softmax(x(2, 5)), 2 * 23],
    // A value: a square, 5 for the mean of a window, 2 products, a sum, a power, a division.
    ["localResponseNorm", localResponseNorm(image, { size: 5 }), 144 * 11],
  ])("of %s", (_, { node }, flops) => {
    expect(flopsOf(node)).toBe(flops);
  });

  it("counts n - 1 additions for a sum of n", () => {
    const nodes = topologicalOrder([sum(image, { axes: [2, 3] })]);
    expect(nodes.reduce((total, node) => total + flopsOf(node), 0)).toBe(4 * 35);
  });

  it("counts of an inference batch-norm what its definition counts", () => {
    const vectors = ["w", "b", "m", "v"].map((name) => input(name, { shape: [4], dtype: "float32" }));
    const [w, b, m, v] = vectors as [Tensor, Tensor, Tensor, Tensor];
    const { node } = batchNormInference(image, w, b, m, v);
    const defined = node.op.decompose?.(node.inputs, node.attrs) as Tensor;
    const definition = topologicalOrder([defined]).reduce((total, inner) => total + flopsOf(inner), 0);
    expect(flopsOf(node)).toBe(definition);
    expect(definition).toBe(2 * 144 + 5 * 4);
  });

  it("counts of a user's op its definition, and the multiply-adds that it says itself", () => {
    const cube = defineOp({
      name: "cube",
      infer: ([a]) => a as Tensor,
      vjp: "decompose",
      decompose: ([a]) => mul(a as Tensor, mul(a as Tensor, a as Tensor)),
    });
    const opaque = defineOp({
      name: "opaque",
      infer: ([a]) => a as Tensor,
      vjp: "nondifferentiable",
      macs: () => 50,
    });
    expect(flopsOf(apply(cube, [x(7)]).node)).toBe(14);
    expect(flopsOf(apply(opaque, [x(7)]).node)).toBe(100);
  });
});
