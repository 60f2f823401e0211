import { dtypes } from "../../dtype.js";
import type { HostTensor } from "../../host.js";
import { mul } from "../../ops/elementwise.js";
import * as ops from "../../ops/layout.js";
import type { Shape } from "../../shape.js";
import { applied, exactly, integers, type OpSample, sample, uniform } from "./sample.js";

/** Something of every dtype. */
const ofEach = (shape: Shape): HostTensor[] =>
  dtypes.map((dtype) => integers(shape, { low: 0, high: dtype === "bool" ? 1 : 9, dtype }));

const reshaped = (from: Shape, to: Shape): OpSample =>
  sample(`[${from}] to [${to}]`, [uniform(from)], applied(ops.reshapeOp, { shape: to }));

const transposed = (shape: Shape, perm: readonly number[]): OpSample =>
  sample(`[${shape}] by [${perm}]`, [uniform(shape)], applied(ops.transposeOp, { perm }));

const broadcast = (from: Shape, to: Shape): OpSample =>
  sample(`[${from}] to [${to}]`, [uniform(from)], applied(ops.broadcastToOp, { shape: to }));

type Numbers = readonly number[];

const sliced = (name: string, shape: Shape, starts: Numbers, ends: Numbers, strides: Numbers): OpSample =>
  sample(name, [uniform(shape)], applied(ops.sliceOp, { starts, ends, strides }));

function padded(name: string, shape: Shape, low: Numbers, high: Numbers, interior: Numbers, value = 0): OpSample {
  return sample(name, [uniform(shape)], applied(ops.padOp, { low, high, interior, value }));
}

function joined(name: string, shapes: readonly Shape[], axis: number): OpSample {
  return sample(
    name,
    shapes.map((shape, i) => uniform(shape, { seed: i + 1 })),
    applied(ops.concatOp, { axis }),
  );
}

const indexed = (values: Numbers): HostTensor => exactly(values, [values.length], "int32");

const gathered = (name: string, shape: Shape, indices: Numbers, axis: number): OpSample =>
  sample(name, [uniform(shape), indexed(indices)], applied(ops.gatherOp, { axis }));

function scattered(name: string, shape: Shape, indices: Numbers, axis: number): OpSample {
  const updates = shape.map((dim, i) => (i === axis ? indices.length : dim));
  return sample(
    name,
    [uniform(shape), indexed(indices), uniform(updates, { seed: 2 })],
    applied(ops.scatterAddOp, { axis }),
  );
}

