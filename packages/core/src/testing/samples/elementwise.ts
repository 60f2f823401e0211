import { type DType, dtypes } from "../../dtype.js";
import type { HostTensor } from "../../host.js";
import type { Op } from "../../op.js";
import * as ops from "../../ops/elementwise.js";
import { pow } from "../../ops/elementwise.js";
import type { Shape } from "../../shape.js";
import {
  applied,
  awayFromZero,
  distinct,
  exactly,
  integers,
  type OpSample,
  type Range,
  type SampleOptions,
  sample,
  uniform,
} from "./sample.js";

const shapes: readonly Shape[] = [[], [1], [0, 3], [2, 3, 5], [2, 1, 3, 1, 2], [7, 11]];
const nonfinite: SampleOptions = { tags: ["nonfinite"] };

/** Samples of every rank, float16 among them. */
function unary(op: Op, data: typeof uniform, range: Range = {}, options: SampleOptions = {}): OpSample[] {
  const plain = shapes.map((shape) => sample(`float32[${shape}]`, [data(shape, range)], applied(op), options));
  return [...plain, sample("float16[2,5]", [data([2, 5], { ...range, dtype: "float16" })], applied(op))];
}

function at(op: Op, name: string, values: readonly number[], options: SampleOptions = {}): OpSample {
  return sample(name, [exactly(values)], applied(op), { differentiable: false, ...options });
}

const wholeNumbers = (op: Op): OpSample =>
  sample("int32", [exactly([-(2 ** 31) + 1, -7, -1, 0, 1, 7, 2 ** 31 - 1], [7], "int32")], applied(op));

const unarySamples = {
  neg: [...unary(ops.negOp, uniform), wholeNumbers(ops.negOp)],
  abs: [...unary(ops.absOp, awayFromZero), at(ops.absOp, "zero", [0, -0, 1]), wholeNumbers(ops.absOp)],
  sign: [...unary(ops.signOp, awayFromZero), at(ops.signOp, "zero", [0, -1e-30, 1e30]), wholeNumbers(ops.signOp)],
  floor: [
    ...unary(ops.floorOp, uniform, { low: 2.1, high: 2.9 }),
    at(ops.floorOp, "whole numbers and negatives", [-2.5, -2, -0.1, 0, 0.9, 3, 1e6 + 0.5]),
  ],
  exp: [
    ...unary(ops.expOp, uniform, { low: -2, high: 2 }),
    at(ops.expOp, "underflow", [-100, -1000, -15, -12], { scale: 1e-6, tolerance: 1e-4 }),
    at(ops.expOp, "large", [10, 40, 80], { tolerance: 1e-4 }),
    at(ops.expOp, "overflow", [1000, 0, -1000], nonfinite),
  ],
  log: [
    ...unary(ops.logOp, uniform, { low: 0.2, high: 4 }),
    at(ops.logOp, "all magnitudes", [1e-30, 1e-10, 1e-3, 1, 1e10, 1e30]),
    at(ops.logOp, "near 1", [0.999, 1.001, 1.01], { tolerance: 1e-4 }),
    at(ops.logOp, "out of the domain", [0, -1, 1], nonfinite),
  ],
  sqrt: [
    ...unary(ops.sqrtOp, uniform, { low: 0.2, high: 4 }),
    at(ops.sqrtOp, "large", [1e10, 1e20, 1e30]),
    at(ops.sqrtOp, "small", [1e-20, 1e-12], { scale: 1e-12 }),
    at(ops.sqrtOp, "zero and negative", [0, -1, 4], nonfinite),
  ],
  sin: [
    ...unary(ops.sinOp, uniform, { low: -3, high: 3 }),
    at(ops.sinOp, "many turns", [-20, -10, 10, 20], { tolerance: 1e-4 }),
  ],
  cos: [
    ...unary(ops.cosOp, uniform, { low: -3, high: 3 }),
    at(ops.cosOp, "many turns", [-20, -10, 10, 20], { tolerance: 1e-4 }),
  ],
  tanh: [
    ...unary(ops.tanhOp, uniform, { low: -2, high: 2 }),
    sample("saturated", [exactly([-1000, -100, -20, 0, 20, 100, 1000])], applied(ops.tanhOp)),
    at(ops.tanhOp, "small", [1e-3, -1e-3, 1e-4], { scale: 1e-3, tolerance: 2e-4 }),
  ],
  sigmoid: [
    ...unary(ops.sigmoidOp, uniform, { low: -2, high: 2 }),
    sample("saturated", [exactly([-1000, -100, -50, 0, 50, 100, 1000])], applied(ops.sigmoidOp)),
    at(ops.sigmoidOp, "small results", [-12, -15, -20], { scale: 1e-6, tolerance: 1e-4 }),
  ],
  erf: [
    ...unary(ops.erfOp, uniform, { low: -2, high: 2 }),
    sample("saturated", [exactly([-100, -7, -4, 0, 4, 7, 100])], applied(ops.erfOp)),
    at(ops.erfOp, "small", [1e-3, -1e-3, 1e-4], { scale: 1e-3, tolerance: 2e-4 }),
  ],
  relu: [
    ...unary(ops.reluOp, awayFromZero),
    at(ops.reluOp, "zero", [0, -0, 1e-30, -1e-30]),
    at(ops.reluOp, "nonfinite", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], nonfinite),
  ],
};

