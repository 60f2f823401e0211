import { ArgumentError, ShapeError } from "./errors.js";

/** Dimensions, outermost first. */
export type Shape = readonly number[];

/** `[1, 32, 56, 56]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] as number;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Throws unless every dimension is a non-negative safe integer and so is their product. */
export function checkShape(shape: Shape, where: string): void {
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new ShapeError(`${where}: shape ${formatShape(shape)} has a dimension that is not a non-negative integer`, {
        shape,
      });
    }
  }
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw new ShapeError(`${where}: shape ${formatShape(shape)} has more elements than can be counted exactly`, {
      shape,
    });
  }
}

/** NumPy's rule: trailing dimensions are equal or one of them is 1. @throws ShapeError */
export function broadcastShapes(a: Shape, b: Shape, where: string): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${where}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${x} against ${y} in dimension ${i - rank}`,
        { a, b },
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Axis in `0..rank-1`; negative axes count from the end. @throws ArgumentError */
export function normalizeAxis(axis: number, rank: number, where: string): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new ArgumentError(`${where}: axis ${axis} is out of range for a tensor with ${rank} dimensions`, {
      axis,
      rank,
    });
  }
  return normal;
}

/** Sorted, distinct axes; all of them when `axes` is undefined. */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number, where: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(axis, rank, where));
  const distinct = [...new Set(list)].sort((a, b) => a - b);
  if (distinct.length !== list.length) throw new ArgumentError(`${where}: axes [${list.join(", ")}] repeat`, { axes });
  return distinct;
}

/** Two spatial numbers: height, width. */
export type Pair = readonly [number, number];
/** Padding: top, bottom, left, right. */
export type Padding = readonly [number, number, number, number];

export function pair(value: number | Pair, name: string, where: string, minimum = 1): Pair {
  const both: Pair = typeof value === "number" ? [value, value] : value;
  if (both.length !== 2 || both.some((v) => !Number.isSafeInteger(v) || v < minimum)) {
    throw new ArgumentError(
      `${where}: ${name} is ${JSON.stringify(value)}; it needs one or two integers >= ${minimum}`,
      {
        [name]: value,
      },
    );
  }
  return both;
}

/** One number (all sides), two (vertical, horizontal) or four (top, bottom, left, right). */
export function padding4(value: number | Pair | Padding, where: string): Padding {
  const four: Padding =
    typeof value === "number"
      ? [value, value, value, value]
      : value.length === 2
        ? [value[0], value[0], value[1], value[1]]
        : value;
  if (four.length !== 4 || four.some((v) => !Number.isSafeInteger(v) || v < 0)) {
    throw new ArgumentError(`${where}: padding is ${JSON.stringify(value)}; it needs 1, 2 or 4 non-negative integers`, {
      padding: value,
    });
  }
  return four;
}

/** Extent of a dilated kernel along one axis. */
export function dilatedSize(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** Number of positions of a sliding window along one axis; may be <= 0 when the window does not fit. */
export function windowCount(
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation = 1,
): number {
  return Math.floor((size + before + after - dilatedSize(kernel, dilation)) / stride) + 1;
}

/**
 * Output size of pooling along one axis. In ceil mode a last, partial window is kept when it starts inside the input or its
 * leading padding (PyTorch's rule).
 */
export function poolSize(
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation: number,
  ceilMode: boolean,
): number {
  if (!ceilMode) return windowCount(size, kernel, stride, before, after, dilation);
  const count = Math.ceil((size + before + after - dilatedSize(kernel, dilation)) / stride) + 1;
  return (count - 1) * stride >= size + before ? count - 1 : count;
}

/** Padding (before, after) that keeps `ceil(size / stride)` positions: TensorFlow's "same". */
export function samePadding(size: number, kernel: number, stride: number, dilation = 1): readonly [number, number] {
  const count = Math.ceil(size / stride);
  const total = Math.max(0, (count - 1) * stride + dilatedSize(kernel, dilation) - size);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** What one output pixel sees of the input, along one axis (units: input pixels). */
export interface ReceptiveField {
  readonly size: number;
  /** Distance between the fields of neighbouring outputs. */
  readonly jump: number;
  /** Centre of the first output's field; 0 is the centre of the first input pixel. */
  readonly start: number;
}

export const inputReceptiveField: ReceptiveField = { size: 1, jump: 1, start: 0 };

/** Receptive field after one more window. */
export function receptiveField(
  field: ReceptiveField,
  window: { readonly kernel: number; readonly stride: number; readonly before: number; readonly dilation?: number },
): ReceptiveField {
  const extent = dilatedSize(window.kernel, window.dilation ?? 1);
  return {
    size: field.size + (extent - 1) * field.jump,
    jump: field.jump * window.stride,
    start: field.start + ((extent - 1) / 2 - window.before) * field.jump,
  };
}
