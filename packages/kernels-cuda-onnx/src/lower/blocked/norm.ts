import { type Node, type Shape, sizeOf, type Tensor } from "@ocelli/core";
import {
  type Emitter,
  type Lower,
  type Lowering,
  type LoweringContext,
  reduced,
  reshaped,
  type Value,
} from "@ocelli/formats/onnx";
import { plainly } from "./conv.js";
import { domain } from "./layout.js";

type Shape4 = readonly [number, number, number, number];

/** `scale * x + shift (+ other)`, channel by channel, in one pass: a depthwise 1x1 convolution. */
export function affine(
  b: Emitter,
  x: Value,
  channels: number,
  scale: Value,
  shift: Value | "",
  other: Value | "" = "",
): Value {
  const weight = reshaped(b, scale, [channels, 1, 1, 1]);
  return b.node("Conv", [x, weight, shift, other], { group: channels, kernel_shape: [1, 1] }, domain);
}

/** The most pixels that are summed one after the other: longer sums lose digits. */
const longest = 64;

/** Rows of a picture that one sum takes. */
function rowsAtOnce(h: number, w: number): number {
  let rows = 1;
  for (let count = 1; count <= h; count++) if (h % count === 0 && count * w <= longest) rows = count;
  return rows;
}

/** Sums of N * pieces partial results, blocked by channels, over images and pieces: `[C]`. */
function overBatch(b: Emitter, parts: Value, [n, c]: Shape4, pieces: number, block: number): Value {
  const apart = reshaped(b, parts, [n, c / block, pieces, block]);
  const images = pieces === 1 ? apart : reduced(b, "ReduceSum", apart, [2], false);
  return reduced(b, "ReduceSum", reshaped(b, images, [n, c]), [0], false);
}

/** Sum of x over everything but channels. */
function channelSum(b: Emitter, x: Value, shape: Shape4, block: number): Value {
  const [n, c, h, w] = shape;
  const rows = rowsAtOnce(h, w);
  const pieces = h / rows;
  const means = b.node("GlobalAveragePool", [reshaped(b, x, [n, c * pieces, rows, w])], {}, domain);
  return b.node("Mul", [overBatch(b, means, shape, pieces, block), b.scalar(rows * w, "float32")]);
}

/** Sum of x * y over everything but channels: a depthwise convolution of x with y. */
function channelDot(b: Emitter, x: Value, y: Value, shape: Shape4, block: number): Value {
  const [n, c, h, w] = shape;
  const rows = rowsAtOnce(h, w);
  const pieces = h / rows;
  const all = n * c * pieces;
  const attrs = { group: all, kernel_shape: [rows, w] };
  const dots = b.node("Conv", [reshaped(b, x, [1, all, rows, w]), reshaped(b, y, [all, 1, rows, w])], attrs, domain);
  return overBatch(b, dots, shape, pieces, block);
}

function shapeOf(
  node: Node,
  index: number,
  context: LoweringContext,
): { readonly x: Value; readonly shape: Shape4 } | undefined {
  const tensor = node.inputs[index] as Tensor;
  // Packing just for a normalisation would be a pass of its own.
  if (!context.raw(tensor).packed) return undefined;
  return { x: context.raw(tensor).value, shape: tensor.shape as Shape as Shape4 };
}

const epsOf = (node: Node): number => (node.attrs as { eps: number }).eps;

function reciprocalRoot(b: Emitter, variance: Value, eps: number): Value {
  return b.node("Reciprocal", [b.node("Sqrt", [b.node("Add", [variance, b.scalar(eps, "float32")])])]);
}

/** x - mean: kept, because the gradient wants it, too. */
function centred(b: Emitter, x: Value, mean: Value, c: number, context: LoweringContext): Value {
  return context.once(`centred packed ${x}`, () => {
    const ones = b.initializer({ dtype: "float32", shape: [c], data: new Float32Array(c).fill(1) });
    return affine(b, x, c, ones, b.node("Neg", [mean]));
  });
}

function batchNormTrain(block: number, otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const packed = shapeOf(node, 0, context);
    if (packed === undefined) return otherwise(b, node, inputs, context);
    const { x, shape } = packed;
    const [weight, bias] = [1, 2].map((i) => context.full(node.inputs[i] as Tensor)) as [Value, Value];
    const share = b.scalar(shape[1] / sizeOf(shape), "float32");
    const mean = b.node("Mul", [channelSum(b, x, shape, block), share]);
    const apart = centred(b, x, mean, shape[1], context);
    const variance = b.node("Mul", [channelDot(b, apart, apart, shape, block), share]);
    const scale = b.node("Mul", [weight, reciprocalRoot(b, variance, epsOf(node))]);
    return [{ value: affine(b, apart, shape[1], scale, bias), shape, packed: true }, mean, variance];
  };
}

/** As the plain one: `dx = scale * dy + slope * (x - mean) + shift`. */
function batchNormGrad(block: number, otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const packed = shapeOf(node, 1, context);
    const dy = packed === undefined ? undefined : context.packed(node.inputs[0] as Tensor);
    if (packed === undefined || dy === undefined) return otherwise(b, node, inputs, context);
    const { x, shape } = packed;
    const [weight, mean, variance] = [2, 3, 4].map((i) => context.full(node.inputs[i] as Tensor)) as [
      Value,
      Value,
      Value,
    ];
    const apart = centred(b, x, mean, shape[1], context);
    const dBias = channelSum(b, dy, shape, block);
    const rstd = reciprocalRoot(b, variance, epsOf(node));
    const dWeight = b.node("Mul", [channelDot(b, apart, dy, shape, block), rstd]);
    const scale = b.node("Mul", [weight, rstd]);
    const share = b.node("Mul", [scale, b.scalar(-shape[1] / sizeOf(shape), "float32")]);
    const slope = b.node("Mul", [b.node("Mul", [share, dWeight]), rstd]);
    const leaned = affine(b, apart, shape[1], slope, b.node("Mul", [share, dBias]));
    return [{ value: affine(b, dy, shape[1], scale, "", leaned), shape, packed: true }, dWeight, dBias];
  };
}

interface Otherwise {
  readonly batchNormTrain: Lowering | "decompose";
  readonly batchNormGrad: Lowering | "decompose";
}

export const blockedNorms = (block: number, table: Otherwise) => ({
  batchNormTrain: { broadcasts: true, lower: batchNormTrain(block, plainly(table.batchNormTrain)) },
  batchNormGrad: { broadcasts: true, lower: batchNormGrad(block, plainly(table.batchNormGrad)) },
});
