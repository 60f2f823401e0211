import { describe, expect, it } from "vitest";
import { GradientError, ShapeError } from "./errors.js";
import { gradients } from "./gradients.js";
import { structuralHash, topologicalOrder } from "./graph.js";
import { apply, applyAll, defineOp } from "./op.js";
import { conv2d } from "./ops/conv.js";
import { add, cast, exp, floor, mul, neg, pow, relu, select, sub, tanh } from "./ops/elementwise.js";
import { type PrimitiveName, primitives } from "./ops/index.js";
import { broadcastTo, reshape } from "./ops/layout.js";
import { full, input } from "./ops/leaf.js";
import { matmul } from "./ops/matmul.js";
import { mean, sum } from "./ops/reduce.js";
import { evaluate } from "./reference/index.js";
import type { Tensor } from "./tensor.js";
import { withScope } from "./tensor.js";
import { checkGradient, graphOf, lossOf, samples } from "./testing/index.js";

const vector = (name = "x", length = 3): Tensor => input(name, { shape: [length], dtype: "float32" });
const at = (tensors: readonly Tensor[], feeds: Record<string, number[]>): number[][] =>
  evaluate(tensors, new Map(Object.entries(feeds).map(([name, values]) => [name, Float64Array.from(values)]))).map(
    (values) => [...values],
  );

