import { describe, expect, it } from "vitest";
import { DeviceError } from "../errors.js";
import { gradients } from "../gradients.js";
import { structuralHash, topologicalOrder } from "../graph.js";
import { apply, defineOp, type Op } from "../op.js";
import { conv2d } from "../ops/conv.js";
import { add, cast, div, greater, mul, neg, pow, select, sub } from "../ops/elementwise.js";
import { barrier, broadcastTo, reshape, transpose } from "../ops/layout.js";
import { full, input } from "../ops/leaf.js";
import { matmul } from "../ops/matmul.js";
import { evaluate } from "../reference/index.js";
import type { Tensor } from "../tensor.js";
import { withScope } from "../tensor.js";
import { allSamples, graphOf, lossOf, type OpSample } from "../testing/index.js";
import { decompose, fold, optimize, share, uniformValue } from "./index.js";

const all = allSamples().map(({ op, sample }) => [`${op}: ${sample.name}`, sample] as const);
const feedsOf = ({ inputs }: OpSample) => new Map(inputs.map((host, i) => [`x${i}`, host]));
const decomposable = (op: Op): boolean => op.decompose !== undefined;

function expectSame(before: readonly Tensor[], after: readonly Tensor[], sample: OpSample): void {
  const expected = evaluate(before, feedsOf(sample));
  for (const [i, values] of evaluate(after, feedsOf(sample)).entries()) {
    expect([after[i]!.shape, after[i]!.dtype]).toEqual([before[i]!.shape, before[i]!.dtype]);
    const scale = expected[i]!.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
    const same = values.every(
      (v, j) => Object.is(v, expected[i]![j]) || Math.abs(v - expected[i]![j]!) <= 1e-11 * scale,
    );
    expect(same).toBe(true);
  }
}

describe("definitions by other ops equal the reference's own loops", () => {
  const defined = allSamples().filter(({ sample }) =>
    topologicalOrder(graphOf(sample).outputs).some(({ op }) => decomposable(op)),
  );
  it.each(defined.map(({ op, sample }) => [`${op}: ${sample.name}`, sample] as const))("%s", (_, sample) => {
    const { outputs } = graphOf(sample);
    const without = decompose(outputs, (op) => !decomposable(op));
    expect(topologicalOrder(without).some(({ op }) => decomposable(op))).toBe(false);
    expectSame(outputs, without, sample);
  });
});

describe("optimize keeps values, with nothing supported but what has no definition", () => {
  it.each(all)("%s", (_, sample) => {
    const graph = graphOf(sample);
    const loss = lossOf(graph);
    const results = [...graph.outputs, ...(loss === undefined ? [] : gradients(loss, graph.floats))];
    expectSame(results, optimize(results, { supports: (op) => !decomposable(op) }), sample);
    expectSame(results, optimize(results, { supports: () => true }), sample);
  });
});

describe("decompose", () => {
  const x = input("x", { shape: [2], dtype: "float32" });

  it("goes through definitions in definitions, and tags nodes with the place of the op", () => {
    const double = defineOp({ name: "double", infer: ([a]) => a!, vjp: "decompose", decompose: ([a]) => add(a!, a!) });
    const four = defineOp({
      name: "four",
      infer: ([a]) => a!,
      vjp: "decompose",
      decompose: ([a]) => apply(double, [apply(double, [a!])]),
    });
    const y = withScope("block.1", () => apply(four, [x]));
    const [result] = decompose([y], (op) => op !== (four as Op) && op !== (double as Op));
    expect(result!.node.scope).toBe("block.1");
    expect([...evaluate([result!], new Map([["x", Float64Array.of(1, 2)]]))[0]!]).toEqual([4, 8]);
    expect([...evaluate([y], new Map([["x", Float64Array.of(1, 2)]]))[0]!]).toEqual([4, 8]);
  });

  it("names an op that nobody can compute, and one that defines itself", () => {
    const strange = defineOp({ name: "strange", infer: ([a]) => a!, vjp: "nondifferentiable" });
    expect(() => evaluate([apply(strange, [x])])).toThrow(DeviceError);
    expect(() => evaluate([apply(strange, [x])])).toThrow(/strange: the device has no kernel/);
    const loop: Op = defineOp({
      name: "loop",
      infer: ([a]) => a!,
      vjp: "nondifferentiable",
      decompose: ([a]) => apply(loop, [a!]),
    }) as Op;
    expect(() => evaluate([apply(loop, [x])])).toThrow(/nested more than 16 deep/);
  });
});

