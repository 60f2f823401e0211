import { describe, expect, it } from "vitest";
import { ArgumentError, DeviceError, DTypeError, ShapeError } from "../errors.js";
import { hostTensor } from "../host.js";
import { apply } from "../op.js";
import { conv2d } from "../ops/conv.js";
import { add, div, erf, mul, relu } from "../ops/elementwise.js";
import { gather, narrow, scatterAdd } from "../ops/layout.js";
import { constant, full, input } from "../ops/leaf.js";
import { matmul } from "../ops/matmul.js";
import { avgPool2d, maxPool2d, maxPool2dArgmaxOp, type PoolAttrs } from "../ops/pool.js";
import { randomBits } from "../ops/random.js";
import { argmax, max } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";
import { hostRandomBits } from "../threefry.js";
import { erf as preciseErf } from "./erf.js";
import { evaluate, prepare, reference } from "./index.js";

const x = (shape: readonly number[]): Tensor => input("x", { shape, dtype: "float32" });
const on = (tensor: Tensor, values: readonly number[]): number[] => [
  ...evaluate([tensor], new Map([["x", Float64Array.from(values)]]))[0]!,
];

describe("the error function", () => {
  // From Mathematica-grade tables (Abramowitz and Stegun 7.1, DLMF 7).
  it.each([
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.9, 0.9999589021219005],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [1e-10, 1.1283791670955126e-10],
  ])("of %d is right to the last places", (at, value) => {
    expect(Math.abs(preciseErf(at) / value - 1)).toBeLessThan(1e-15);
    expect(preciseErf(-at)).toBe(-preciseErf(at));
  });

  it("has its limits, and joins its two formulas smoothly", () => {
    expect([0, 7, -1000, Number.POSITIVE_INFINITY].map(preciseErf)).toEqual([0, 1, -1, 1]);
    expect(preciseErf(Number.NaN)).toBeNaN();
    expect(Math.abs(preciseErf(3 - 1e-15) - preciseErf(3))).toBeLessThan(1e-15);
    expect(on(erf(x([2])), [1, -1])).toEqual([preciseErf(1), -preciseErf(1)]);
  });
});

describe("known results", () => {
  it("convolution: a cross-correlation, by hand", () => {
    const w = constant(hostTensor([1, 0, 0, 2], [1, 1, 2, 2]));
    expect(on(conv2d(x([1, 1, 2, 3]), w), [1, 2, 3, 4, 5, 6])).toEqual([11, 14]);
    expect(on(conv2d(x([1, 1, 2, 3]), w, { padding: [1, 0, 0, 0], stride: [1, 2] }), [1, 2, 3, 4, 5, 6])).toEqual([
      4, 11,
    ]);
  });

  it("maximum pooling: padding never wins, the first maximum does, NaN passes through", () => {
    expect(on(maxPool2d(x([1, 1, 1, 3]), { kernelSize: [1, 3], stride: 1, padding: [0, 1] }), [-5, -7, -6])).toEqual([
      -5, -5, -6,
    ]);
    const attrs: PoolAttrs = {
      kernel: [1, 2],
      stride: [1, 1],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      ceilMode: false,
    };
    expect(on(apply(maxPool2dArgmaxOp, [x([1, 2, 1, 2])], attrs), [3, 3, 1, 2])).toEqual([0, 3]);
    expect(on(maxPool2d(x([1, 1, 1, 4]), { kernelSize: [1, 2] }), [1, Number.NaN, 2, 3])).toEqual([Number.NaN, 3]);
  });

  it("average pooling: counts as PyTorch does", () => {
    const image = [1, 2, 3, 4, 5];
    const pooled = (options: object): number[] =>
      on(avgPool2d(x([1, 1, 1, 5]), { kernelSize: [1, 3], stride: [1, 2], ...options }), image);
    expect(pooled({ padding: [0, 1] })).toEqual([1, 3, 3]);
    expect(pooled({ padding: [0, 1], countIncludePad: false })).toEqual([1.5, 3, 4.5]);
    // The third window, at 3..5 and one beyond: what is beyond the padding is not counted.
    expect(
      on(avgPool2d(x([1, 1, 1, 6]), { kernelSize: [1, 3], stride: [1, 2], ceilMode: true }), [...image, 6]),
    ).toEqual([2, 4, 5.5]);
  });

  it("maxima: the first of equals, NaN above all", () => {
    expect(on(argmax(x([4])), [1, 3, 3, 2])).toEqual([1]);
    expect(on(argmax(x([3])), [1, Number.NaN, Number.POSITIVE_INFINITY])).toEqual([1]);
    expect(on(max(x([3])), [1, Number.NaN, 5])).toEqual([Number.NaN]);
    expect(on(relu(x([2])), [Number.NaN, -1])).toEqual([Number.NaN, 0]);
  });

  it("integers wrap at 32 bits", () => {
    const int = (values: number[]): Tensor => constant(hostTensor(values, [2], "int32"));
    const word = (values: number[]): Tensor => constant(hostTensor(values, [2], "uint32"));
    const large = int([2 ** 31 - 1, 65537]);
    const results = evaluate([
      add(large, int([1, 2])),
      mul(large, large),
      mul(word([2 ** 32 - 1, 5]), word([3, 7])),
      add(word([2 ** 32 - 1, 1]), 1),
    ]);
    expect(results.map((values) => [...values])).toEqual([
      [-(2 ** 31), 65539],
      [1, 131073],
      [2 ** 32 - 3, 35],
      [0, 2],
    ]);
  });

  it("random bits are those of the host", () => {
    const key = constant(hostTensor([7, 9], [2], "uint32"));
    expect([...evaluate([randomBits(key, [3, 3], 4)])[0]!]).toEqual([...hostRandomBits([7, 9], 9, 4)]);
  });

  it("sums over nothing are 0", () => {
    expect(on(matmul(x([2, 0]), full([0, 2], 1)), [])).toEqual([0, 0, 0, 0]);
  });
});

