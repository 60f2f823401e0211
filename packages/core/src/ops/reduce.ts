import { isFloat } from "../dtype.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { apply, defineOp, type Window } from "../op.js";
import { normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { cast, div, equal, mul } from "./elementwise.js";
import { broadcastTo, reshape } from "./layout.js";

/** Primitives keep the reduced dimensions as 1; functions drop them unless `keepDims`. */
export interface ReduceAttrs {
  readonly axes: readonly number[];
}

const reducedShape = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((dim, i) => (axes.includes(i) ? 1 : dim));

/** A reduced spatial axis is seen whole. */
function wholeWindow(shape: Shape, axes: readonly number[]): Window {
  const [h, w] = [shape.length - 2, shape.length - 1].map((axis) =>
    axes.includes(axis) ? (shape[axis] as number) : 1,
  ) as [number, number];
  return { kernel: [h, w], stride: [1, 1], before: [0, 0], dilation: [1, 1] };
}

export const sumOp = defineOp<ReduceAttrs>({
  name: "sum",
  infer: ([x], { axes }) => {
    const { shape, dtype } = x as Spec;
    if (!isFloat(dtype) && dtype !== "int32")
      throw new DTypeError(`sum: input is ${dtype}; it needs a float or int32. Cast it first.`);
    return { shape: reducedShape(shape, axes), dtype };
  },
  vjp: ({ dy, inputs: [x] }) => [broadcastTo(dy, (x as Tensor).shape)],
  window: ([x], { axes }) => wholeWindow((x as Spec).shape, axes),
});

export const maxOp = defineOp<ReduceAttrs>({
  name: "max",
  infer: ([x], { axes }) => {
    const { shape, dtype } = x as Spec;
    if (!isFloat(dtype) && dtype !== "int32")
      throw new DTypeError(`max: input is ${dtype}; it needs a float or int32. Cast it first.`);
    if (axes.some((axis) => shape[axis] === 0)) throw new ArgumentError("max: an axis to reduce has no elements");
    return { shape: reducedShape(shape, axes), dtype };
  },
  // Ties share the gradient evenly (PyTorch's amax).
  window: ([x], { axes }) => wholeWindow((x as Spec).shape, axes),
  vjp: ({ dy, inputs, output, attrs: { axes } }) => {
    const x = inputs[0] as Tensor;
    const hits = cast(equal(x, broadcastTo(output, x.shape)), x.dtype);
    return [mul(hits, broadcastTo(div(dy, sum(hits, { axes, keepDims: true })), x.shape))];
  },
});

export const argmaxOp = defineOp<{ axis: number }>({
  name: "argmax",
  infer: ([x], { axis }) => {
    const { shape } = x as Spec;
    const at = normalizeAxis(axis, shape.length, "argmax");
    if (shape[at] === 0) throw new ArgumentError("argmax: the axis has no elements");
    return { shape: reducedShape(shape, [at]), dtype: "int32" };
  },
  vjp: "nondifferentiable",
});

export interface ReduceOptions {
  /** Axes to reduce; all when left out. Negative ones count from the end. */
  readonly axes?: number | readonly number[] | undefined;
  /** Keep the reduced dimensions as 1. */
  readonly keepDims?: boolean;
}

function reduce(op: typeof sumOp, x: Tensor, { axes, keepDims = false }: ReduceOptions): Tensor {
  const normal = normalizeAxes(axes, x.shape.length, op.name);
  const kept = normal.length === 0 ? x : apply(op, [x], { axes: normal });
  return keepDims
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, i) => !normal.includes(i)),
      );
}

/** Sum over axes. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce(sumOp, x, options);
}

/** Maximum over axes; ties share the gradient. */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce(maxOp, x, options);
}

/** Index of the (first) largest element along `axis`, int32; the axis is dropped. */
export function argmax(x: Tensor, axis = -1): Tensor {
  const at = normalizeAxis(axis, x.shape.length, "argmax");
  return reshape(
    apply(argmaxOp, [x], { axis: at }),
    x.shape.filter((_, i) => i !== at),
  );
}

/** Arithmetic mean over axes. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const axes = normalizeAxes(options.axes, x.shape.length, "mean");
  return mul(sum(x, options), 1 / sizeOf(axes.map((axis) => x.shape[axis] as number)));
}
