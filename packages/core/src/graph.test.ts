import { describe, expect, it } from "vitest";
import { hashBytes, lastUses, structuralHash, topologicalOrder } from "./graph.js";
import { hostTensor } from "./host.js";
import { conv2d } from "./ops/conv.js";
import { add, cast, mul, neg, sub } from "./ops/elementwise.js";
import { pad, transpose } from "./ops/layout.js";
import { constant, full, input } from "./ops/leaf.js";
import { batchNormTrain } from "./ops/norm.js";
import { sum } from "./ops/reduce.js";
import type { Tensor } from "./tensor.js";

const x = (shape: readonly number[] = [1, 2, 5, 5], dtype: "float32" | "float16" = "float32"): Tensor =>
  input("x", { shape, dtype });
const w = (): Tensor => input("w", { shape: [3, 2, 3, 3], dtype: "float32" });

describe("structuralHash", () => {
  it("is equal for equal structure built twice", () => {
    const build = (): Tensor => sum(mul(conv2d(x(), w(), { padding: 1 }), 0.5));
    expect(structuralHash([build()])).toBe(structuralHash([build()]));
  });

  it("differs for every change of attribute, shape, dtype, wiring, output order or number", () => {
    const [a, b] = [input("a", { shape: [2, 2], dtype: "float32" }), input("b", { shape: [2, 2], dtype: "float32" })];
    const norm = batchNormTrain(a, full([2], 1), full([2], 0));
    const variants: Tensor[][] = [
      [conv2d(x(), w())],
      [conv2d(x(), w(), { padding: 1 })],
      [conv2d(x(), w(), { padding: [1, 0] })],
      [conv2d(x(), w(), { stride: 2 })],
      [conv2d(x(), w(), { dilation: 2 })],
      [conv2d(x([2, 2, 5, 5]), w())],
      [neg(x())],
      [neg(x([1, 2, 5, 5], "float16"))],
      [cast(x(), "int32")],
      [cast(x(), "uint32")],
      [sub(a, b)],
      [sub(b, a)],
      [sub(a, a)],
      [add(a, b)],
      [a, b],
      [b, a],
      [a, a],
      [a],
      [transpose(a)],
      [pad(a, { low: [0, 1] })],
      [pad(a, { low: [0, 1], value: 1 })],
      [pad(a, { low: [0, 1], value: -0 })],
      [pad(a, { low: [0, 1], value: Number.NaN })],
      [pad(a, { low: [0, 1], value: Number.POSITIVE_INFINITY })],
      [mul(a, 2)],
      [mul(a, 3)],
      [norm.output],
      [norm.mean],
      [norm.variance],
      [constant(hostTensor([1, 2]))],
      [constant(hostTensor([1, 3]))],
      [constant(hostTensor([1, 2], [2, 1]))],
      [constant(hostTensor([1, 2], [2], "int32"))],
    ];
    const hashes = variants.map((outputs) => structuralHash(outputs));
    expect(new Set(hashes).size).toBe(variants.length);
  });

  it("tells shared parts from repeated ones", () => {
    const a = x();
    const once = neg(a);
    expect(structuralHash([add(once, once)])).not.toBe(structuralHash([add(neg(a), neg(a))]));
  });
});

describe("walks", () => {
  it("put nodes after their inputs, and find the last reader", () => {
    const a = x();
    const b = neg(a);
    const c = add(b, a);
    const order = topologicalOrder([c, b]);
    expect(order).toEqual([a.node, b.node, c.node]);
    const last = lastUses(order, [c]);
    expect([last.get(a.node), last.get(b.node), last.get(c.node)]).toEqual([2, 2, Number.POSITIVE_INFINITY]);
  });

  it("stop at leaves", () => {
    const b = neg(x());
    const c = neg(b);
    expect(topologicalOrder([c], new Set([b.node]))).toEqual([b.node, c.node]);
  });

  it("hash bytes to 16 hexadecimal digits", () => {
    expect(hashBytes(new Uint8Array())).toMatch(/^[0-9a-f]{16}$/);
    expect(hashBytes(Uint8Array.of(1, 2))).not.toBe(hashBytes(Uint8Array.of(2, 1)));
  });
});
