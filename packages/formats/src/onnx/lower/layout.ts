import { type Shape, type Spec, sizeOf } from "@ocelli/core";
import type { PadAttrs } from "@ocelli/core/backend";
import type { Value } from "../builder.js";
import { castTo } from "./elementwise.js";
import { type Emitter, inputOf, lowering, outputOf, reshaped } from "./lowering.js";

const reshape = lowering((b, node, [x]) => [reshaped(b, x as Value, outputOf(node).shape)]);

const transpose = lowering((b, node, [x]) => [
  b.node("Transpose", [x as Value], { perm: (node.attrs as { perm: readonly number[] }).perm }),
]);

// The walk over the graph hands a broadcast on to its consumers; this stands in the table for completeness.
const broadcastTo = lowering((b, node, [x]) => [b.node("Expand", [x as Value, b.int64(outputOf(node).shape)])]);

interface SliceAttrs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly strides: readonly number[];
}

/** `Slice` along the axes that it changes. */
export function sliced(b: Emitter, x: Value, shape: Shape, { starts, ends, strides }: SliceAttrs): Value {
  const axes = shape.flatMap((dim, i) => (starts[i] === 0 && ends[i] === dim && strides[i] === 1 ? [] : [i]));
  if (axes.length === 0) return x;
  const pick = (list: readonly number[]): Value => b.int64(axes.map((axis) => list[axis] as number));
  const steps = axes.every((axis) => strides[axis] === 1) ? [] : [pick(strides)];
  return b.node("Slice", [x, pick(starts), pick(ends), b.int64(axes), ...steps]);
}

const slice = lowering((b, node, [x]) => [sliced(b, x as Value, inputOf(node, 0).shape, node.attrs as SliceAttrs)]);

const sum = (a: number, b: number): number => a + b;

/** Puts `interior` elements behind every element (but not behind the last), along each axis. */
function spreadOut(b: Emitter, x: Value, { shape, dtype }: Spec, interior: readonly number[], value: number): Value {
  const rank = shape.length;
  const steps = interior.map((gap) => gap + 1);
  const wide = shape.map((dim, i) => dim * (steps[i] as number));
  const ends = shape.map((dim, i) => (dim === 0 ? 0 : (dim - 1) * (steps[i] as number) + 1));
  const cut = { starts: shape.map(() => 0), ends, strides: shape.map(() => 1) };
  const inPlanes = rank >= 3 && steps.slice(0, -2).every((step) => step === 1) && dtype === "float32" && value === 0;
  if (!inPlanes || sizeOf(shape) === 0)
    return sliced(b, spreadByPad(b, x, shape, interior, b.scalar(value, dtype)), wide, cut);
  // Between the pixels of images: a transposed convolution with a single 1, five times as fast.
  const [h, w] = steps.slice(-2) as [number, number];
  const one = Float32Array.from({ length: h * w }, (_, i) => (i === 0 ? 1 : 0));
  const kernel = b.initializer({ dtype, shape: [1, 1, h, w], data: one });
  const planes = reshaped(b, x, [sizeOf(shape.slice(0, -2)), 1, ...shape.slice(-2)]);
  const spread = b.node("ConvTranspose", [planes, kernel], {
    kernel_shape: [h, w],
    strides: [h, w],
    // What lies behind the last row and column is cut off.
    pads: [0, 0, h - 1, w - 1],
  });
  return reshaped(b, spread, ends);
}

function spreadByPad(b: Emitter, x: Value, shape: Shape, interior: readonly number[], fill: Value): Value {
  const pairs = shape.flatMap((dim) => [dim, 1]);
  const after = interior.flatMap((gap) => [0, gap]);
  const apart = b.node("Pad", [reshaped(b, x, pairs), b.int64([...after.map(() => 0), ...after]), fill]);
  return reshaped(
    b,
    apart,
    shape.map((dim, i) => dim * (1 + (interior[i] as number))),
  );
}

/** Surrounds and spreads a tensor with `value`. */
export function padded(b: Emitter, x: Value, { shape, dtype }: Spec, { low, high, interior, value }: PadAttrs): Value {
  const fill = b.scalar(value, dtype);
  const spread = interior.reduce(sum, 0) === 0 ? x : spreadOut(b, x, { shape, dtype }, interior, value);
  if ([...low, ...high].reduce(sum, 0) === 0) return spread;
  return b.node("Pad", [spread, b.int64([...low, ...high]), fill]);
}

const pad = lowering((b, node, [x]) => [padded(b, x as Value, inputOf(node, 0), node.attrs as PadAttrs)]);

const concat = lowering((b, node, inputs) => [
  b.node("Concat", inputs, { axis: (node.attrs as { axis: number }).axis }),
]);

const gather = lowering((b, node, inputs) => [
  b.node("Gather", inputs, { axis: (node.attrs as { axis: number }).axis }),
]);

/** `ScatterElements` adds one after the other, in order. (`ScatterND` does so on several threads at once: repeated indices would race.) */
const scatterAdd = lowering((b, node, [x, indices, updates]) => {
  const { axis } = node.attrs as { axis: number };
  const { shape } = inputOf(node, 2);
  const column = shape.map((dim, i) => (i === axis ? dim : 1));
  const flat = shape.length === 1 ? (indices as Value) : reshaped(b, indices as Value, column);
  const everywhere = shape.every((dim, i) => dim === column[i]) ? flat : b.node("Expand", [flat, b.int64(shape)]);
  const add = (values: readonly Value[]): Value => {
    return b.node("ScatterElements", [values[0] as Value, everywhere, values[1] as Value], { axis, reduction: "add" });
  };
  // Kernels add no half floats here.
  if (inputOf(node, 0).dtype !== "float16") return [add([x as Value, updates as Value])];
  return [castTo(b, add([x, updates].map((value) => castTo(b, value as Value, "float32"))), "float16")];
});

/**
 * An order without a value: the shape to which `x` is reshaped (its own) waits for the size of what has to come before. Sizes are known
 * without reading any element.
 */
const barrier = lowering((b, node, [x, ...after]) => {
  const { shape } = outputOf(node);
  let target = b.int64(shape);
  for (const value of after)
    target = b.node("Add", [target, b.node("Mul", [b.node("Size", [value]), b.scalar(0, "int64")])]);
  return [b.node("Reshape", [x as Value, target], { allowzero: 1 })];
});

export const layoutLowerings = { reshape, transpose, broadcastTo, slice, pad, concat, gather, scatterAdd, barrier };
