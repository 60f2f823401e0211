export {
  ELU,
  GELU,
  type GELUOptions,
  LeakyReLU,
  LogSoftmax,
  Maxout,
  PReLU,
  type PReLUOptions,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from "./activation.js";
export { Concat, Residual, Sequential } from "./containers.js";
export { type Around, Context, type ContextOptions, type Layer, type TapRecord, withTaps } from "./context.js";
export { Conv2d, type Conv2dOptions, ConvTranspose2d, type ConvTranspose2dOptions } from "./conv.js";
export { Dropout, Dropout2d } from "./dropout.js";
export * from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export { type AnyModule, type Inventory, inventory, Module } from "./module.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  LocalResponseNorm,
  type LocalResponseNormOptions,
} from "./norm.js";
export { Buffer, type BufferOptions, Parameter } from "./parameter.js";
export {
  AdaptiveAvgPool2d,
  AdaptiveMaxPool2d,
  type AdaptiveSize,
  AvgPool2d,
  GlobalAvgPool,
  type GlobalAvgPoolOptions,
  MaxPool2d,
} from "./pool.js";
export type { Random } from "./random.js";
export { Recompute, recomputing } from "./recompute.js";
export { Flatten, Identity } from "./shape.js";
export { flattenStateDict, type LoadOptions, loadStateDict } from "./state.js";
export { linearDecay, StochasticDepth, type StochasticDepthOptions } from "./stochastic-depth.js";
export {
  keySpec,
  logitsOf,
  type ModelProgramOptions,
  type ModelTrace,
  modelProgram,
  namedOutputs,
  traceModule,
} from "./trace.js";
