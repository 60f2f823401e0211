import { type DType, fromFloat16Bits, isFloat, toFloat16Bits } from "../dtype.js";
import { type Shape, sizeOf, stridesOf } from "../shape.js";
import type { Node, Spec } from "../tensor.js";

/** Elements of any dtype as float64: exact for integers and bools, unrounded for floats. Never written to once made. */
export type Values = Float64Array;

/** Computes a node's outputs from the values of its inputs. May return an input itself. */
export type ReferenceKernel = (node: Node, inputs: readonly Values[]) => Values | readonly Values[];

/** Zeros for a spec. */
export function zeros({ shape }: Pick<Spec, "shape">): Values {
  return new Float64Array(sizeOf(shape));
}

/** The spec of a node's first output. */
export const outputOf = (node: Node): Spec => node.outputs[0]!;

/** Brings an exact result into the range of an integer dtype: wraps, as integer arithmetic does everywhere. */
export function wrap(value: number, dtype: DType): number {
  if (dtype === "int32") return value | 0;
  if (dtype === "uint32") return value >>> 0;
  if (dtype === "uint8") return value & 255;
  return value;
}

/** The nearest value that `dtype` can store. */
export function roundTo(value: number, dtype: DType): number {
  if (dtype === "float32") return Math.fround(value);
  return dtype === "float16" ? fromFloat16Bits(toFloat16Bits(value)) : value;
}

/** Rounds floats to what their dtype can store; other dtypes are exact already. */
export function rounded(values: Values, dtype: DType): Values {
  return isFloat(dtype) ? values.map((value) => roundTo(value, dtype)) : values;
}

/** How one side of a walk lies in memory. */
export interface Layout {
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** Visits every index of `shape` in row-major order, with its position on both sides. */
export function walk(shape: Shape, a: Layout, b: Layout, visit: (a: number, b: number) => void): void {
  const count = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let [at, bt] = [a.offset ?? 0, b.offset ?? 0];
  for (let i = 0; i < count; i++) {
    visit(at, bt);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += a.strides[axis]!;
      bt += b.strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
      at -= a.strides[axis]! * shape[axis]!;
      bt -= b.strides[axis]! * shape[axis]!;
    }
  }
}

/** A contiguous copy of elements that lie strided in `source`. */
export function gathered(source: Values, shape: Shape, from: Layout): Values {
  const out = new Float64Array(sizeOf(shape));
  walk(shape, from, { strides: stridesOf(shape) }, (a, b) => {
    out[b] = source[a]!;
  });
  return out;
}

/** A shape seen from one axis: everything before it, itself, everything behind it. */
export function around(shape: Shape, axis: number): { outer: number; count: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), count: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Visits the lines along an axis: the position of a line's first element, and the step to the next. */
export function lines(shape: Shape, axis: number, visit: (start: number, step: number, line: number) => void): void {
  const { outer, count, inner } = around(shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * count * inner + i, inner, o * inner + i);
  }
}
