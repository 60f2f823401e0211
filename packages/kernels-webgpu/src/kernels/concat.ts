import { sizeOf } from "@ocelli/core";
import type { Dispatch, Kernel } from "../kernel.js";
import { each } from "./threads.js";

/** Joins tensors along an axis: a dispatch for each one that has elements, which writes its part of the output. */
export const concat: Kernel = {
  inlines: ({ inputs }) => inputs.map(() => true),
  dispatches: ({ node, inputs, outputs, attrs }) => {
    const { axis } = attrs as { axis: number };
    const whole = sizeOf(outputs[0]!.shape.slice(axis));
    const dispatches: Dispatch[] = [];
    let start = 0;
    for (const [k, { shape }] of inputs.entries()) {
      const block = sizeOf(shape.slice(axis));
      const count = sizeOf(shape);
      const body = `  w0(i / ${block}u * ${whole}u + ${start}u + i % ${block}u, r0(i));`;
      if (count > 0) dispatches.push(each({ name: node.op.name, count, reads: [k], writes: [0], body }));
      start += block;
    }
    return dispatches;
  },
};