describe("fold", () => {
  const x = input("x", { shape: [2, 3], dtype: "float32" });
  const n = input("n", { shape: [2, 3], dtype: "int32" });
  const folded = (tensor: Tensor): Tensor => fold([tensor])[0]!;

  it("drops neutral elements", () => {
    for (const y of [add(x, 0), add(0, x), sub(x, 0), mul(x, 1), mul(1, x), div(x, 1), pow(x, 1)])
      expect(folded(y)).toBe(x);
    expect(folded(add(n, 0))).toBe(n);
    expect(folded(mul(x, 0)).node.op.name).toBe("mul");
    expect(folded(sub(0, x)).node.op.name).toBe("sub");
  });

  it("computes what is uniform, and nothing for integers, which wrap", () => {
    const two = full([2, 3], 2);
    expect(uniformValue(folded(neg(add(mul(two, 3), two))))).toBe(-8);
    expect(uniformValue(folded(cast(two, "int32")))).toBe(2);
    expect(uniformValue(folded(cast(two, "bool")))).toBe(1);
    expect(folded(cast(full([2], -1.5), "int32")).node.op.name).toBe("cast");
    expect(folded(add(full([1], 2 ** 31 - 1, "int32"), full([1], 1, "int32"))).node.op.name).toBe("add");
    expect(folded(select(full([2, 3], 1, "bool"), x, 0))).toBe(x);
  });

  it("joins movements in a row", () => {
    expect(folded(reshape(reshape(x, [6]), [2, 3]))).toBe(x);
    expect(folded(transpose(transpose(x, [1, 0]), [1, 0]))).toBe(x);
    const spread = folded(broadcastTo(broadcastTo(input("v", { shape: [3], dtype: "float32" }), [2, 3]), [4, 2, 3]));
    expect(spread.node.inputs[0]!.node.op.name).toBe("input");
    expect(uniformValue(folded(broadcastTo(reshape(full([1], 7), []), [2, 3])))).toBe(7);
  });
});

describe("share", () => {
  const x = input("x", { shape: [2, 2], dtype: "float32" });

  it("computes equal values once, through several levels", () => {
    const [y] = share([add(matmul(neg(x), x), matmul(neg(x), x))]);
    expect(y!.node.inputs[0]).toBe(y!.node.inputs[1]);
    expect(topologicalOrder([y!]).length).toBe(4);
  });

  it("keeps different attributes, different wiring and barriers apart", () => {
    const image = input("i", { shape: [1, 1, 5, 5], dtype: "float32" });
    const w = input("w", { shape: [1, 1, 3, 3], dtype: "float32" });
    const results = share([
      conv2d(image, w, { padding: 1 }),
      conv2d(image, w, { padding: 1, stride: 2 }),
      barrier(image, []),
      barrier(image, []),
      sub(x, neg(x)),
      sub(neg(x), x),
      greater(x, 0),
      greater(0, x),
    ]);
    expect(new Set(results.map(({ node }) => node)).size).toBe(results.length);
  });

  it("shares what lies behind one barrier, not behind two", () => {
    const [a, b] = [barrier(x, []), barrier(x, [])];
    const [p, q, r] = share([neg(a), neg(a), neg(b)]);
    expect(p).toBe(q);
    expect(p).not.toBe(r);
  });

  it("makes two traces of one function hash alike", () => {
    const build = (): Tensor => add(matmul(x, x), neg(matmul(x, x)));
    expect(structuralHash(share([build()]))).toBe(structuralHash(share([build()])));
  });
});