const second: Range = { seed: 2 };

function binary(op: Op, data: typeof uniform, a: Range = {}, b: Range = {}): OpSample[] {
  const pair = (shape: Shape, extra: Range = {}) => [
    data(shape, { ...a, ...extra }),
    data(shape, { ...b, ...second, ...extra }),
  ];
  return [
    ...shapes.map((shape) => sample(`float32[${shape}]`, pair(shape), applied(op))),
    sample("float16[2,5]", pair([2, 5], { dtype: "float16" }), applied(op)),
  ];
}

/** 32-bit integers, with operands whose results wrap. */
function integerPairs(op: Op): OpSample[] {
  const large = [2 ** 31 - 1, -(2 ** 31), 65537, -65537, 0, 5];
  const unsigned = [2 ** 32 - 1, 0, 65537, 2 ** 31, 3, 5];
  return [
    sample("int32", [integers([3, 4]), integers([3, 4], second)], applied(op)),
    sample("int32 wraps", [exactly(large, [6], "int32"), exactly([...large].reverse(), [6], "int32")], applied(op)),
    sample(
      "uint32 wraps",
      [exactly(unsigned, [6], "uint32"), exactly([...unsigned].reverse(), [6], "uint32")],
      applied(op),
    ),
  ];
}

const tied = (op: Op): OpSample =>
  sample("ties", [exactly([1, 2, 3, -1]), exactly([1, 5, 3, -2])], applied(op), { differentiable: false });

const broadcasting = (join: typeof ops.add): OpSample =>
  sample(
    "broadcasts ranks 0 to 5",
    [awayFromZero([2, 1, 3, 1, 2]), awayFromZero([4, 1], second), awayFromZero([], { seed: 3 })],
    (x) => join(join(x[0]!, x[1]!), x[2]!),
  );

const binarySamples = {
  add: [...binary(ops.addOp, uniform), ...integerPairs(ops.addOp), broadcasting(ops.add)],
  sub: [...binary(ops.subOp, uniform), ...integerPairs(ops.subOp)],
  mul: [...binary(ops.mulOp, uniform), ...integerPairs(ops.mulOp), broadcasting(ops.mul)],
  div: [
    ...binary(ops.divOp, awayFromZero, {}, { low: -3, high: 3 }),
    broadcasting(ops.div),
    sample("by zero", [exactly([1, -1, 0]), exactly([0, 0, 0])], applied(ops.divOp), nonfinite),
  ],
  pow: [
    ...binary(ops.powOp, uniform, { low: 0.3, high: 3 }, { low: -2, high: 2 }),
    sample("negative base, whole exponent", [awayFromZero([3, 4], { low: -2, high: 2 })], ([x]) => [
      pow(x!, 2),
      pow(x!, 3),
      pow(x!, -1),
    ]),
    sample("zero base", [exactly([0, 0, 2])], ([x]) => pow(x!, 2), { differentiable: false }),
    sample("zero exponent", [exactly([0, -2, 5]), exactly([0, 0, 0])], applied(ops.powOp), { differentiable: false }),
  ],
  maximum: [...binary(ops.maximumOp, distinctPair), ...integerPairs(ops.maximumOp), tied(ops.maximumOp)],
  minimum: [...binary(ops.minimumOp, distinctPair), ...integerPairs(ops.minimumOp), tied(ops.minimumOp)],
  reluGrad: [
    ...binary(ops.reluGradOp, awayFromZero),
    sample("zero", [exactly([1, 2, 3]), exactly([0, -0, 1])], applied(ops.reluGradOp), { differentiable: false }),
  ],
};

