import { stridesOf } from "../shape.js";
import type { Node } from "../tensor.js";
import { lines, outputOf, type ReferenceKernel, walk, wrap, zeros } from "./kernel.js";

/** Visits every input element with the output element it belongs to. */
function eachReduced(node: Node, visit: (from: number, to: number) => void): void {
  const { shape } = node.inputs[0]!;
  const { axes } = node.attrs as { axes: readonly number[] };
  const to = stridesOf(outputOf(node).shape).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  walk(shape, { strides: stridesOf(shape) }, { strides: to }, visit);
}

const sum: ReferenceKernel = (node, [x]) => {
  const out = zeros(outputOf(node));
  const { dtype } = outputOf(node);
  eachReduced(node, (from, to) => {
    out[to] = wrap(out[to]! + x![from]!, dtype);
  });
  return out;
};

const max: ReferenceKernel = (node, [x]) => {
  const out = zeros(outputOf(node)).fill(Number.NEGATIVE_INFINITY);
  eachReduced(node, (from, to) => {
    out[to] = Math.max(out[to]!, x![from]!);
  });
  return out;
};

/** Whether `value` takes the lead: the first of equals keeps it, and NaN beats every number. */
export function leads(value: number, best: number): boolean {
  return value > best || (Number.isNaN(value) && !Number.isNaN(best));
}

const argmax: ReferenceKernel = (node, [x]) => {
  const out = zeros(outputOf(node));
  const { axis } = node.attrs as { axis: number };
  const { shape } = node.inputs[0]!;
  lines(shape, axis, (start, step, line) => {
    let best = 0;
    for (let i = 1; i < shape[axis]!; i++) if (leads(x![start + i * step]!, x![start + best * step]!)) best = i;
    out[line] = best;
  });
  return out;
};

export const reduce = { sum, max, argmax } satisfies Record<string, ReferenceKernel>;
