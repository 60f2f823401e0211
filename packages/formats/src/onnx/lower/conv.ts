import { dilatedSize, type Node, type Padding, type Shape, sizeOf } from "@ocelli/core";
import type { ConvAttrs } from "@ocelli/core/backend";
import type { Value } from "../builder.js";
import { sliced } from "./layout.js";
import {
  type Emitter,
  inputOf,
  type Lower,
  type Lowering,
  type LoweringContext,
  lowering,
  outputOf,
  reduced,
  reshaped,
  transposed,
} from "./lowering.js";

type Shape4 = readonly [number, number, number, number];

export const shape4 = (shape: Shape): Shape4 => shape as Shape4;

/** ONNX's order: all beginnings, then all ends. */
export const onnxPads = ([top, bottom, left, right]: Padding): number[] => [top, left, bottom, right];

/** A sum over nothing is 0; runtimes leave such results as the memory was. */
function overNothing(lower: Lower): Lower {
  return (b, node, inputs, context) => {
    const { shape, dtype } = outputOf(node);
    const empty = node.inputs.some((input) => sizeOf(input.shape) === 0) && sizeOf(shape) > 0;
    return empty ? [{ value: b.scalar(0, dtype), shape: [] }] : lower(b, node, inputs, context);
  };
}

// @__NO_SIDE_EFFECTS__
function convolution(lower: Lower): Lowering {
  return lowering(overNothing(lower));
}

const conv2d = convolution((b, node, [x, w]) => {
  const weight = inputOf(node, 1).shape;
  if (coversAll(inputOf(node, 0).shape, weight, outputOf(node).shape, node.attrs as ConvAttrs)) {
    const [o, taps] = [weight[0] as number, sizeOf(weight.slice(1))];
    const rows = reshaped(b, x as Value, [-1, taps]);
    return [reshaped(b, b.node("Gemm", [rows, reshaped(b, w as Value, [o, taps])], { transB: 1 }), [-1, o, 1, 1])];
  }
  const attrs = convAttributes(weight, node.attrs as ConvAttrs);
  return [b.node("Conv", [x as Value, w as Value], attrs)];
});

/** A kernel as large as the image: its three convolutions are matrix products, without a window that slides. */
function coversAll(x: Shape, weight: Shape, y: Shape, { padding, groups }: ConvAttrs): boolean {
  const same = x[2] === weight[2] && x[3] === weight[3];
  return same && groups === 1 && y[2] === 1 && y[3] === 1 && padding.every((p) => p === 0) && sizeOf(x) > 0;
}

/** The attributes of `Conv` for a weight `[O, C/groups, kH, kW]`. */
export function convAttributes(weight: Shape, { stride, padding, dilation, groups }: ConvAttrs) {
  return {
    kernel_shape: weight.slice(2),
    strides: stride,
    pads: onnxPads(padding),
    dilations: dilation,
    group: groups,
  };
}

// --- gradient of the input -----------------------------------------------------------------------------------------------------

export interface InputGradAttrs extends ConvAttrs {
  readonly inputShape: Shape;
}

/**
 * Stride 1: a convolution of dy with the flipped kernel, whose input and output channels change places. Otherwise, and where the
 * padding is wider than the kernel, `ConvTranspose`.
 */
const conv2dInputGrad = convolution((b, node, [dy, w], context) => {
  const attrs = node.attrs as InputGradAttrs;
  const [weight, input, output] = [inputOf(node, 1).shape, outputOf(node).shape, inputOf(node, 0).shape];
  if (coversAll(input, weight, output, attrs)) {
    const [o, taps] = [weight[0] as number, sizeOf(weight.slice(1))];
    const rows = b.node("MatMul", [reshaped(b, dy as Value, [-1, o]), reshaped(b, w as Value, [o, taps])]);
    return [reshaped(b, rows, input)];
  }
  const flipped = flippedPads(weight, attrs);
  // Where the padding would be much of the work, spreading each dy over its window does less.
  const wasteful = sizeOf(input.slice(2)) > 1.5 * sizeOf(output.slice(2));
  if (flipped === undefined || wasteful) {
    return [transposedConv(b, dy as Value, w as Value, weight, input, output, attrs)];
  }
  const turned = turnedWeight(b, context, w as Value, weight, attrs.groups);
  const options = { kernel_shape: weight.slice(2), pads: flipped, dilations: attrs.dilation, group: attrs.groups };
  return [b.node("Conv", [dy as Value, turned], options)];
});