export const layout = {
  reshape: [
    reshaped([2, 3, 4], [4, 6]),
    reshaped([6], [1, 2, 3, 1, 1]),
    reshaped([1, 1], []),
    reshaped([], [1]),
    reshaped([0, 3], [5, 0]),
    ...ofEach([2, 6]).map((x) => sample(x.dtype, [x], applied(ops.reshapeOp, { shape: [3, 4] }))),
  ],
  transpose: [
    transposed([3, 5], [1, 0]),
    transposed([2, 3, 4], [2, 0, 1]),
    transposed([2, 3, 4], [0, 2, 1]),
    transposed([2, 3, 4, 5], [0, 2, 3, 1]),
    transposed([2, 3, 4, 5], [3, 1, 2, 0]),
    transposed([2, 1, 3, 2, 2], [4, 2, 0, 3, 1]),
    transposed([17, 33], [1, 0]),
    transposed([0, 3], [1, 0]),
    ...ofEach([3, 4]).map((x) => sample(x.dtype, [x], applied(ops.transposeOp, { perm: [1, 0] }))),
  ],
  broadcastTo: [
    broadcast([], [2, 3]),
    broadcast([1], [4]),
    broadcast([3], [2, 3]),
    broadcast([3, 1], [3, 4]),
    broadcast([1, 3, 1, 1], [2, 3, 4, 5]),
    broadcast([3, 1, 2], [2, 2, 3, 4, 2]),
    broadcast([1, 3], [0, 3]),
    ...ofEach([1, 3]).map((x) => sample(x.dtype, [x], applied(ops.broadcastToOp, { shape: [2, 3] }))),
  ],
  slice: [
    sliced("one dimension", [9], [2], [8], [1]),
    sliced("stride with remainder", [9], [1], [9], [3]),
    sliced("stride beyond the end", [5], [3], [5], [4]),
    sliced("four dimensions", [2, 3, 5, 4], [0, 1, 1, 0], [2, 3, 5, 3], [1, 1, 2, 2]),
    sliced("five dimensions", [2, 3, 2, 4, 3], [1, 0, 0, 1, 2], [2, 3, 2, 4, 3], [1, 2, 1, 2, 1]),
    sliced("empty", [4, 3], [2, 0], [2, 3], [1, 1]),
    sliced("empty at the end", [4, 3], [4, 0], [4, 3], [2, 1]),
    ...ofEach([5, 3]).map((x) =>
      sample(x.dtype, [x], applied(ops.sliceOp, { starts: [1, 0], ends: [5, 2], strides: [2, 1] })),
    ),
  ],
  pad: [
    padded("one dimension", [4], [2], [1], [0]),
    padded("value", [2, 3], [1, 0], [0, 2], [0, 0], -1.5),
    padded("interior", [3, 4], [0, 0], [0, 0], [2, 1]),
    padded("all of it, four dimensions", [2, 1, 3, 2], [0, 1, 2, 0], [1, 0, 0, 2], [0, 3, 1, 2], 0.5),
    padded("interior of one element", [1, 3], [1, 0], [0, 1], [5, 1]),
    padded("interior of none", [0, 2], [1, 0], [2, 0], [3, 1], 2),
    padded("rank 0", [], [], [], []),
    ...ofEach([2, 3]).map((x) =>
      sample(x.dtype, [x], applied(ops.padOp, { low: [1, 0], high: [0, 1], interior: [0, 1], value: 1 })),
    ),
  ],
  concat: [
    joined(
      "first axis",
      [
        [2, 3],
        [1, 3],
        [4, 3],
      ],
      0,
    ),
    joined(
      "last axis",
      [
        [2, 3],
        [2, 1],
        [2, 4],
      ],
      1,
    ),
    joined(
      "channels",
      [
        [2, 3, 4, 5],
        [2, 2, 4, 5],
      ],
      1,
    ),
    joined("one input", [[2, 3]], 0),
    joined(
      "an empty input",
      [
        [2, 3],
        [2, 0],
        [2, 1],
      ],
      1,
    ),
    joined(
      "nine inputs",
      Array.from({ length: 9 }, (_, i) => [2, i % 3, 2]),
      1,
    ),
    sample("the same twice", [uniform([2, 3])], ([x]) => ops.concat([x!, x!], 1)),
    ...ofEach([2, 3]).map((x) => sample(x.dtype, [x, x], applied(ops.concatOp, { axis: 0 }))),
  ],
  gather: [
    gathered("repeated", [5, 3], [4, 0, 0, 2], 0),
    gathered("middle axis", [2, 4, 3], [3, 1, 1], 1),
    gathered("last axis", [2, 3, 5], [0, 4, 2, 2, 1, 3], 2),
    gathered("flat", [7], [6], 0),
    gathered("no indices", [3, 2], [], 0),
    ...ofEach([4, 3]).map((x) => sample(x.dtype, [x, indexed([3, 1, 1])], applied(ops.gatherOp, { axis: 0 }))),
  ],
  scatterAdd: [
    scattered("repeated", [5, 3], [4, 0, 0, 2, 0], 0),
    scattered("middle axis", [2, 4, 3], [3, 1, 1], 1),
    scattered("last axis", [2, 3, 5], [0, 4, 2, 2], 2),
    scattered(
      "many on one",
      [3],
      Array.from({ length: 40 }, (_, i) => i % 2),
      0,
    ),
    scattered("no indices", [3, 2], [], 0),
    sample(
      "int32",
      [integers([4, 2]), indexed([3, 3, 0]), integers([3, 2], { seed: 2 })],
      applied(ops.scatterAddOp, { axis: 0 }),
    ),
    sample(
      "float16",
      [uniform([4, 2], { dtype: "float16" }), indexed([3, 3, 0]), uniform([3, 2], { dtype: "float16" })],
      applied(ops.scatterAddOp, { axis: 0 }),
    ),
  ],
  barrier: [
    sample("after nothing", [uniform([2, 3])], applied(ops.barrierOp)),
    sample("after others", [uniform([2, 3]), uniform([4]), integers([2])], applied(ops.barrierOp)),
    sample("rank 0", [uniform([])], applied(ops.barrierOp)),
    sample("computed twice", [uniform([2, 3])], ([x]) => {
      const y = mul(x!, x!);
      return [mul(y, 2), mul(ops.barrier(x!, [y]), ops.barrier(x!, [y]))];
    }),
    ...ofEach([3]).map((x) => sample(x.dtype, [x], applied(ops.barrierOp))),
  ],
};
