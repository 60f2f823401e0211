import type { Node, Padding, Pair, Shape, Tensor } from "@ocelli/core";
import type { ConvAttrs } from "@ocelli/core/backend";
import {
  type Emitter,
  flippedPads,
  type Lower,
  type Lowering,
  type LoweringContext,
  reduced,
  reshaped,
  transposed,
  type Value,
} from "@ocelli/formats/onnx";
import { blockedWeight, domain, turnedBlocks } from "./layout.js";

type Shape4 = readonly [number, number, number, number];

const input = (node: Node, index: number): Tensor => node.inputs[index] as Tensor;

/** Hands the node on to another lowering, with the inputs in their plain order. */
export function plainly(lowering: Lowering | "decompose"): Lower {
  if (lowering === "decompose") throw new RangeError("an op that is replaced by its definition has no lowering");
  return (b, node, _, context) =>
    lowering.lower(
      b,
      node,
      node.inputs.map((tensor) => context.full(tensor)),
      context,
    );
}

function blockedConv(block: number, otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const { stride, padding, dilation, groups } = node.attrs as ConvAttrs;
    const [o, i, kh, kw] = input(node, 1).shape as Shape4;
    const x = blockedImage(input(node, 0), i, block, context);
    if (groups !== 1 || o % block !== 0 || x === undefined) return otherwise(b, node, inputs, context);
    const w = context.full(input(node, 1));
    const weight = sharedWeight(b, w, [o, i, kh, kw], block, context);
    const [top, bottom, left, right] = padding;
    const attrs = { kernel_shape: [kh, kw], strides: stride, pads: [top, left, bottom, right], dilations: dilation };
    const output = node.outputs[0] as Tensor;
    return [{ value: b.node("Conv", [x, weight], attrs, domain), shape: output.shape, packed: true }];
  };
}

/** A blocked weight, made once for the nodes that read it. */
const sharedWeight = (b: Emitter, w: Value, shape: Shape4, block: number, context: LoweringContext): Value =>
  context.once(`blocked ${w}`, () => blockedWeight(b, w, shape, block));

/** The image for a blocked convolution: packed, or as it is where it has fewer channels than a block. */
function blockedImage(x: Tensor, channels: number, block: number, context: LoweringContext): Value | undefined {
  if (x.dtype !== "float32" || x.shape.includes(0)) return undefined;
  return channels < block ? context.full(x) : context.packed(x);
}

function blockedInputGrad(block: number, otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const attrs = node.attrs as ConvAttrs & { readonly inputShape: readonly number[] };
    const [o, c, kh, kw] = input(node, 1).shape as Shape4;
    const pads = flippedPads(input(node, 1).shape, attrs);
    const fits = attrs.groups === 1 && c % block === 0 && o % block === 0 && pads !== undefined;
    const dy = fits ? context.packed(input(node, 0)) : undefined;
    if (dy === undefined) return otherwise(b, node, inputs, context);
    const w = context.full(input(node, 1));
    const weight = context.once(`blocked and turned ${w}`, () =>
      turnedBlocks(b, sharedWeight(b, w, [o, c, kh, kw], block, context), [o, c, kh, kw], block),
    );
    const options = { kernel_shape: [kh, kw], pads, dilations: attrs.dilation };
    const output = node.outputs[0] as Tensor;
    return [{ value: b.node("Conv", [dy, weight], options, domain), shape: output.shape, packed: true }];
  };
}

/** Bytes of filters and image rows that a blocked convolution with the gradient for its filter can keep near. */
const nearBytes = 3e6;

interface WeightGradGeometry {
  readonly x: Shape4;
  readonly dy: Shape4;
  readonly weight: Shape4;
  readonly stride: Pair;
  readonly padding: Padding;
  /** Rows and columns behind the image that the windows reach into. */
  readonly bottom: number;
  readonly right: number;
}

function geometryOf(node: Node): WeightGradGeometry {
  const { stride, padding, weightShape } = node.attrs as ConvAttrs & { readonly weightShape: Shape };
  const [x, dy, weight] = [input(node, 0).shape, input(node, 1).shape, weightShape] as unknown as [
    Shape4,
    Shape4,
    Shape4,
  ];
  const behind = (i: 0 | 1): number => (dy[2 + i]! - 1) * stride[i] + weight[2 + i]! - padding[2 * i]! - x[2 + i]!;
  return { x, dy, weight, stride, padding, bottom: behind(0), right: behind(1) };
}

