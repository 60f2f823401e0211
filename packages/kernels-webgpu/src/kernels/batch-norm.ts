/**
 * Batch normalisation in training, cut where it pays: the statistics of a channel are one pass over memory, and everything that is done
 * to each element is plain arithmetic, which fuses with what stands around it (ReLU, the addition of a shortcut).
 */
import { add, applyAll, defineOp, div, mul, type Op, type Spec, sqrt, sub, type Tensor } from "@ocelli/core";
import { alongChannels, batchAxes, batchCount } from "@ocelli/core/backend";
import type { Kernel } from "../kernel.js";
import { type Fold, foldLines, linesOf } from "./lines.js";

export interface BatchNormAttrs {
  readonly eps: number;
}

const channelVector = ({ shape, dtype }: Spec): Spec => ({ shape: [shape[1]!], dtype });

/** Mean and biased variance of each channel: `[N, C, ...]` -> `[C]`, `[C]`. */
export const batchNormStatsOp: Op = defineOp({
  name: "batchNormStats",
  infer: ([x]) => [channelVector(x!), channelVector(x!)],
  vjp: "nondifferentiable",
});

/**
 * The two sums of the gradient: `sum(dy * (x - mean) / sqrt(variance + eps))`, which is the weight's, and `sum(dy)`, which is the bias's.
 * dy and x `[N, C, ...]`, mean and variance `[C]` -> `[C]`, `[C]`.
 */
export const batchNormGradSumsOp = defineOp<BatchNormAttrs>({
  name: "batchNormGradSums",
  inputs: ["dy", "input", "mean", "variance"],
  infer: ([, x]) => [channelVector(x!), channelVector(x!)],
  vjp: "nondifferentiable",
});

/** `batchNormTrain` by {@link batchNormStatsOp} and arithmetic. Inputs: input, weight, bias -> y, mean, variance. */
export function lowerBatchNormTrain(inputs: readonly Tensor[], { eps }: BatchNormAttrs): readonly Tensor[] {
  const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor];
  const [mean, variance] = applyAll(batchNormStatsOp, [x]) as readonly [Tensor, Tensor];
  const scale = div(weight, sqrt(add(variance, eps)));
  const centred = sub(x, alongChannels(mean, x.shape));
  const y = add(mul(centred, alongChannels(scale, x.shape)), alongChannels(bias, x.shape));
  return [y, mean, variance];
}

/** `batchNormGrad` by {@link batchNormGradSumsOp} and arithmetic. Inputs: dy, input, weight, mean, variance -> dx, dWeight, dBias. */
export function lowerBatchNormGrad(inputs: readonly Tensor[], { eps }: BatchNormAttrs): readonly Tensor[] {
  const [dy, x, weight, mean, variance] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { shape } = x;
  const [dWeight, dBias] = applyAll(batchNormGradSumsOp, [dy, x, mean, variance], { eps }) as readonly [Tensor, Tensor];
  // dx = scale * (dy - mean(dy) - normal * mean(dy * normal)), with all that is the same along a channel computed once a channel.
  const deviation = sqrt(add(variance, eps));
  const scale = div(weight, deviation);
  const perElement = mul(scale, -1 / batchCount(shape));
  const slope = div(mul(perElement, dWeight), deviation);
  const shift = mul(perElement, dBias);
  const direct = add(mul(dy, alongChannels(scale, shape)), alongChannels(shift, shape));
  const centred = sub(x, alongChannels(mean, shape));
  return [add(direct, mul(centred, alongChannels(slope, shape))), dWeight, dBias];
}

/**
 * Count, mean and sum of squared deviations. Each lane sums deviations from its own first element, so that a mean far from 0 costs no
 * digits; lanes merge by Chan's formula.
 */
const moments: Fold = {
  fields: { count: "f32", mean: "f32", squares: "f32" },
  zero: "0.0, 0.0, 0.0",
  begin: "  let shift = r0(first);",
  take: `      let deviation = r0(at) - shift;
      acc.count += 1.0;
      acc.mean += deviation;
      acc.squares += deviation * deviation;`,
  end: `  if (acc.count > 0.0) {
    let offset = acc.mean / acc.count;
    acc = Acc(acc.count, shift + offset, max(acc.squares - acc.mean * offset, 0.0));
  }`,
  merge: `  let count = max(a.count + b.count, 1.0);
  let apart = b.mean - a.mean;
  let share = b.count / count;
  return Acc(a.count + b.count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share);`,
  // The first lane of a subgroup is the last to be without elements.
  subgroup: `  let count = subgroupAdd(acc.count);
  let shift = subgroupBroadcastFirst(acc.mean);
  let mean = shift + subgroupAdd((acc.mean - shift) * acc.count) / max(count, 1.0);
  let apart = acc.mean - mean;
  return Acc(count, mean, subgroupAdd(acc.squares + apart * apart * acc.count));`,
};

export const batchNormStats: Kernel = {
  inlines: () => [true],
  dispatches: ({ inputs, limits }) => {
    const { shape } = inputs[0]!;
    return foldLines({
      name: "batchNormStats",
      limits,
      lines: linesOf(shape, batchAxes(shape)),
      fold: moments,
      reads: [0],
      writes: [0, 1],
      finish: { line: "    w0(place, total.mean);\n    w1(place, total.squares / total.count);" },
    });
  },
};

const gradSums = (eps: number): Fold => ({
  fields: { weight: "f32", bias: "f32" },
  zero: "0.0, 0.0",
  begin: `  let mean = r2(line);
  let deviation = sqrt(r3(line) + ${eps});`,
  take: `      let dy = r0(at);
      acc.weight += dy * (r1(at) - mean);
      acc.bias += dy;`,
  // Before merging, so that merging needs no channel's deviation.
  end: "  acc.weight /= deviation;",
  merge: "  return Acc(a.weight + b.weight, a.bias + b.bias);",
  subgroup: "  return Acc(subgroupAdd(acc.weight), subgroupAdd(acc.bias));",
});

export const batchNormGradSums: Kernel = {
  inlines: () => [true, true, false, false],
  dispatches: ({ inputs, attrs, limits }) => {
    const { shape } = inputs[1]!;
    return foldLines({
      name: "batchNormGradSums",
      limits,
      lines: linesOf(shape, batchAxes(shape)),
      fold: gradSums((attrs as BatchNormAttrs).eps),
      reads: [0, 1, 2, 3],
      writes: [0, 1],
      finish: { line: "    w0(place, total.weight);\n    w1(place, total.bias);" },
    });
  },
};
