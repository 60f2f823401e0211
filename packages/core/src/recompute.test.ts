import { describe, expect, it } from "vitest";
import { GradientError } from "./errors.js";
import { gradients } from "./gradients.js";
import { structuralHash, topologicalOrder } from "./graph.js";
import { peakBytes } from "./liveness.js";
import { conv2d } from "./ops/conv.js";
import { add, exp, greaterEqual, mul, neg, relu, select, sin, tanh } from "./ops/elementwise.js";
import { primitives } from "./ops/index.js";
import { reshape } from "./ops/layout.js";
import { full, input } from "./ops/leaf.js";
import { matmul } from "./ops/matmul.js";
import { batchNormInference, batchNormTrain } from "./ops/norm.js";
import { maxPool2d } from "./ops/pool.js";
import { randomUniform } from "./ops/random.js";
import { mean, sum } from "./ops/reduce.js";
import { optimize } from "./passes/index.js";
import { recompute } from "./recompute.js";
import { evaluate } from "./reference/index.js";
import type { Tensor } from "./tensor.js";
import { hooks } from "./tensor.js";

type Wrap = <T>(fn: () => T) => T;
const plainly: Wrap = (fn) => fn();

const vector = (name = "x", length = 4): Tensor => input(name, { shape: [length], dtype: "float32" });
const compiled = (outputs: readonly Tensor[]): Tensor[] =>
  optimize(outputs, { supports: (op) => Object.values<unknown>(primitives).includes(op) });
const count = (outputs: readonly Tensor[], name: string): number =>
  topologicalOrder(compiled(outputs)).filter(({ op }) => op.name === name).length;
const feedsOf = (tensors: readonly Tensor[]): Map<string, Float64Array> =>
  new Map(
    topologicalOrder(tensors).flatMap(({ op, attrs, outputs }) => {
      if (op.name !== "input") return [];
      const size = (outputs[0] as Tensor).shape.reduce((a, b) => a * b, 1);
      const { name } = attrs as { name: string };
      const values = Float64Array.from({ length: size }, (_, i) =>
        name === "key" ? i + 7 : Math.sin(3 * i + name.length),
      );
      return [[name, values]];
    }),
  );
const valuesOf = (tensors: readonly Tensor[]): number[][] =>
  evaluate(compiled(tensors), feedsOf(tensors)).map((values) => [...values]);

/** Loss and gradients of a small network whose middle runs in `wrap`. */
function network(wrap: Wrap): Tensor[] {
  const spec = (name: string, shape: readonly number[]): Tensor => input(name, { shape, dtype: "float32" });
  const x = spec("x", [2, 3, 6, 5]);
  const [w1, w2, w3] = [spec("w1", [4, 3, 3, 3]), spec("w2", [4, 4, 3, 3]), spec("w3", [4, 7])];
  const [gain, shift, key] = [spec("gain", [4]), spec("shift", [4]), input("key", { shape: [2], dtype: "uint32" })];
  const middle = wrap(() => {
    const y = conv2d(relu(conv2d(x, w1, { padding: 1 })), w2, { padding: 1 });
    const { output, mean: m, variance } = batchNormTrain(y, gain, shift);
    const kept = greaterEqual(randomUniform(key, output.shape, 3), 0.4);
    const dropped = select(kept, mul(relu(output), 2), 0);
    return batchNormInference(maxPool2d(dropped, { kernelSize: 2 }), gain, shift, m, exp(variance));
  });
  const loss = sum(tanh(matmul(mean(middle, { axes: [2, 3] }), w3)));
  return [loss, ...gradients(loss, [w3, shift, gain, w2, w1, x])];
}

/** A chain of layers, `wrap` around each: the loss, and gradients of the last layer first. */
function chainOf(wraps: readonly Wrap[]): Tensor[] {
  const weights = wraps.map((_, i) => vector(`w${i}`, 256));
  let y: Tensor = vector("x", 256);
  for (const [i, wrap] of wraps.entries()) {
    const from = y;
    y = wrap(() => tanh(sin(mul(exp(neg(from)), weights[i] as Tensor))));
  }
  const loss = sum(y);
  return [loss, ...gradients(loss, [...weights].reverse())];
}