function fitsBlocks(node: Node, { x, dy, weight, padding, bottom, right }: WeightGradGeometry, block: number): boolean {
  const { groups, dilation } = node.attrs as ConvAttrs;
  const rows = x[2] * (x[3] + padding[2] + right) * x[1];
  const near = 4 * block * (dy[2] * dy[3] * Math.min(64, dy[1]) + rows) <= nearBytes;
  const plain = groups === 1 && dilation[0] === 1 && dilation[1] === 1 && weight[2] * weight[3] > 1;
  return plain && near && bottom >= 0 && right >= 0 && [x[0], x[1], dy[1]].every((size) => size % block === 0);
}

/**
 * The image `[1, N, H, W * C]`, its N "channels" in blocks. Columns are padded beforehand (by a depthwise convolution with 1), because
 * padding would count in single columns here, which are channels.
 */
function weightGradImage(
  b: Emitter,
  x: Value,
  { x: [n, c, h, w], padding, right }: WeightGradGeometry,
  block: number,
): Value {
  const sides = { group: c, kernel_shape: [1, 1], pads: [0, padding[2], 0, right] };
  const ones = b.initializer({ dtype: "float32", shape: [c, 1, 1, 1], data: new Float32Array(c).fill(1) });
  const wide = padding[2] + right > 0 ? b.node("Conv", [x, ones], sides, domain) : x;
  const rows = c === block ? wide : b.node("ReorderOutput", [wide], { channels: c, channels_last: 1 }, domain);
  return b.node("ReorderInput", [reshaped(b, rows, [1, n, h, (w + padding[2] + right) * c])], {}, domain);
}

/** dy as filters whose input channels are the images of the batch, or of each half of it. */
function weightGradFilter(b: Emitter, dy: Value, [n, o, oh, ow]: Shape4, halves: number, block: number): Value {
  const apart = reshaped(b, dy, [halves, n / block / halves, block, o / block, oh * ow, block]);
  return reshaped(b, transposed(b, apart, [0, 3, 1, 4, 2, 5]), [halves * o, n / halves, oh, ow]);
}

/** The weight's gradient as one blocked convolution: the plain one's image, slid along dy, with the batch for channels. */
function blockedWeightGrad(block: number, otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const geometry = geometryOf(node);
    const fits = fitsBlocks(node, geometry, block);
    const [x, dy] = [0, 1].map((i) => (fits ? context.packed(input(node, i)) : undefined));
    if (x === undefined || dy === undefined) return otherwise(b, node, inputs, context);
    const { weight, stride, padding, bottom, right } = geometry;
    const [n, o, oh, ow] = geometry.dy;
    const [, c, kh, kw] = weight;
    // Few filters make few pieces of work for the threads: half of the batch each then makes twice as many.
    const halves = n % (2 * block) === 0 && o <= 64 ? 2 : 1;
    const image = context.once(`image ${x} ${padding[2]} ${right}`, () => weightGradImage(b, x, geometry, block));
    const filter = context.once(`filter ${dy} ${halves}`, () => weightGradFilter(b, dy, geometry.dy, halves, block));
    const attrs = {
      group: halves,
      kernel_shape: [oh, ow],
      dilations: [stride[0], stride[1] * c],
      pads: [padding[0], 0, bottom, 0],
    };
    const slid = reshaped(b, b.node("Conv", [image, filter], attrs, domain), [halves, o * kh * kw * c]);
    const whole = halves === 1 ? slid : reduced(b, "ReduceSum", slid, [0], false);
    const blocks = reshaped(b, whole, [o / block, block, kh * kw * c, 1]);
    const rows = reshaped(b, b.node("ReorderOutput", [blocks], { channels: block }, domain), [o, kh * kw, c]);
    return [reshaped(b, transposed(b, rows, [0, 2, 1]), weight)];
  };
}

interface Otherwise {
  readonly conv2d: Lowering | "decompose";
  readonly conv2dInputGrad: Lowering | "decompose";
  readonly conv2dWeightGrad: Lowering | "decompose";
}

export const blockedConvolutions = (block: number, table: Otherwise) => ({
  conv2d: { broadcasts: true, lower: blockedConv(block, plainly(table.conv2d)) },
  conv2dInputGrad: { broadcasts: true, lower: blockedInputGrad(block, plainly(table.conv2dInputGrad)) },
  conv2dWeightGrad: { broadcasts: true, lower: blockedWeightGrad(block, plainly(table.conv2dWeightGrad)) },
});
