import type { LrnAttrs } from "../ops/norm.js";
import { type Shape, sizeOf } from "../shape.js";
import { lines, outputOf, type ReferenceKernel, type Values, zeros } from "./kernel.js";

/** Visits every element of `[N, C, ...]` with its channel. */
function eachInChannel(shape: Shape, visit: (at: number, channel: number) => void): void {
  const [channels, inner] = [shape[1]!, sizeOf(shape.slice(2))];
  for (let i = 0; i < sizeOf(shape); i++) visit(i, Math.floor(i / inner) % channels);
}

/** Mean of `value(element)` over each channel. */
function channelMeans(shape: Shape, value: (at: number, channel: number) => number): Values {
  const sums = new Float64Array(shape[1]!);
  eachInChannel(shape, (at, channel) => {
    sums[channel] = sums[channel]! + value(at, channel);
  });
  return sums.map((sum) => (sum * shape[1]!) / sizeOf(shape));
}

function normalized(
  shape: Shape,
  x: Values,
  weight: Values,
  bias: Values,
  mean: Values,
  variance: Values,
  eps: number,
): Values {
  const out = new Float64Array(x.length);
  eachInChannel(shape, (at, c) => {
    out[at] = ((x[at]! - mean[c]!) / Math.sqrt(variance[c]! + eps)) * weight[c]! + bias[c]!;
  });
  return out;
}

const batchNormTrain: ReferenceKernel = (node, [x, weight, bias]) => {
  const { shape } = node.inputs[0]!;
  const mean = channelMeans(shape, (at) => x![at]!);
  const variance = channelMeans(shape, (at, c) => (x![at]! - mean[c]!) ** 2);
  return [normalized(shape, x!, weight!, bias!, mean, variance, node.attrs.eps), mean, variance];
};

const batchNormInference: ReferenceKernel = (node, [x, weight, bias, mean, variance]) =>
  normalized(node.inputs[0]!.shape, x!, weight!, bias!, mean!, variance!, node.attrs.eps);

const batchNormGrad: ReferenceKernel = (node, [dy, x, weight, mean, variance]) => {
  const { shape } = node.inputs[1]!;
  const { eps } = node.attrs as { eps: number };
  const normal = (at: number, c: number): number => (x![at]! - mean![c]!) / Math.sqrt(variance![c]! + eps);
  const dyMean = channelMeans(shape, (at) => dy![at]!);
  const dyNormalMean = channelMeans(shape, (at, c) => dy![at]! * normal(at, c));
  const dx = zeros(node.inputs[1]!);
  eachInChannel(shape, (at, c) => {
    const scale = weight![c]! / Math.sqrt(variance![c]! + eps);
    dx[at] = scale * (dy![at]! - dyMean[c]! - normal(at, c) * dyNormalMean[c]!);
  });
  const count = sizeOf(shape) / Math.max(1, shape[1]!);
  return [dx, dyNormalMean.map((value) => value * count), dyMean.map((value) => value * count)];
};

/** Sum of `value` over the channels `before` ahead of each element's own and `after` behind it. */
function overChannels(shape: Shape, before: number, after: number, value: (at: number) => number): Values {
  const out = new Float64Array(sizeOf(shape));
  lines(shape, 1, (start, step) => {
    for (let c = 0; c < shape[1]!; c++) {
      let total = 0;
      for (let j = Math.max(0, c - before); j <= Math.min(shape[1]! - 1, c + after); j++)
        total += value(start + j * step);
      out[start + c * step] = total;
    }
  });
  return out;
}

function lrnScales(shape: Shape, x: Values, { size, alpha, k }: LrnAttrs): Values {
  const [before, after] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
  return overChannels(shape, before, after, (at) => x[at]! ** 2).map((sum) => k + (alpha / size) * sum);
}

const localResponseNorm: ReferenceKernel = (node, [x]) => {
  const attrs = node.attrs as LrnAttrs;
  const scales = lrnScales(outputOf(node).shape, x!, attrs);
  return x!.map((value, i) => value * scales[i]! ** -attrs.beta);
};

const localResponseNormGrad: ReferenceKernel = (node, [dy, x]) => {
  const attrs = node.attrs as LrnAttrs;
  const { shape } = outputOf(node);
  const { size, alpha, beta } = attrs;
  const scales = lrnScales(shape, x!, attrs);
  // Channel j is in the windows of the channels that see it: the window of the forward pass, mirrored.
  const [before, after] = [Math.floor((size - 1) / 2), Math.floor(size / 2)];
  const crossed = overChannels(shape, before, after, (at) => dy![at]! * x![at]! * scales[at]! ** (-beta - 1));
  const factor = (2 * alpha * beta) / size;
  return dy!.map((value, i) => value * scales[i]! ** -beta - factor * x![i]! * crossed[i]!);
};

/** Visits each line along the softmax axis with its maximum and the sum of `e^(x - maximum)`. */
function softmaxBy(finish: (centred: number, sum: number) => number): ReferenceKernel {
  return (node, [x]) => {
    const { shape } = outputOf(node);
    const { axis } = node.attrs as { axis: number };
    const out = zeros(outputOf(node));
    lines(shape, axis, (start, step) => {
      const at = Array.from({ length: shape[axis]! }, (_, i) => start + i * step);
      const max = at.reduce((best, i) => Math.max(best, x![i]!), Number.NEGATIVE_INFINITY);
      const sum = at.reduce((total, i) => total + Math.exp(x![i]! - max), 0);
      for (const i of at) out[i] = finish(x![i]! - max, sum);
    });
    return out;
  };
}

export const norm = {
  batchNormTrain,
  batchNormGrad,
  batchNormInference,
  localResponseNorm,
  localResponseNormGrad,
  softmax: softmaxBy((centred, sum) => Math.exp(centred) / sum),
  logSoftmax: softmaxBy((centred, sum) => centred - Math.log(sum)),
} satisfies Record<string, ReferenceKernel>;
