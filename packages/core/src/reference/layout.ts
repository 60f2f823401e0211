import { DeviceError } from "../errors.js";
import type { PadAttrs } from "../ops/layout.js";
import { type Shape, sizeOf, stridesOf } from "../shape.js";
import type { Node } from "../tensor.js";
import { around, gathered, outputOf, type ReferenceKernel, type Values, walk, wrap, zeros } from "./kernel.js";

const same: ReferenceKernel = (_, [x]) => x!;

const transpose: ReferenceKernel = (node, [x]) => {
  const strides = stridesOf(node.inputs[0]!.shape);
  const { perm } = node.attrs as { perm: readonly number[] };
  return gathered(x!, outputOf(node).shape, { strides: perm.map((axis) => strides[axis]!) });
};

const broadcastTo: ReferenceKernel = (node, [x]) => {
  const from = node.inputs[0]!.shape;
  const { shape } = outputOf(node);
  const strides = stridesOf(from);
  const lead = shape.length - from.length;
  return gathered(x!, shape, {
    strides: shape.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]!)),
  });
};

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0);

const slice: ReferenceKernel = (node, [x]) => {
  const { starts, strides: steps } = node.attrs as { starts: readonly number[]; strides: readonly number[] };
  const strides = stridesOf(node.inputs[0]!.shape);
  return gathered(x!, outputOf(node).shape, {
    strides: strides.map((stride, i) => stride * steps[i]!),
    offset: dot(starts, strides),
  });
};

/** Writes a contiguous block where `to` says. */
function place(block: Values, shape: Shape, out: Values, to: { strides: readonly number[]; offset: number }): void {
  walk(shape, { strides: stridesOf(shape) }, to, (a, b) => {
    out[b] = block[a]!;
  });
}

const pad: ReferenceKernel = (node, [x]) => {
  const { low, interior, value } = node.attrs as PadAttrs;
  const strides = stridesOf(outputOf(node).shape);
  const out = zeros(outputOf(node)).fill(value);
  place(x!, node.inputs[0]!.shape, out, {
    strides: strides.map((stride, i) => stride * (interior[i]! + 1)),
    offset: dot(low, strides),
  });
  return out;
};

const concat: ReferenceKernel = (node, inputs) => {
  const { axis } = node.attrs as { axis: number };
  const strides = stridesOf(outputOf(node).shape);
  const out = zeros(outputOf(node));
  let start = 0;
  for (const [i, { shape }] of node.inputs.entries()) {
    place(inputs[i]!, shape, out, { strides, offset: start * strides[axis]! });
    start += shape[axis]!;
  }
  return out;
};

/** Visits every element picked along the axis: its place in the indexed tensor, and in the one with an entry an index. */
function eachPicked(node: Node, indices: Values, visit: (inTensor: number, inPicks: number) => void): void {
  const { shape } = node.inputs[0]!;
  const { outer, count, inner } = around(shape, (node.attrs as { axis: number }).axis);
  for (const index of indices) {
    if (index < 0 || index >= count) {
      throw new DeviceError(`${node.op.name}: index ${index} does not lie in 0..${count - 1}`, { index, count });
    }
  }
  for (let o = 0; o < outer; o++) {
    for (const [k, index] of indices.entries()) {
      for (let i = 0; i < inner; i++) visit((o * count + index) * inner + i, (o * indices.length + k) * inner + i);
    }
  }
}

const gather: ReferenceKernel = (node, [x, indices]) => {
  const out = zeros(outputOf(node));
  eachPicked(node, indices!, (from, to) => {
    out[to] = x![from]!;
  });
  return out;
};

const scatterAdd: ReferenceKernel = (node, [x, indices, updates]) => {
  const out = x!.slice();
  const { dtype } = outputOf(node);
  eachPicked(node, indices!, (to, from) => {
    out[to] = wrap(out[to]! + updates![from]!, dtype);
  });
  return out;
};

export const layout = {
  reshape: same,
  barrier: same,
  transpose,
  broadcastTo,
  slice,
  pad,
  concat,
  gather,
  scatterAdd,
} satisfies Record<string, ReferenceKernel>;

/** One number everywhere; not in the table because it is a leaf. */
export const full: ReferenceKernel = (node) => {
  const { value, shape } = node.attrs as { value: number; shape: Shape };
  return new Float64Array(sizeOf(shape)).fill(value);
};
