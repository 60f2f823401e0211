import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp } from "../op.js";
import { checkShape, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { full } from "./leaf.js";
import { sum } from "./reduce.js";

const first = (specs: readonly Spec[]): Spec => specs[0] as Spec;

export const reshapeOp = defineOp<{ shape: Shape }>({
  name: "reshape",
  view: true,
  infer: (inputs, { shape }) => {
    const x = first(inputs);
    checkShape(shape, "reshape");
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(x.shape)} has ${sizeOf(x.shape)} elements; ${formatShape(shape)} needs ${sizeOf(shape)}`,
        { from: x.shape, to: shape },
      );
    }
    return { shape, dtype: x.dtype };
  },
  vjp: ({ dy, inputs: [x] }) => [reshape(dy, (x as Tensor).shape)],
});

/** The same elements in another shape; one dimension may be -1 (whatever is left). */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, i) => i !== open));
  const full = open < 0 ? shape : shape.map((dim, i) => (i === open ? sizeOf(x.shape) / Math.max(known, 1) : dim));
  if (full.some((dim) => !Number.isInteger(dim))) {
    throw new ShapeError(`reshape: ${formatShape(x.shape)} does not divide into ${formatShape(shape)}`);
  }
  return sameShape(full, x.shape) ? x : apply(reshapeOp, [x], { shape: [...full] });
}

export const transposeOp = defineOp<{ perm: readonly number[] }>({
  name: "transpose",
  infer: (inputs, { perm }) => {
    const x = first(inputs);
    const sorted = [...perm].sort((a, b) => a - b);
    if (perm.length !== x.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new ArgumentError(
        `transpose: [${perm.join(", ")}] is no permutation of the ${x.shape.length} axes of the input`,
      );
    }
    return { shape: perm.map((axis) => x.shape[axis] as number), dtype: x.dtype };
  },
  vjp: ({ dy, attrs: { perm } }) => {
    const inverse = new Array<number>(perm.length);
    for (const [i, axis] of perm.entries()) inverse[axis] = i;
    return [transpose(dy, inverse)];
  },
});

/** Reorders axes: output axis i is input axis `perm[i]`. Reverses all of them when `perm` is left out. */
export function transpose(x: Tensor, perm: readonly number[] = x.shape.map((_, i) => x.shape.length - 1 - i)): Tensor {
  return perm.length === x.shape.length && perm.every((axis, i) => axis === i)
    ? x
    : apply(transposeOp, [x], { perm: [...perm] });
}

export const broadcastToOp = defineOp<{ shape: Shape }>({
  name: "broadcastTo",
  infer: (inputs, { shape }) => {
    const x = first(inputs);
    checkShape(shape, "broadcastTo");
    const lead = shape.length - x.shape.length;
    if (lead < 0 || x.shape.some((dim, i) => dim !== 1 && dim !== shape[lead + i])) {
      throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
    }
    return { shape, dtype: x.dtype };
  },
  vjp: ({ dy, inputs: [x] }) => [sumTo(dy, (x as Tensor).shape)],
});

/** Repeats along dimensions that are 1 or missing in front (NumPy's rule). */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(broadcastToOp, [x], { shape: [...shape] });
}

/** Sums over the dimensions that broadcasting `shape` to `x.shape` would repeat: the reverse of {@link broadcastTo}. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((dim, i) => (i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : []));
  return reshape(axes.length === 0 ? x : sum(x, { axes }), shape);
}

export const sliceOp = defineOp<{ starts: readonly number[]; ends: readonly number[]; strides: readonly number[] }>({
  name: "slice",
  infer: (inputs, { starts, ends, strides }) => {
    const x = first(inputs);
    const rank = x.shape.length;
    if (starts.length !== rank || ends.length !== rank || strides.length !== rank) {
      throw new ArgumentError(
        `slice: starts, ends and strides need one number for each of the ${rank} dimensions of the input`,
      );
    }
    const shape = x.shape.map((dim, i) => {
      const [start, end, stride] = [starts[i] as number, ends[i] as number, strides[i] as number];
      if (!(start >= 0 && start <= end && end <= dim && stride >= 1 && [start, end, stride].every(Number.isInteger))) {
        throw new ArgumentError(
          `slice: ${start}:${end}:${stride} does not lie in dimension ${i}, which has ${dim} elements`,
        );
      }
      return Math.ceil((end - start) / stride);
    });
    return { shape, dtype: x.dtype };
  },
  vjp: ({ dy, inputs: [x], attrs: { starts, strides } }) => {
    const target = (x as Tensor).shape;
    const low = [...starts];
    const high = target.map((dim, i) => {
      const count = dy.shape[i] as number;
      const extent = count === 0 ? 0 : (count - 1) * (strides[i] as number) + 1;
      return dim - (starts[i] as number) - extent;
    });
    return [pad(dy, { low, high, interior: strides.map((stride) => stride - 1) })];
  },
});

/** `x[starts:ends:strides]`, one triple a dimension; `strides` are positive and default to 1. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly number[],
  strides?: readonly number[],
): Tensor {
  const steps = strides ?? starts.map(() => 1);
  const whole = x.shape.every((dim, i) => starts[i] === 0 && ends[i] === dim && steps[i] === 1);
  return whole && starts.length === x.shape.length
    ? x
    : apply(sliceOp, [x], { starts: [...starts], ends: [...ends], strides: [...steps] });
}

/** `x` restricted to `start..end` (exclusive; negative counts from the end) along one axis. */
export function narrow(
  x: Tensor,
  axis: number,
  start: number,
  end: number = Number.POSITIVE_INFINITY,
  stride = 1,
): Tensor {
  const at = normalizeAxis(axis, x.shape.length, "narrow");
  const dim = x.shape[at] as number;
  const from = start < 0 ? start + dim : start;
  const to = Math.min(end < 0 ? end + dim : end, dim);
  const replace = (values: readonly number[], value: number): number[] => values.map((v, i) => (i === at ? value : v));
  const zeros = x.shape.map(() => 0);
  const ones = x.shape.map(() => 1);
  return slice(x, replace(zeros, from), replace(x.shape, to), replace(ones, stride));
}

export interface PadAttrs {
  /** Elements before, an axis each. */
  readonly low: readonly number[];
  /** Elements after. */
  readonly high: readonly number[];
  /** Elements between neighbours. */
  readonly interior: readonly number[];
  readonly value: number;
}

export const padOp = defineOp<PadAttrs>({
  name: "pad",
  infer: (inputs, { low, high, interior }) => {
    const x = first(inputs);
    const rank = x.shape.length;
    for (const [name, list] of Object.entries({ low, high, interior })) {
      if (list.length !== rank || list.some((v) => !Number.isInteger(v) || v < 0)) {
        throw new ArgumentError(
          `pad: ${name} is [${list.join(", ")}]; it needs ${rank} non-negative integers. To crop, use slice.`,
        );
      }
    }
    const shape = x.shape.map(
      (dim, i) => (low[i] as number) + dim + Math.max(dim - 1, 0) * (interior[i] as number) + (high[i] as number),
    );
    return { shape, dtype: x.dtype };
  },
  vjp: ({ dy, inputs: [x], attrs: { low, interior } }) => {
    const { shape } = x as Tensor;
    const strides = interior.map((gap) => gap + 1);
    const ends = shape.map((dim, i) => (low[i] as number) + (dim === 0 ? 0 : (dim - 1) * (strides[i] as number) + 1));
    return [slice(dy, low, ends, strides)];
  },
});

/** Surrounds `x` with `value` (default 0); `interior` elements go between neighbours. */
export function pad(x: Tensor, { low, high, interior, value = 0 }: Partial<PadAttrs>): Tensor {
  const zeros = x.shape.map(() => 0);
  const attrs = { low: [...(low ?? zeros)], high: [...(high ?? zeros)], interior: [...(interior ?? zeros)], value };
  return [...attrs.low, ...attrs.high, ...attrs.interior].every((v) => v === 0) ? x : apply(padOp, [x], attrs);
}

export const concatOp = defineOp<{ axis: number }>({
  name: "concat",
  infer: (inputs, { axis }) => {
    const x = inputs[0];
    if (x === undefined) throw new ArgumentError("concat: needs at least one tensor");
    const at = normalizeAxis(axis, x.shape.length, "concat");
    for (const [i, other] of inputs.entries()) {
      if (other.dtype !== x.dtype) throw new DTypeError(`concat: input ${i} is ${other.dtype}; input 0 is ${x.dtype}`);
      const fits =
        other.shape.length === x.shape.length && other.shape.every((dim, j) => j === at || dim === x.shape[j]);
      if (!fits) {
        throw new ShapeError(
          `concat: input ${i} is ${formatShape(other.shape)}; it has to equal ${formatShape(x.shape)} except in dimension ${at}`,
        );
      }
    }
    const total = inputs.reduce((sum, other) => sum + (other.shape[at] as number), 0);
    return { shape: x.shape.map((dim, i) => (i === at ? total : dim)), dtype: x.dtype };
  },
  vjp: ({ dy, inputs, attrs: { axis } }) => {
    let start = 0;
    return inputs.map((input) => {
      const from = start;
      start += input.shape[axis] as number;
      return narrow(dy, axis, from, start);
    });
  },
});

/** Joins tensors along `axis`. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const only = tensors[0];
  if (tensors.length === 1 && only !== undefined) return only;
  const rank = only?.shape.length ?? 1;
  // A copy: callers may go on filling their list.
  return apply(concatOp, [...tensors], { axis: normalizeAxis(axis, rank, "concat") });
}

function checkIndices(indices: Spec, where: string): void {
  if (indices.dtype !== "int32" || indices.shape.length !== 1) {
    throw new DTypeError(
      `${where}: indices are ${indices.dtype}${formatShape(indices.shape)}; they need to be int32 with one dimension`,
    );
  }
}

export const gatherOp = defineOp<{ axis: number }>({
  name: "gather",
  inputs: ["input", "indices"],
  infer: ([x, indices], { axis }) => {
    const { shape, dtype } = x as Spec;
    checkIndices(indices as Spec, "gather");
    const at = normalizeAxis(axis, shape.length, "gather");
    return { shape: shape.map((dim, i) => (i === at ? ((indices as Spec).shape[0] as number) : dim)), dtype };
  },
  vjp: ({ dy, inputs, attrs: { axis } }) => {
    const [x, indices] = inputs as [Tensor, Tensor];
    return [scatterAdd(full(x.shape, 0, x.dtype), indices, dy, axis), null];
  },
});

/** Picks `x[..., indices[i], ...]` along `axis`. Indices: int32 `[count]`, each in `0..dim-1` (not checked on a device). */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return apply(gatherOp, [x, indices], { axis: normalizeAxis(axis, x.shape.length, "gather") });
}

export const scatterAddOp = defineOp<{ axis: number }>({
  name: "scatterAdd",
  inputs: ["input", "indices", "updates"],
  infer: ([x, indices, updates], { axis }) => {
    const { shape, dtype } = x as Spec;
    checkIndices(indices as Spec, "scatterAdd");
    const at = normalizeAxis(axis, shape.length, "scatterAdd");
    const needed = shape.map((dim, i) => (i === at ? ((indices as Spec).shape[0] as number) : dim));
    const given = updates as Spec;
    if (!sameShape(given.shape, needed) || given.dtype !== dtype) {
      throw new ShapeError(
        `scatterAdd: updates are ${given.dtype}${formatShape(given.shape)}; they need ${dtype}${formatShape(needed)}`,
      );
    }
    return { shape, dtype };
  },
  vjp: ({ dy, inputs, attrs: { axis } }) => [dy, null, gather(dy, inputs[1] as Tensor, axis)],
});

/** `x` with `updates[..., i, ...]` added at `indices[i]` along `axis`; repeated indices add up, in order. */
export function scatterAdd(x: Tensor, indices: Tensor, updates: Tensor, axis = 0): Tensor {
  return apply(scatterAddOp, [x, indices, updates], { axis: normalizeAxis(axis, x.shape.length, "scatterAdd") });
}

export const barrierOp = defineOp({
  name: "barrier",
  infer: (inputs) => first(inputs),
  vjp: ({ dy, inputs }) => [dy, ...inputs.slice(1).map(() => null)],
});

/**
 * `x` itself, computed after `after`, and never shared with an equal value computed elsewhere: recomputation in the backward pass
 * needs both.
 */
export function barrier(x: Tensor, after: readonly Tensor[]): Tensor {
  return apply(barrierOp, [x, ...after]);
}
