export * from "./device.js";
export {
  bytesOf,
  type DType,
  dtypes,
  fromFloat16Bits,
  isFloat,
  isInteger,
  type TypedArray,
  toFloat16Bits,
} from "./dtype.js";
export * from "./errors.js";
export * from "./functions/index.js";
export { gradients } from "./gradients.js";
export { hashBytes, structuralHash, topologicalOrder } from "./graph.js";
export * from "./host.js";
export {
  apply,
  applyAll,
  type Cost,
  costOf,
  defineOp,
  type Op,
  type OpDefinition,
  type VjpArgs,
  type VjpRule,
  type Window,
} from "./op.js";
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  convTranspose2d,
} from "./ops/conv.js";
export {
  abs,
  add,
  cast,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  greaterEqual,
  isFinite,
  less,
  lessEqual,
  log,
  logicalNot,
  maximum,
  minimum,
  mul,
  neg,
  type Operand,
  pow,
  relu,
  reluGrad,
  select,
  sigmoid,
  sign,
  sin,
  sqrt,
  sub,
  tanh,
} from "./ops/elementwise.js";
export {
  barrier,
  broadcastTo,
  concat,
  gather,
  narrow,
  pad,
  reshape,
  scatterAdd,
  slice,
  sumTo,
  transpose,
} from "./ops/layout.js";
export { arange, constant, full, input, scalar } from "./ops/leaf.js";
export { matmul } from "./ops/matmul.js";
export {
  type BatchNormResult,
  batchNormInference,
  batchNormTrain,
  localResponseNorm,
  logSoftmax,
  softmax,
} from "./ops/norm.js";
export { type AvgPoolOptions, avgPool2d, type MaxPoolOptions, maxPool2d } from "./ops/pool.js";
export { randomBits, randomUniform } from "./ops/random.js";
export { argmax, max, mean, type ReduceOptions, sum } from "./ops/reduce.js";
export { type GridSampleAttrs, gridSample2d } from "./ops/sample.js";
export { recompute, recomputeTogether } from "./recompute.js";
export * from "./shape.js";
export { flatten as flattenState, State, type StateDict } from "./state.js";
export { type Attrs, type AttrValue, formatSpec, Node, type Spec, scope, Tensor, withScope } from "./tensor.js";
export { hostRandomBits, type RandomKey, randomKey, streamOf, threefry2x32 } from "./threefry.js";