/** Two tensors drawn with different seeds never tie: one lies on multiples of 1/16, the other in between. */
function distinctPair(shape: Shape, { seed = 1, dtype = "float32" }: Range = {}): ReturnType<typeof uniform> {
  const { data } = distinct(shape, { seed });
  return exactly(
    [...data].map((v) => v + (seed === 1 ? 0 : 1 / 32)),
    shape,
    dtype,
  );
}

function comparison(op: Op, kinds: readonly DType[]): OpSample[] {
  return [
    ...kinds.map((dtype) => {
      const range: Range = {
        low: dtype === "bool" || dtype.startsWith("u") ? 0 : -2,
        high: dtype === "bool" ? 1 : 2,
        dtype,
      };
      return sample(dtype, [integers([4, 5], range), integers([4, 5], { ...range, seed: 2 })], applied(op));
    }),
    sample(
      "large uint32",
      [exactly([2 ** 32 - 1, 1, 2 ** 31], [3], "uint32"), exactly([1, 2 ** 32 - 1, 2 ** 31], [3], "uint32")],
      applied(op),
    ),
    sample("rank 0", [exactly([1], []), exactly([1], [])], applied(op)),
    sample("no elements", [uniform([0, 2]), uniform([0, 2])], applied(op)),
    sample("NaN", [exactly([Number.NaN, 1, Number.NaN]), exactly([Number.NaN, Number.NaN, 1])], applied(op), nonfinite),
  ];
}

const numeric = dtypes.filter((dtype) => dtype !== "bool");

const selectSamples = dtypes.map((dtype) => {
  const range: Range = { low: 0, high: dtype === "bool" ? 1 : 9, dtype };
  const condition = integers([3, 5], { low: 0, high: 1, seed: 3, dtype: "bool" });
  return sample(
    dtype,
    [condition, integers([3, 5], range), integers([3, 5], { ...range, seed: 2 })],
    applied(ops.selectOp),
  );
});

/** Numbers that `from` and `to` can both hold, and fractions to truncate. */
function castSample(from: DType, to: DType): OpSample {
  const floats = [0, 0.75, 1.5, 2.99, 100, 127];
  const signed = to.startsWith("u") ? floats : [...floats, -0.5, -1.75, -100];
  const whole = signed.map(Math.trunc);
  const values = from.startsWith("float")
    ? signed
    : from === "bool"
      ? [0, 1, 1, 0]
      : from === "int32"
        ? whole
        : floats.map(Math.trunc);
  const tags: SampleOptions = from === "float16" || to === "float16" ? { tags: ["dtype16"] } : {};
  const smooth = from.startsWith("float") && to.startsWith("float");
  return sample(`${from} to ${to}`, [exactly(values, [values.length], from)], applied(ops.castOp, { dtype: to }), {
    ...tags,
    differentiable: smooth,
  });
}

/** NaN and infinities among numbers that are finite by a hair: the largest, the smallest, zeros. */
function withNonfinite(dtype: DType, largest: number, smallest: number): HostTensor {
  const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
  const finite = [largest, -largest, smallest, -smallest, 0, -0, 1];
  return exactly([none, infinity, -infinity, ...finite], [10], dtype);
}

export const elementwise = {
  ...unarySamples,
  ...binarySamples,
  equal: comparison(ops.equalOp, dtypes),
  less: comparison(ops.lessOp, numeric),
  lessEqual: comparison(ops.lessEqualOp, numeric),
  isFinite: [
    ...unary(ops.isFiniteOp, uniform),
    sample(
      "NaN and infinity",
      [withNonfinite("float32", 3.4028234663852886e38, 1.2e-38)],
      applied(ops.isFiniteOp),
      nonfinite,
    ),
    sample("NaN and infinity, float16", [withNonfinite("float16", 65504, 6.2e-5)], applied(ops.isFiniteOp), nonfinite),
  ],
  select: [
    ...selectSamples,
    sample("rank 0", [exactly([1], [], "bool"), exactly([2], []), exactly([3], [])], applied(ops.selectOp)),
    sample(
      "NaN in the branch not taken",
      [exactly([1, 0], [2], "bool"), exactly([1, Number.NaN]), exactly([Number.NaN, 2])],
      applied(ops.selectOp),
      nonfinite,
    ),
  ],
  cast: [
    ...dtypes.flatMap((from) => dtypes.filter((to) => to !== from).map((to) => castSample(from, to))),
    sample(
      "large uint32 to float32",
      [exactly([2 ** 32 - 1, 2 ** 31, 1], [3], "uint32")],
      applied(ops.castOp, { dtype: "float32" }),
    ),
  ],
};
