import type { Op } from "../op.js";
import { conv2dInputGradOp, conv2dOp, conv2dWeightGradOp } from "./conv.js";
import * as elementwise from "./elementwise.js";
import * as layout from "./layout.js";
import { matmulOp } from "./matmul.js";
import * as norm from "./norm.js";
import * as pool from "./pool.js";
import { randomBitsOp, unitFloatOp } from "./random.js";
import { argmaxOp, maxOp, sumOp } from "./reduce.js";
import { gridSample2dOp } from "./sample.js";

/** Every primitive that a device provides, by name. (`input`, `constant` and `full` are leaves; each device handles them itself.) */
export const primitives = {
  neg: elementwise.negOp,
  abs: elementwise.absOp,
  sign: elementwise.signOp,
  floor: elementwise.floorOp,
  exp: elementwise.expOp,
  log: elementwise.logOp,
  sqrt: elementwise.sqrtOp,
  sin: elementwise.sinOp,
  cos: elementwise.cosOp,
  tanh: elementwise.tanhOp,
  sigmoid: elementwise.sigmoidOp,
  erf: elementwise.erfOp,
  relu: elementwise.reluOp,
  add: elementwise.addOp,
  sub: elementwise.subOp,
  mul: elementwise.mulOp,
  div: elementwise.divOp,
  pow: elementwise.powOp,
  maximum: elementwise.maximumOp,
  minimum: elementwise.minimumOp,
  reluGrad: elementwise.reluGradOp,
  equal: elementwise.equalOp,
  less: elementwise.lessOp,
  lessEqual: elementwise.lessEqualOp,
  isFinite: elementwise.isFiniteOp,
  select: elementwise.selectOp,
  cast: elementwise.castOp,
  reshape: layout.reshapeOp,
  transpose: layout.transposeOp,
  broadcastTo: layout.broadcastToOp,
  slice: layout.sliceOp,
  pad: layout.padOp,
  concat: layout.concatOp,
  gather: layout.gatherOp,
  scatterAdd: layout.scatterAddOp,
  barrier: layout.barrierOp,
  sum: sumOp,
  max: maxOp,
  argmax: argmaxOp,
  matmul: matmulOp,
  conv2d: conv2dOp,
  conv2dInputGrad: conv2dInputGradOp,
  conv2dWeightGrad: conv2dWeightGradOp,
  maxPool2d: pool.maxPool2dOp,
  maxPool2dArgmax: pool.maxPool2dArgmaxOp,
  maxPool2dGrad: pool.maxPool2dGradOp,
  avgPool2d: pool.avgPool2dOp,
  avgPool2dGrad: pool.avgPool2dGradOp,
  batchNormTrain: norm.batchNormTrainOp,
  batchNormGrad: norm.batchNormGradOp,
  batchNormInference: norm.batchNormInferenceOp,
  localResponseNorm: norm.localResponseNormOp,
  localResponseNormGrad: norm.localResponseNormGradOp,
  softmax: norm.softmaxOp,
  logSoftmax: norm.logSoftmaxOp,
  randomBits: randomBitsOp,
  unitFloat: unitFloatOp,
  gridSample2d: gridSample2dOp,
} as const satisfies Readonly<Record<string, Op<never>>>;

export type PrimitiveName = keyof typeof primitives;

/** A device's kernels: an entry for every primitive, or the word that asks for the op's definition by other primitives. */
export type KernelTable<Kernel> = Readonly<Record<PrimitiveName, Kernel | "decompose">>;
