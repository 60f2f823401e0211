import { type Shape, type Spec, sizeOf } from "@ocelli/core";
import { batchAxes, batchCount, type LrnAttrs } from "@ocelli/core/backend";
import { float } from "../attributes.js";
import type { Value } from "../builder.js";
import { type Emitter, inputOf, lowering, reduced, reshaped } from "./lowering.js";

const along = (shape: Shape): number[] => [shape[1] as number, ...shape.slice(2).map(() => 1)];

const epsOf = (attrs: unknown): number => (attrs as { eps: number }).eps;

/** `scale * (x - mean) / sqrt(variance + eps) + bias`, channel by channel, in one pass over x. */
export function affine(
  b: Emitter,
  inputs: readonly [x: Value, scale: Value, bias: Value, mean: Value, variance: Value],
  eps: number,
): Value {
  return b.node("BatchNormalization", inputs, { epsilon: float(eps) });
}

const batchNormInference = lowering((b, node, inputs) => [
  affine(b, inputs as unknown as [Value, Value, Value, Value, Value], epsOf(node.attrs)),
]);

/** Two passes, so that a mean far from 0 costs no digits: the mean, then the mean of the squared distances. */
const batchNormTrain = lowering((b, node, [x, weight, bias], context) => {
  const { shape } = inputOf(node, 0);
  const axes = batchAxes(shape);
  const kept = reduced(b, "ReduceMean", x as Value, axes);
  const mean = reshaped(b, kept, [shape[1] as number]);
  const centred = context.once(`centred ${x}`, () => b.node("Sub", [x as Value, kept]));
  const squares = b.node("Mul", [centred, centred]);
  const variance = reshaped(b, reduced(b, "ReduceMean", squares, axes), [shape[1] as number]);
  const y = affine(b, [x, weight, bias, mean, variance] as [Value, Value, Value, Value, Value], epsOf(node.attrs));
  return [y, mean, variance];
});

/**
 * With the sums over the batch S1 = sum dy and S2 = sum dy * (x - mean), M elements a channel, r = 1 / sqrt(variance + eps):
 * `dbias = S1`, `dweight = r S2`, `dx = weight r (dy - S1 / M - (x - mean) r^2 S2 / M)`.
 */
const batchNormGrad = lowering((b, node, inputs, context) => {
  const [dy, x, weight, mean, variance] = inputs as unknown as [Value, Value, Value, Value, Value];
  const { shape } = inputOf(node, 1);
  const axes = batchAxes(shape);
  const count = batchCount(shape);
  const centred = context.once(`centred ${x}`, () => b.node("Sub", [x, reshaped(b, mean, along(shape))]));
  const number = (value: number): Value => b.scalar(value, inputOf(node, 0).dtype);
  const dBias = reduced(b, "ReduceSum", dy, axes, false);
  const spread = reduced(b, "ReduceSum", b.node("Mul", [dy, centred]), axes, false);
  const rstd = b.node("Reciprocal", [b.node("Sqrt", [b.node("Add", [variance, number(epsOf(node.attrs))])])]);
  const dWeight = b.node("Mul", [spread, rstd]);
  const scale = b.node("Mul", [weight, rstd]);
  const slope = b.node("Mul", [b.node("Mul", [dWeight, rstd]), number(-1 / count)]);
  const shift = b.node("Mul", [dBias, number(-1 / count)]);
  const wide = (value: Value): Value => reshaped(b, value, along(shape));
  const leaned = b.node("Add", [dy, b.node("Mul", [centred, wide(slope)])]);
  const dx = b.node("Mul", [b.node("Add", [leaned, wide(shift)]), wide(scale)]);
  return [dx, dWeight, dBias];
});

/** Sum over a window of channels, `before` of them ahead, as a mean over rows of `[N, 1, C, pixels]`. */
function channelWindowSum(b: Emitter, x: Value, { shape, dtype }: Spec, size: number, before: number): Value {
  const [n, c] = shape as readonly [number, number];
  const rows = reshaped(b, x, [n, 1, c, sizeOf(shape.slice(2))]);
  const mean = b.node("AveragePool", [rows], {
    kernel_shape: [size, 1],
    pads: [before, 0, size - 1 - before, 0],
    count_include_pad: 1,
  });
  return reshaped(b, b.node("Mul", [mean, b.scalar(size, dtype)]), shape);
}

/** ONNX puts the longer half of an even window behind the channel, PyTorch ahead: `LRN` serves odd sizes. */
const localResponseNorm = lowering((b, node, [x]) => {
  const { size, alpha, beta, k } = node.attrs as LrnAttrs;
  const { shape, dtype } = inputOf(node, 0);
  if (size % 2 === 1) {
    const flat = [...shape.slice(0, 2), sizeOf(shape.slice(2)), 1];
    const attrs = { size, alpha: float(alpha), beta: float(beta), bias: float(k) };
    if (shape.length === 4) return [b.node("LRN", [x as Value], attrs)];
    return [reshaped(b, b.node("LRN", [reshaped(b, x as Value, flat)], attrs), shape)];
  }
  const squares = channelWindowSum(b, b.node("Mul", [x as Value, x as Value]), inputOf(node, 0), size, size / 2);
  const scaled = b.node("Add", [b.node("Mul", [squares, b.scalar(alpha / size, dtype)]), b.scalar(k, dtype)]);
  return [b.node("Div", [x as Value, b.node("Pow", [scaled, b.scalar(beta, dtype)])])];
});

const softmaxOf = (op: string) =>
  lowering((b, node, inputs) => [b.node(op, inputs, { axis: (node.attrs as { axis: number }).axis })]);

export const normLowerings = {
  batchNormTrain,
  batchNormGrad,
  batchNormInference,
  localResponseNorm,
  localResponseNormGrad: "decompose",
  softmax: softmaxOf("Softmax"),
  logSoftmax: softmaxOf("LogSoftmax"),
} as const;
