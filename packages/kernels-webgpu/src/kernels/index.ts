/** The only list: how each primitive runs on this device. */
import type { Op } from "@ocelli/core";
import type { KernelTable } from "@ocelli/core/backend";
import type { Way } from "../compile/ways.js";
import type { Kernel } from "../kernel.js";
import { expressions } from "../wgsl/expressions.js";
import {
  batchNormGradSums,
  batchNormGradSumsOp,
  batchNormStats,
  batchNormStatsOp,
  lowerBatchNormGrad,
  lowerBatchNormTrain,
} from "./batch-norm.js";
import { concat } from "./concat.js";
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "./conv.js";
import { localResponseNorm, localResponseNormGrad } from "./lrn.js";
import { matmul } from "./matmul.js";
import { avgPool2d, avgPool2dGrad, maxPool2d, maxPool2dArgmax, maxPool2dGrad } from "./pool.js";
import { randomBits } from "./random.js";
import { argmax, max, sum } from "./reduce.js";
import { gridSample2d } from "./sample.js";
import { scatterAdd } from "./scatter.js";
import { logSoftmax, softmax } from "./softmax.js";

const kernel = <V>(definition: Kernel<V>): Way => ({ kernel: definition as Kernel });
const points = Object.fromEntries(Object.entries(expressions).map(([name, expression]) => [name, { expression }])) as {
  readonly [name in keyof typeof expressions]: Way;
};

export const table = {
  ...points,
  reshape: "view",
  transpose: "view",
  broadcastTo: "view",
  slice: "view",
  pad: "view",
  gather: "view",
  barrier: "view",
  concat: kernel(concat),
  scatterAdd: kernel(scatterAdd),
  sum: kernel(sum),
  max: kernel(max),
  argmax: kernel(argmax),
  matmul: kernel(matmul),
  conv2d: kernel(conv2d),
  conv2dInputGrad: kernel(conv2dInputGrad),
  conv2dWeightGrad: kernel(conv2dWeightGrad),
  maxPool2d: kernel(maxPool2d),
  maxPool2dArgmax: kernel(maxPool2dArgmax),
  maxPool2dGrad: kernel(maxPool2dGrad),
  avgPool2d: kernel(avgPool2d),
  avgPool2dGrad: kernel(avgPool2dGrad),
  batchNormTrain: { lower: lowerBatchNormTrain },
  batchNormGrad: { lower: lowerBatchNormGrad },
  batchNormInference: "decompose",
  localResponseNorm: kernel(localResponseNorm),
  localResponseNormGrad: kernel(localResponseNormGrad),
  softmax: kernel(softmax),
  logSoftmax: kernel(logSoftmax),
  randomBits: kernel(randomBits),
  gridSample2d: kernel(gridSample2d),
} satisfies KernelTable<Way>;

/** Ops that only this device's own rewriting makes. */
export const internal: ReadonlyMap<Op, Way> = new Map([
  [batchNormStatsOp as Op, kernel(batchNormStats)],
  [batchNormGradSumsOp as Op, kernel(batchNormGradSums)],
]);
