/**
 * The index walk that matrix products and all three convolutions share:
 * `y[image, out, row, col] = sum over channel and taps of w[out, channel, tap] * x[image, channel, place of (row, col) and tap]`,
 * every operand addressed by strides. The kernels differ in what they call image, channel and tap.
 */
import { type Spec, sizeOf } from "@ocelli/core";
import { type ConvAttrs, type MatmulAttrs, matmulSizes } from "@ocelli/core/backend";

/** Outputs whose position is `r` modulo the number of classes use the taps `first`, `first + every`, ... of `w`. */
export interface ResidueClass {
  readonly first: number;
  readonly taps: number;
  /** Position in `x` of the class's first output and first tap. */
  readonly offset: number;
}

/** One spatial axis. Output `r + q * classes.length` and its tap `m` meet `x` at `q * stride + m * step + classes[r].offset`. */
export interface Axis {
  /** Positions of the output. */
  readonly out: number;
  /** Positions of `x`; whatever lies outside counts as 0. */
  readonly size: number;
  readonly classes: readonly ResidueClass[];
  readonly stride: number;
  readonly step: number;
  readonly every: number;
}

interface Strides {
  readonly group: number;
  readonly channel: number;
  readonly out: number;
  readonly image: number;
  readonly row: number;
  readonly col: number;
}

export interface Walk {
  readonly name: string;
  /** Input that holds `x`, and its strides; `out` is unused. */
  readonly x: Strides & { readonly input: number };
  /** Input that holds `w`; `image` is unused. */
  readonly w: Strides & { readonly input: number };
  /** Strides of output 0; `channel` is unused. */
  readonly y: Strides;
  readonly groups: number;
  readonly images: number;
  /** Output channels of one group. */
  readonly outs: number;
  /** Channels of one group to sum over. */
  readonly channels: number;
  readonly rows: Axis;
  readonly cols: Axis;
  /** Elements of output 0. */
  readonly size: number;
  readonly macs: number;
}

const none: Strides = { group: 0, channel: 0, out: 0, image: 0, row: 0, col: 0 };
const point = (out: number): Axis => ({
  out,
  size: out,
  classes: [{ first: 0, taps: 1, offset: 0 }],
  stride: 1,
  step: 1,
  every: 1,
});

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const modulo = (a: number, n: number): number => ((a % n) + n) % n;