/** The pads of the convolution that gives the input's gradient at stride 1, or undefined where some would be negative. */
export function flippedPads(
  weight: Shape,
  { stride, dilation, padding, inputShape }: InputGradAttrs,
): number[] | undefined {
  if (stride[0] !== 1 || stride[1] !== 1) return undefined;
  const reach = [0, 1].map((i) => dilatedSize(weight[2 + i] as number, dilation[i] as number) - 1);
  const before = [0, 1].map((i) => (reach[i] as number) - (padding[2 * i] as number));
  // At stride 1 nothing is left over: what the padding took away at the end comes back there.
  const after = [0, 1].map((i) => (reach[i] as number) - (padding[2 * i + 1] as number));
  const pads = [...before, ...after];
  return inputShape.length === 4 && pads.every((pad) => pad >= 0) ? pads : undefined;
}

/** `[g * O/g, C/g, kH, kW]` -> `[g * C/g, O/g, kH, kW]`, each kernel turned by 180 degrees. */
export function turnedWeight(b: Emitter, context: LoweringContext, w: Value, shape: Shape, groups: number): Value {
  const [o, c, kh, kw] = shape4(shape);
  const positions = kh * kw;
  return context.once(`turned ${w} ${groups}`, () => {
    const perGroup = o / groups;
    let turned = w;
    if (positions > 1) {
      const backwards = Array.from({ length: positions }, (_, i) => positions - 1 - i);
      turned = b.node("Gather", [reshaped(b, w, [o, c, positions]), b.int64(backwards)], { axis: 2 });
    }
    if (perGroup > 1 && c > 1) {
      turned = transposed(b, reshaped(b, turned, [groups, perGroup, c, positions]), [0, 2, 1, 3]);
    }
    return reshaped(b, turned, [groups * c, perGroup, kh, kw]);
  });
}

function transposedConv(b: Emitter, dy: Value, w: Value, weight: Shape, x: Shape, y: Shape, attrs: ConvAttrs): Value {
  const { stride, padding, dilation, groups } = attrs;
  const pads = [...padding] as [number, number, number, number];
  const extra = [0, 0];
  for (const i of [0, 1] as const) {
    const reach = ((y[2 + i] as number) - 1) * stride[i] + dilatedSize(weight[2 + i] as number, dilation[i]);
    // Rows at the end that no window reached; with wide padding the windows may end before the input does.
    const missing = (x[2 + i] as number) + padding[2 * i]! - reach;
    extra[i] = Math.max(0, missing);
    pads[2 * i + 1] = Math.max(0, -missing);
  }
  return b.node("ConvTranspose", [dy, w], {
    kernel_shape: weight.slice(2),
    strides: stride,
    pads: onnxPads(pads),
    dilations: dilation,
    group: groups,
    output_padding: extra,
  });
}

// --- gradient of the weight ----------------------------------------------------------------------------------------------------

export interface WeightGradAttrs extends ConvAttrs {
  readonly weightShape: Shape;
}

/** `[N, g, O/g, pixels] x [N, g, C/g, pixels]^T`, a product an image and group. */
export type PixelProduct = (b: Emitter, dy: Value, pixels: Value) => Value;

/** The lowering of the weight's gradient, with a way to multiply by transposed pixels. */
export function weightGradLowering(product: PixelProduct): Lower {
  return overNothing((b, node, [x, dy], context) => {
    const { padding, weightShape } = node.attrs as WeightGradAttrs;
    const pointwise = weightShape[2] === 1 && weightShape[3] === 1 && padding.every((p) => p === 0);
    const [image, output] = [inputOf(node, 0).shape, inputOf(node, 1).shape];
    if (coversAll(image, weightShape, output, node.attrs as ConvAttrs)) {
      const [o, taps] = [weightShape[0] as number, sizeOf(weightShape.slice(1))];
      const operands = [reshaped(b, dy as Value, [-1, o]), reshaped(b, x as Value, [-1, taps])] as const;
      return [reshaped(b, b.node("Gemm", operands, { transA: 1 }), weightShape)];
    }
    if (pointwise) return [pointwiseWeightGrad(b, node, x as Value, dy as Value, product)];
    return [weightGradByConv(b, node, x as Value, dy as Value, context)];
  });
}