describe("recompute", () => {
  it("changes no value and no gradient, not by a bit: convolutions, statistics, random numbers, definitions", () => {
    const [plain, twice] = [network(plainly), network(recompute)];
    expect(structuralHash(compiled(twice.slice(0, 1)))).toBe(structuralHash(compiled(plain.slice(0, 1))));
    expect(structuralHash(compiled(twice))).not.toBe(structuralHash(compiled(plain)));
    expect(valuesOf(twice)).toEqual(valuesOf(plain));
  });

  it("computes what is inside twice, also what reads leaves alone, and what is outside once", () => {
    const [plain, twice] = [network(plainly), network(recompute)];
    for (const name of ["conv2d", "batchNormTrain", "randomBits", "maxPool2d"]) {
      expect(count(twice, name) - count(plain, name), name).toBe(name === "conv2d" ? 2 : 1);
    }
    expect(count(twice, "tanh")).toBe(count(plain, "tanh"));
  });

  it("puts no barrier before weights", () => {
    const behind = topologicalOrder(network(recompute)).filter(({ op }) => op.name === "barrier");
    const names = behind.map(({ inputs: [x] }) => (x as Tensor).node.attrs.name as string | undefined).sort();
    expect(names).toEqual(["key", "x"]);
  });

  it("keeps what enters each call alone: a chain's peak falls, and no layer is computed three times", () => {
    const count16 = Array.from({ length: 16 });
    const [plain, twice] = [chainOf(count16.map(() => plainly)), chainOf(count16.map(() => recompute))];
    expect(valuesOf(twice)).toEqual(valuesOf(plain));
    for (const name of ["exp", "mul", "sin"]) expect(count(twice.slice(0, 1), name)).toBe(16);
    expect(count(twice, "exp")).toBe(32);
    // Rules read exp, mul and tanh: 48 KiB of 16 layers. With: one tensor a layer, each gone when its gradient, an output, is there.
    expect(peakBytes(compiled(plain))).toBeGreaterThan(48 * 1024);
    expect(peakBytes(compiled(twice))).toBeLessThan(24 * 1024);
  });

  it("in nested calls computes a third time, and peaks lower than the outer call alone", () => {
    const layers = Array.from({ length: 16 }, (_, i) => i);
    const build = (inner: Wrap): Tensor[] => {
      const weights = layers.map((i) => vector(`w${i}`, 256));
      const loss = recompute(() => {
        let y: Tensor = vector("x", 256);
        for (const first of [0, 4, 8, 12]) {
          const from = y;
          y = inner(() => weights.slice(first, first + 4).reduce((z, w) => tanh(mul(sin(z), w)), from));
        }
        return sum(y);
      });
      return [loss, ...gradients(loss, [...weights].reverse())];
    };
    const [outer, both] = [build(plainly), build(recompute)];
    expect(valuesOf(both)).toEqual(valuesOf(outer));
    expect(count(outer, "sin")).toBe(32);
    // The last group is not needed in the outer copy: nothing reads it but the inner one's.
    expect(count(both, "sin")).toBe(16 + 12 + 16);
    expect(peakBytes(compiled(both))).toBeLessThan(0.7 * peakBytes(compiled(outer)));
  });

  it("gives second derivatives, and may hold gradients itself", () => {
    const second = (wrap: Wrap): Tensor[] => {
      const x = vector();
      const y = wrap(() => mul(tanh(x), exp(x)));
      const [dx] = gradients(sum(y), [x]);
      return [dx!, ...gradients(sum(mul(dx!, dx!)), [x])];
    };
    expect(valuesOf(second(recompute))).toEqual(valuesOf(second(plainly)));
    const inside = (wrap: Wrap): Tensor[] => {
      const x = vector();
      const slope = wrap(() => gradients(sum(wrap(() => tanh(mul(x, exp(x))))), [x])[0] as Tensor);
      return [slope, ...gradients(sum(slope), [x])];
    };
    expect(valuesOf(inside(recompute))).toEqual(valuesOf(inside(plainly)));
  });

  it("lets two losses be differentiated apart", () => {
    const x = vector();
    const y = recompute(() => exp(sin(x)));
    const [a, b] = [gradients(sum(y), [x])[0]!, gradients(sum(mul(y, y)), [x])[0]!];
    const reaches = (root: Tensor): number => topologicalOrder([root]).filter(({ op }) => op.name === "barrier").length;
    expect([reaches(a), reaches(b)]).toEqual([1, 1]);
    // Nothing reads the forward one.
    expect(count([a, b], "exp")).toBe(2);
  });

  it("waits for the gradient that first reads a value, not for one whose rule looks at shapes", () => {
    const x = vector();
    const y = recompute(() => exp(sin(x)));
    // Of the sum, the gradient is there at once; what goes on at y waits for that of tanh.
    const [dx] = gradients(sum(add(y, tanh(neg(y)))), [x]);
    const [barrier] = topologicalOrder([dx!]).filter(({ op }) => op.name === "barrier");
    const names = topologicalOrder(barrier!.inputs.slice(1)).map(({ op }) => op.name);
    expect(names).toContain("tanh");
  });

  it("leaves alone what has no memory of its own: constants, views of leaves", () => {
    const x = vector();
    const [dx] = gradients(
      recompute(() => sum(mul(sin(reshape(x, [2, 2])), add(full([2, 2], 2), full([2, 2], 1))))),
      [x],
    );
    expect(count([dx!], "reshape")).toBe(2);
    expect(valuesOf([dx!])[0]).toEqual([...feedsOf([x]).get("x")!].map((v) => 3 * Math.cos(v)));
  });

  it("walks a chain of 100,000 nodes, in one call and in many", () => {
    const x = vector("x", 1);
    let y = recompute(() => {
      let z = x;
      for (let i = 0; i < 50_000; i++) z = relu(z);
      return z;
    });
    for (let i = 0; i < 25_000; i++) {
      const from = y;
      y = recompute(() => neg(neg(from)));
    }
    const [dx] = gradients(sum(y), [x]);
    expect(evaluate([dx!], new Map([["x", Float64Array.of(2)]]))[0]![0]).toBe(1);
  }, 60_000);

  it("ends when `fn` throws, and marks nothing afterwards", () => {
    const x = vector();
    expect(() => recompute(() => gradients(full([], 1, "int32"), [x]))).toThrow(GradientError);
    expect(hooks.made).toBeUndefined();
    const [dx] = gradients(sum(exp(x)), [x]);
    expect(topologicalOrder([dx!]).some(({ op }) => op.name === "barrier")).toBe(false);
  });
});