interface Extent {
  readonly size: number;
  readonly kernel: number;
  readonly out: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

const forwardAxis = ({ size, kernel, out, stride, dilation, before }: Extent): Axis => ({
  out,
  size,
  classes: [{ first: 0, taps: kernel, offset: -before }],
  stride,
  step: dilation,
  every: 1,
});

/** The convolution read backwards: a pixel meets only the taps that leave it at a multiple of the stride, so no zeros are inserted. */
function inputGradAxis({ size, kernel, out, stride, dilation, before }: Extent): Axis {
  const common = gcd(stride, dilation);
  const every = stride / common;
  const classes = Array.from({ length: stride }, (_, r): ResidueClass => {
    const first =
      Array.from({ length: every }, (_, k) => k).find((k) => modulo(r + before - k * dilation, stride) === 0) ?? kernel;
    const taps = first < kernel ? Math.ceil((kernel - first) / every) : 0;
    return { first, taps, offset: taps === 0 ? 0 : (r + before - first * dilation) / stride };
  });
  return { out: size, size: out, classes, stride: 1, step: -dilation / common, every };
}

/** The weight gradient is a convolution of `x` by `dy`: dilation and stride change places. */
const weightGradAxis = ({ size, kernel, out, stride, dilation, before }: Extent): Axis => ({
  out: kernel,
  size,
  classes: [{ first: 0, taps: out, offset: -before }],
  stride: dilation,
  step: stride,
  every: 1,
});

export type ConvName = "conv2d" | "conv2dInputGrad" | "conv2dWeightGrad";
const axisOf = { conv2d: forwardAxis, conv2dInputGrad: inputGradAxis, conv2dWeightGrad: weightGradAxis };

type Shape4 = readonly [number, number, number, number];

/** Shapes of a convolution's input, weight and output. */
export interface ConvShapes {
  readonly x: Shape4;
  readonly w: Shape4;
  readonly y: Shape4;
}

/** The walk of one of the three convolutions. */
export function convWalk(name: ConvName, shapes: ConvShapes, attrs: ConvAttrs): Walk {
  if (isProduct(shapes, attrs)) return productWalk(name, shapes.x[0], shapes.y[1], sizeOf(shapes.w.slice(1)));
  const pointwise = isPointwise(shapes, attrs);
  const { x, w, y } = pointwise ? flattened(shapes) : shapes;
  if (pointwise && name === "conv2dWeightGrad") return pointwiseWeightGrad({ x, w, y }, attrs);
  const [images, channels, height, width] = x;
  const [outs, perGroup, kh, kw] = w;
  const [outHeight, outWidth] = [y[2], y[3]];
  const outsPerGroup = outs / attrs.groups;
  const extent = (axis: 0 | 1): Extent => ({
    size: x[2 + axis]!,
    kernel: w[2 + axis]!,
    out: y[2 + axis]!,
    stride: attrs.stride[axis],
    dilation: attrs.dilation[axis],
    before: attrs.padding[2 * axis]!,
  });
  const [pixels, outPixels, taps] = [height * width, outHeight * outWidth, kh * kw];
  // Strides by what each dimension is in the forward convolution.
  const inX = { image: channels * pixels, c: pixels, row: width, col: 1, group: perGroup * pixels };
  const inW = { o: perGroup * taps, c: taps, row: kw, col: 1, group: outsPerGroup * perGroup * taps };
  const inY = { image: outs * outPixels, o: outPixels, row: outWidth, col: 1, group: outsPerGroup * outPixels };
  const common = {
    name,
    groups: attrs.groups,
    rows: axisOf[name](extent(0)),
    cols: axisOf[name](extent(1)),
    macs: sizeOf(y) * perGroup * taps,
  };
  if (name === "conv2d") {
    return {
      ...common,
      x: { ...none, ...inX, channel: inX.c, input: 0 },
      w: { ...none, ...inW, out: inW.o, channel: inW.c, input: 1 },
      y: { ...none, ...inY, out: inY.o },
      images,
      outs: outsPerGroup,
      channels: perGroup,
      size: sizeOf(y),
    };
  }
  if (name === "conv2dInputGrad") {
    return {
      ...common,
      x: { ...none, ...inY, channel: inY.o, input: 0 },
      w: { ...none, ...inW, out: inW.c, channel: inW.o, input: 1 },
      y: { ...none, ...inX, out: inX.c },
      images,
      outs: perGroup,
      channels: outsPerGroup,
      size: sizeOf(x),
    };
  }
  return {
    ...common,
    x: { ...none, ...inX, image: inX.c, channel: inX.image, input: 0 },
    w: { ...none, ...inY, out: inY.o, channel: inY.image, input: 1 },
    y: { ...none, ...inW, image: inW.c, out: inW.o },
    images: perGroup,
    outs: outsPerGroup,
    channels: images,
    size: sizeOf(w),
  };
}

/** Whether each image is multiplied by all of the kernel exactly once: a fully connected layer, written as a convolution. */
function isProduct({ x, w }: Pick<ConvShapes, "x" | "w">, { padding, groups }: ConvAttrs): boolean {
  return groups === 1 && x[2] === w[2] && x[3] === w[3] && padding.every((p) => p === 0);
}

/** Whether every pixel is multiplied by itself alone. */
const isPointwise = ({ w }: ConvShapes, { stride, padding }: ConvAttrs): boolean =>
  w[2] === 1 && w[3] === 1 && stride[0] === 1 && stride[1] === 1 && padding.every((p) => p === 0);

/** Where rows do not matter, one long row: it divides better into tiles. */
const flattened = ({ x, w, y }: ConvShapes): ConvShapes => ({
  x: [x[0], x[1], 1, x[2] * x[3]],
  w,
  y: [y[0], y[1], 1, y[2] * y[3]],
});

/** Here input channels are the columns, for a kernel of one tap has no others, and pixels are the taps of the one row. */
function pointwiseWeightGrad({ x, w, y }: ConvShapes, { groups }: ConvAttrs): Walk {
  const [images, channels, , pixels] = x;
  const [outs, perGroup] = w;
  const outsPerGroup = outs / groups;
  return {
    name: "conv2dWeightGrad",
    x: { ...none, input: 0, group: perGroup * pixels, channel: channels * pixels, row: 1, col: pixels },
    w: { ...none, input: 1, group: outsPerGroup * pixels, channel: outs * pixels, out: pixels, row: 1 },
    y: { ...none, group: outsPerGroup * perGroup, out: perGroup, col: 1 },
    groups,
    images: 1,
    outs: outsPerGroup,
    channels: images,
    rows: { out: 1, size: pixels, classes: [{ first: 0, taps: pixels, offset: 0 }], stride: 0, step: 1, every: 1 },
    cols: point(perGroup),
    size: sizeOf(w),
    macs: sizeOf(y) * perGroup,
  };
}

/** `y[n, o] = sum of x[n, k] w[o, k]` and its two gradients. */
function productWalk(name: ConvName, n: number, o: number, k: number): Walk {
  const walks = {
    conv2d: { x: [0, 1, k], w: [1, k, 1], y: [1, o], outs: o, cols: n, channels: k },
    conv2dInputGrad: { x: [1, k, 1], w: [0, o, 1], y: [k, 1], outs: n, cols: k, channels: o },
    conv2dWeightGrad: { x: [0, k, 1], w: [1, 1, o], y: [k, 1], outs: o, cols: k, channels: n },
  }[name];
  const [x, w, y] = [walks.x, walks.w, walks.y] as [number[], number[], number[]];
  return {
    name,
    x: { ...none, input: x[0]!, channel: x[1]!, col: x[2]! },
    w: { ...none, input: w[0]!, out: w[1]!, channel: w[2]! },
    y: { ...none, out: y[0]!, col: y[1]! },
    groups: 1,
    images: 1,
    outs: walks.outs,
    channels: walks.channels,
    rows: point(1),
    cols: point(walks.cols),
    size: walks.outs * walks.cols,
    macs: n * o * k,
  };
}

/** The walk of a batched matrix product: rows of `a` are output channels, columns of `b` are pixels. */
export function matmulWalk(a: Spec, b: Spec, attrs: MatmulAttrs): Walk {
  const { m, k, n } = matmulSizes(a, b, attrs);
  const batch = sizeOf(a.shape.slice(0, -2));
  return {
    name: "matmul",
    x: { ...none, input: 1, group: k * n, channel: attrs.transposeB ? 1 : n, col: attrs.transposeB ? k : 1 },
    w: { ...none, input: 0, group: m * k, out: attrs.transposeA ? 1 : k, channel: attrs.transposeA ? m : 1 },
    y: { ...none, group: m * n, out: n, col: 1 },
    groups: batch,
    images: 1,
    outs: m,
    channels: k,
    rows: point(1),
    cols: point(n),
    size: batch * m * n,
    macs: batch * m * n * k,
  };
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A WGSL constant; negative numbers wrap, as sums of u32 do. */
export const u = (value: number): string => `${value >>> 0}u`;

export const lines = (...text: string[]): string => text.map((line) => `  ${line}\n`).join("");

/** Column taps of `w`, whichever class they belong to. */
export const tapsOf = ({ classes, every }: Axis): number =>
  Math.max(...classes.map(({ first, taps }) => (taps === 0 ? 0 : first + (taps - 1) * every + 1)));

/** All of the tests. Without `&&`, which would branch. */
export const both = (...tests: string[]): string =>
  tests.length < 2 ? tests.join() : tests.map((test) => `(${test})`).join(" & ");

export const indented = (text: readonly string[]): string[] => text.map((line) => `  ${line}`);

/** WGSL of a value that differs between residue classes, chosen by the class's number. */
export function chosen(classes: readonly ResidueClass[], key: keyof ResidueClass, number: string): string {
  const values = classes.map((c) => u(c[key]));
  if (new Set(values).size === 1) return values[0]!;
  return values.slice(1).reduce((text, value, i) => `select(${text}, ${value}, ${number} == ${i + 1}u)`, values[0]!);
}

/** Whether all outputs meet only positions inside `x`. */
export function alwaysInside({ out, size, classes, stride, step }: Axis): boolean {
  return classes.every(({ taps, offset }, r) => {
    const last = (Math.ceil((out - r) / classes.length) - 1) * stride;
    const ends = [0, last, (taps - 1) * step, last + (taps - 1) * step].map((p) => p + offset);
    return taps === 0 || last < 0 || ends.every((p) => p >= 0 && p < size);
  });
}
