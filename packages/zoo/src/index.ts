export { createModel, lossPerSampleOf, modelEntry, modelNames } from "./create.js";
export type {
  AuxiliaryOutput,
  ModelEntry,
  ModelOptions,
  ModelOutput,
  Preprocessing,
  PublishedError,
  Recipe,
  WeightsEntry,
  ZooModel,
} from "./entry.js";
export { type ModelName, models } from "./models/index.js";
export {
  LeNet5,
  LeNet5Modern,
  lenet5Loss,
  lenet5LossPerSample,
  RbfOutput,
  Subsampling,
  TableConv,
} from "./models/lenet.js";
export { CifarBlock, CifarResNet, shortcutA } from "./models/resnet-cifar.js";