const conv2dWeightGrad = lowering(
  weightGradLowering((b, dy, pixels) => b.node("MatMul", [dy, transposed(b, pixels, [0, 1, 3, 2])])),
);

/** 1x1: for each image a matrix product of dy with the pixels that it comes from; then a sum over the images. */
function pointwiseWeightGrad(b: Emitter, node: Node, x: Value, dy: Value, product: PixelProduct): Value {
  const { stride, groups, weightShape } = node.attrs as WeightGradAttrs;
  const input = shape4(inputOf(node, 0).shape);
  const [n, o, oh, ow] = shape4(inputOf(node, 1).shape);
  const strided = {
    starts: [0, 0, 0, 0],
    ends: [n, input[1], (oh - 1) * stride[0] + 1, (ow - 1) * stride[1] + 1],
    strides: [1, 1, ...stride],
  };
  const pixels = reshaped(b, sliced(b, x, input, strided), [n, groups, input[1] / groups, oh * ow]);
  const products = product(b, reshaped(b, dy, [n, groups, o / groups, oh * ow]), pixels);
  return reshaped(b, reduced(b, "ReduceSum", products, [0]), weightShape);
}

/**
 * One convolution without any copies of x: read as the image `[groups, N, H, W * C/groups]` (channels next to columns), with dy
 * `[O, N, H', W']` for a filter whose dilation is the stride. Sliding it by one row moves one kernel row on; sliding it by one column
 * moves one channel on, and by C/groups one kernel column.
 */
function weightGradByConv(b: Emitter, node: Node, x: Value, dy: Value, context: LoweringContext): Value {
  const { stride, padding, dilation, groups, weightShape } = node.attrs as WeightGradAttrs;
  const [n, c, h, w] = shape4(inputOf(node, 0).shape);
  const [, , oh, ow] = shape4(inputOf(node, 1).shape);
  const [o, perGroup, kh, kw] = shape4(weightShape);
  const reach = (i: 0 | 1, count: number, kernel: number): number =>
    (count - 1) * stride[i] + dilatedSize(kernel, dilation[i]);
  // Rows and columns that the windows reach into; what lies behind is cut off, as a negative padding would do.
  const ends = [reach(0, oh, kh) - padding[0] - h, reach(1, ow, kw) - padding[2] - w] as const;
  const image = channelsLast(b, x, [n, c, h, w], groups, context);
  const [height, width] = [h + Math.min(0, ends[0]), (w + Math.min(0, ends[1])) * perGroup];
  const cut = { starts: [0, 0, 0, 0], ends: [1, groups * n, height, width], strides: [1, 1, 1, 1] };
  const filter = context.once(`batch inside ${dy}`, () => transposed(b, dy, [1, 0, 2, 3]));
  const slid = b.node("Conv", [sliced(b, image, [1, groups * n, h, w * perGroup], cut), filter], {
    kernel_shape: [oh, ow],
    dilations: [stride[0], stride[1] * perGroup],
    strides: [dilation[0], 1],
    pads: [padding[0], padding[2] * perGroup, Math.max(0, ends[0]), Math.max(0, ends[1]) * perGroup],
    group: groups,
  });
  const columns = dilatedSize(kw, dilation[1]);
  const all = reshaped(b, slid, [o, kh, columns, perGroup]);
  const step = { starts: [0, 0, 0, 0], ends: [o, kh, columns, perGroup], strides: [1, 1, dilation[1], 1] };
  const used = sliced(b, all, [o, kh, columns, perGroup], step);
  if (perGroup === 1) return reshaped(b, used, weightShape);
  return reshaped(b, transposed(b, reshaped(b, used, [o, kh * kw, perGroup]), [0, 2, 1]), weightShape);
}

function channelsLast(b: Emitter, x: Value, [n, c, h, w]: Shape4, groups: number, context: LoweringContext): Value {
  return context.once(`channels last ${x} ${groups}`, () => {
    const perGroup = c / groups;
    const grouped = groups === 1 ? x : reshaped(b, x, [n, groups, perGroup, h, w]);
    const perm = groups === 1 ? [0, 2, 3, 1] : [1, 0, 3, 4, 2];
    return reshaped(b, transposed(b, grouped, perm), [1, groups * n, h, w * perGroup]);
  });
}

export const convLowerings = { conv2d, conv2dInputGrad, conv2dWeightGrad };