describe("evaluate", () => {
  it("computes in float64, or rounds every result to its dtype", async () => {
    const third = div(full([], 1), 3);
    expect(evaluate([third])[0]![0]).toBe(1 / 3);
    expect(evaluate([third], undefined, { precision: "float32" })[0]![0]).toBe(Math.fround(1 / 3));
    const half = div(full([], 1, "float16"), 3);
    expect(evaluate([half], undefined, { precision: "float32" })[0]![0]).toBe(0.333251953125);
    await using device = await reference();
    expect((await device.run([third]))[0]!.data).toEqual(Float32Array.of(1 / 3));
  });

  it("walks 100,000 nodes, and runs again on other values", () => {
    let y = x([1]);
    for (let i = 0; i < 100_000; i++) y = add(y, 1);
    const evaluation = prepare([y]);
    for (const start of [0, 5])
      expect(evaluation.run(new Map([["x", Float64Array.of(start)]]))[0]![0]).toBe(start + 100_000);
  }, 60_000);

  it("releases what nothing reads any more", () => {
    // 400 tensors of 8 MB each would be 3.2 GB.
    const parts = Array.from({ length: 400 }, (_, i) => narrow(full([1_000_000], i), 0, 0, 1));
    const total = parts.reduce((sum, part) => add(sum, part));
    const before = process.memoryUsage().arrayBuffers;
    expect(evaluate([total])[0]![0]).toBe((399 * 400) / 2);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2e9);
  }, 60_000);

  it("says which feed is missing or does not fit", () => {
    const y = add(x([2]), 1);
    expect(() => evaluate([y], new Map([["z", Float64Array.of(1)]]))).toThrow(ArgumentError);
    expect(() => evaluate([y], new Map([["z", Float64Array.of(1)]]))).toThrow(
      "input x (float32[2]) is not fed; fed are: z",
    );
    expect(() => evaluate([y], new Map([["x", Float64Array.of(1)]]))).toThrow(ShapeError);
    expect(() => evaluate([y], new Map([["x", hostTensor([1], [1])]]))).toThrow(
      "evaluate: input x is float32[1]; the graph needs float32[2]",
    );
    expect(() => evaluate([y], new Map([["x", hostTensor([1, 2], [2], "int32")]]))).toThrow(DTypeError);
  });

  it("refuses indices out of range", () => {
    const indices = input("i", { shape: [1], dtype: "int32" });
    const feeds = (index: number) =>
      new Map([
        ["x", Float64Array.of(1, 2)],
        ["i", Float64Array.of(index)],
      ]);
    expect(() => evaluate([gather(x([2]), indices)], feeds(2))).toThrow(DeviceError);
    expect(() => evaluate([scatterAdd(x([2]), indices, full([1], 1))], feeds(-1))).toThrow(
      "scatterAdd: index -1 does not lie in 0..1",
    );
  });
});
