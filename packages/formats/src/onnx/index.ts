export { type AttrInput, float, floats, int, ints } from "./attributes.js";
export {
  type BuildOptions,
  defaultIrVersion,
  defaultOpset,
  GraphBuilder,
  type NodeAttr,
  type NodeOptions,
  type Value,
} from "./builder.js";
export { decodeModel } from "./decode.js";
export { type ElementType, elementTypes } from "./element-type.js";
export { encodeModel } from "./encode.js";
export { type Exportable, type ExportDim, exportGraph } from "./export.js";
export { initializersOf, type OnnxInitializers } from "./initializers.js";
export * from "./lower/index.js";
export {
  type AttributeKind,
  type OnnxAttribute,
  type OnnxDim,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  OnnxSizeError,
  type OnnxTensor,
  type OnnxValue,
  type ValueSpec,
  valueInfo,
} from "./model.js";
export { int64Tensor, tensorFromHost, tensorToHost } from "./tensor.js";