describe("gradients", () => {
  it("walks a chain of 100,000 nodes: build, differentiate, hash, evaluate", () => {
    const x = vector("x", 1);
    let y = x;
    for (let i = 0; i < 25_000; i++) y = neg(mul(y, x));
    for (let i = 0; i < 50_000; i++) y = relu(y);
    const [dx] = gradients(sum(y), [x]);
    expect(structuralHash([dx!])).toMatch(/^[0-9a-f]{16}$/);
    expect(at([dx!], { x: [1] })).toEqual([[25_001]]);
  }, 60_000);

  it("adds up over fan-out, and over one tensor at several inputs of one op", () => {
    const x = vector();
    const [dx] = gradients(sum(add(mul(x, x), add(x, mul(x, neg(x))))), [x]);
    expect(at([dx!], { x: [1, 2, 3] })).toEqual([[1, 1, 1]]);
    const m = input("m", { shape: [2, 2], dtype: "float32" });
    const [dm] = gradients(sum(matmul(m, m)), [m]);
    // d(sum M M) = J M^T + M^T J
    expect(at([dm!], { m: [1, 2, 3, 4] })).toEqual([[7, 11, 9, 13]]);
  });

  it("gives zeros for targets that the loss does not reach, or reaches only where it is flat", () => {
    const [x, y, z] = [vector("x"), vector("y", 2), vector("z")];
    const [dx, dy, dz] = gradients(add(sum(x), sum(floor(z))), [x, y, z]);
    expect(at([dx!, dy!, dz!], { x: [1, 2, 3] })).toEqual([
      [1, 1, 1],
      [0, 0],
      [0, 0, 0],
    ]);
  });

  it("takes the loss itself, an inner tensor, and one tensor twice as targets", () => {
    const x = vector();
    const y = mul(x, 2);
    const loss = sum(mul(y, y));
    const [dLoss, dy, dx, again] = gradients(loss, [loss, y, x, x]);
    expect(at([dLoss!, dy!, dx!], { x: [1, 2, 3] })).toEqual([[1], [4, 8, 12], [8, 16, 24]]);
    expect(again).toBe(dx);
  });

  it("starts from a seed when one is given", () => {
    const [x, seed] = [vector(), vector("seed")];
    const [dx] = gradients(exp(x), [x], seed);
    expect(at([dx!], { x: [0, 0, 0], seed: [1, 2, 3] })).toEqual([[1, 2, 3]]);
  });

  it("differentiates its own results: tanh, and a convolution's three kernels", () => {
    const x = vector("x", 1);
    const [d1] = gradients(sum(tanh(x)), [x]);
    const [d2] = gradients(sum(d1!), [x]);
    const [d3] = gradients(sum(d2!), [x]);
    const t = Math.tanh(0.3);
    const values = at([d1!, d2!, d3!], { x: [0.3] }).flat();
    for (const [i, expected] of [1 - t * t, -2 * t * (1 - t * t), (1 - t * t) * (6 * t * t - 2)].entries()) {
      expect(values[i]).toBeCloseTo(expected, 12);
    }
    for (const name of ["conv2d", "conv2dInputGrad", "conv2dWeightGrad"] as const) {
      expect(checkGradient(samples[name][0]!, { order: 2 }).compared).toBeGreaterThan(10);
    }
  });

  it("never leaks a NaN from the branch that select does not take", () => {
    const [x, e] = [vector("x", 2), vector("e", 2)];
    const condition = cast(full([2], 1), "bool");
    const [dx] = gradients(sum(select(condition, x, Number.NaN)), [x]);
    const [, de] = gradients(sum(pow(x, e)), [x, e]);
    expect(at([dx!, de!], { x: [-1, 0], e: [2, 2] })).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  it("tags the nodes of a gradient with the place of what they differentiate", () => {
    const x = vector();
    const y = withScope("layer1", () => exp(x));
    const [dx] = gradients(sum(y), [x]);
    expect(dx!.node.scope).toBe("layer1");
  });

  it("refuses what has no gradient, in words", () => {
    const x = vector();
    const n = input("n", { shape: [3], dtype: "int32" });
    expect(() => gradients(x, [x])).toThrow(ShapeError);
    expect(() => gradients(x, [x])).toThrow(
      "gradients: the loss has shape [3]; it needs one element. Reduce it (mean, sum) or give a seed.",
    );
    expect(() => gradients(sum(x), [n])).toThrow(
      new GradientError("gradients: a target is int32[3]; only float tensors have gradients"),
    );
    expect(() => gradients(sum(n), [x])).toThrow(GradientError);
    expect(() => gradients(x, [x], vector("seed", 2))).toThrow(ShapeError);
    const opaque = defineOp({ name: "opaque", infer: ([a]) => a!, vjp: "decompose" });
    expect(() => gradients(sum(apply(opaque, [x])), [x])).toThrow(
      new GradientError("opaque: has neither a gradient rule nor a definition by other ops"),
    );
    const short = defineOp({ name: "short", infer: ([a]) => a!, vjp: () => [] });
    expect(() => gradients(sum(apply(short, [x])), [x])).toThrow(
      "short: its gradient rule returned 0 gradients for 1 inputs",
    );
    const wide = defineOp({ name: "wide", infer: ([a]) => a!, vjp: () => [full([2], 1)] });
    expect(() => gradients(sum(apply(wide, [x])), [x])).toThrow(
      "wide: its gradient rule returned float32[2] for input 0, which is float32[3]",
    );
  });
});

describe("gradients through definitions", () => {
  const product = defineOp({
    name: "product",
    infer: ([a]) => a!,
    vjp: "decompose",
    decompose: ([a, b]) => mul(a!, b!),
  });

  it("counts a path once when one input depends on another", () => {
    const x = vector();
    const [direct] = gradients(sum(mul(x, relu(x))), [x]);
    const [defined] = gradients(sum(apply(product, [x, relu(x)])), [x]);
    const [squared] = gradients(sum(apply(product, [x, x])), [x]);
    expect(at([direct!, defined!, squared!], { x: [-1, 2, 3] })).toEqual([
      [0, 4, 6],
      [0, 4, 6],
      [-2, 4, 6],
    ]);
  });

  it("works on an inner tensor that is the input, and for definitions that return an input", () => {
    const same = defineOp({ name: "same", infer: ([a]) => a!, vjp: "decompose", decompose: ([a]) => a! });
    const x = vector();
    const h = mul(x, 3);
    const [dh, dx] = gradients(sum(apply(same, [h])), [h, x]);
    expect(at([dh!, dx!], { x: [1, 2, 3] })).toEqual([
      [1, 1, 1],
      [3, 3, 3],
    ]);
  });

  it("adds the gradients of several outputs, and skips outputs that nothing reads", () => {
    const both = defineOp({
      name: "both",
      infer: ([a]) => [a!, a!],
      vjp: "decompose",
      decompose: ([a]) => [mul(a!, a!), mul(a!, 5)],
    });
    const x = vector();
    const [square, five] = applyAll(both, [x]) as [Tensor, Tensor];
    const [all] = gradients(sum(add(square, five)), [x]);
    const [only] = gradients(sum(five), [x]);
    expect(at([all!, only!], { x: [1, 2, 3] })).toEqual([
      [7, 9, 11],
      [5, 5, 5],
    ]);
  });

  it("gives a user's op with a rule of its own both orders", () => {
    const cube = defineOp({
      name: "cube",
      infer: ([x]) => x!,
      vjp: ({ dy, inputs: [x] }) => [mul(dy, mul(3, mul(x!, x!)))],
      decompose: ([x]) => mul(x!, mul(x!, x!)),
    });
    const x = vector();
    const [dx] = gradients(sum(apply(cube, [x])), [x]);
    const [ddx] = gradients(sum(dx!), [x]);
    expect(at([dx!, ddx!], { x: [1, 2, 3] })).toEqual([
      [3, 12, 27],
      [6, 12, 18],
    ]);
  });
});

describe("second order", () => {
  /** Ops whose gradient cannot be differentiated again. None so far; whoever adds one says so here. */
  const refused: readonly PrimitiveName[] = [];

  it("exists for every op but those listed", () => {
    const failing = (Object.keys(primitives) as PrimitiveName[]).filter((name) => {
      try {
        for (const sample of samples[name]) {
          const graph = graphOf(sample);
          const loss = lossOf(graph, 2);
          if (loss !== undefined) gradients(loss, graph.floats);
        }
        return false;
      } catch {
        return true;
      }
    });
    expect(failing).toEqual(refused);
  });

  it("keeps the graph of a gradient small: nothing is built for what no target reaches", () => {
    const [x, w] = [
      input("x", { shape: [1, 1, 5, 5], dtype: "float32" }),
      input("w", { shape: [1, 1, 3, 3], dtype: "float32" }),
    ];
    const [dw] = gradients(mean(conv2d(x, w)), [w]);
    expect(topologicalOrder([dw!]).map(({ op }) => op.name)).not.toContain("conv2dInputGrad");
  });

  it("reduces over what broadcasting repeated", () => {
    const b = vector("b", 2);
    const [db] = gradients(sum(mul(broadcastTo(reshape(b, [2, 1]), [3, 2, 4]), sub(full([3, 2, 4], 3), 1))), [b]);
    expect(at([db!], { b: [0, 0] })).toEqual([[24, 24]]);
  });
});
