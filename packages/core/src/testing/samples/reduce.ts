import { dtypes } from "../../dtype.js";
import { matmulOp, matmul as product } from "../../ops/matmul.js";
import { argmaxOp, maxOp, sumOp } from "../../ops/reduce.js";
import type { Shape } from "../../shape.js";
import { applied, distinct, exactly, integers, type OpSample, sample, uniform } from "./sample.js";

type Reduce = typeof sumOp;

function reduced(op: Reduce, data: typeof uniform): OpSample[] {
  const cases: readonly (readonly [Shape, readonly number[]])[] = [
    [[7], [0]],
    [[3, 5], [0]],
    [[3, 5], [1]],
    [
      [3, 5],
      [0, 1],
    ],
    [[2, 3, 4], [1]],
    [
      [2, 3, 4, 5],
      [0, 2, 3],
    ],
    [
      [2, 3, 4, 5],
      [2, 3],
    ],
    [[2, 3, 4, 5], [1]],
    [
      [2, 3, 2, 2, 3],
      [0, 2, 4],
    ],
    [
      [1, 4, 1],
      [0, 2],
    ],
    [[0, 3], [1]],
    [[2, 700], [1]],
    [[300, 3], [0]],
  ];
  return [
    ...cases.map(([shape, axes]) => sample(`[${shape}] over [${axes}]`, [data(shape)], applied(op, { axes }))),
    sample("int32", [integers([3, 4, 2])], applied(op, { axes: [0, 2] })),
    sample("float16", [data([4, 6], { dtype: "float16" })], applied(op, { axes: [1] })),
  ];
}

const negative = (): OpSample =>
  sample("all negative", [uniform([3, 7], { low: -9, high: -5 })], applied(maxOp, { axes: [1] }), {
    differentiable: false,
  });

function largest(shape: Shape, axis: number): OpSample {
  return sample(`[${shape}] along ${axis}`, [distinct(shape)], applied(argmaxOp, { axis }));
}

function product2(
  m: number,
  k: number,
  n: number,
  transposeA: boolean,
  transposeB: boolean,
  batch: Shape = [],
): OpSample {
  const a = uniform([...batch, ...(transposeA ? [k, m] : [m, k])]);
  const b = uniform([...batch, ...(transposeB ? [n, k] : [k, n])], { seed: 2 });
  const name = `[${batch}] ${m}x${k}${transposeA ? "^T" : ""} by ${k}x${n}${transposeB ? "^T" : ""}`;
  return sample(name, [a, b], applied(matmulOp, { transposeA, transposeB }));
}

const flags = [false, true];

export const reduce = {
  sum: [
    ...reduced(sumOp, uniform),
    sample("no elements", [uniform([2, 0, 3])], applied(sumOp, { axes: [1] })),
    sample("int32 wraps", [exactly([2 ** 31 - 1, 2 ** 31 - 1, 5], [3], "int32")], applied(sumOp, { axes: [0] })),
    sample("many equal", [uniform([5000], { low: 0.9, high: 1.1 })], applied(sumOp, { axes: [0] }), {
      differentiable: false,
    }),
  ],
  max: [
    ...reduced(maxOp, distinct),
    negative(),
    sample("ties", [exactly([1, 3, 3, 2, 2, 2], [2, 3])], applied(maxOp, { axes: [1] }), { differentiable: false }),
    sample("NaN", [exactly([1, Number.NaN, 3, 0, 1, 2], [2, 3])], applied(maxOp, { axes: [1] }), {
      tags: ["nonfinite"],
    }),
  ],
  argmax: [
    largest([7], 0),
    largest([3, 5], 0),
    largest([3, 5], 1),
    largest([2, 4, 3], 1),
    largest([2, 1, 3], 1),
    largest([2, 3, 2, 2, 5], 4),
    largest([2, 700], 1),
    largest([0, 3], 1),
    sample("ties: the first", [exactly([1, 3, 3, 2, 2, 2, -1, -2, -1], [3, 3])], applied(argmaxOp, { axis: 1 })),
    ...dtypes.map((dtype) =>
      sample(
        dtype,
        [integers([3, 4], { low: 0, high: dtype === "bool" ? 1 : 9, dtype })],
        applied(argmaxOp, { axis: 1 }),
      ),
    ),
    sample("large uint32", [exactly([1, 2 ** 32 - 1, 2 ** 31], [3], "uint32")], applied(argmaxOp, { axis: 0 })),
  ],
  matmul: [
    ...flags.flatMap((a) => flags.map((b) => product2(5, 7, 3, a, b))),
    ...flags.flatMap((a) => flags.map((b) => product2(4, 3, 5, a, b, [2]))),
    ...flags.flatMap((a) => flags.map((b) => product2(33, 65, 18, a, b))),
    product2(2, 3, 4, false, false, [2, 3]),
    product2(1, 9, 1, false, true),
    product2(1, 1, 1, false, false),
    product2(1, 64, 40, false, true),
    product2(2, 0, 3, false, false),
    product2(0, 2, 3, false, false),
    product2(2, 3, 4, false, false, [0]),
    sample("leading dimensions broadcast", [uniform([2, 1, 3, 4]), uniform([5, 4, 2], { seed: 2 })], ([a, b]) =>
      product(a!, b!),
    ),
    sample("the same twice", [uniform([4, 3])], ([a]) => product(a!, a!, { transposeB: true })),
    sample(
      "float16",
      [uniform([4, 6], { dtype: "float16" }), uniform([6, 5], { dtype: "float16", seed: 2 })],
      applied(matmulOp, { transposeA: false, transposeB: false }),
    ),
  ],
};
