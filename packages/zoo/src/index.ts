import { ArgumentError, nearMatches } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import { type ModelEntry, type ModelName, type ModelOptions, models } from "./models/index.js";

export {
  type ModelEntry,
  type ModelName,
  type ModelOptions,
  models,
  type Preprocessing,
  type Recipe,
} from "./models/index.js";
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

/** Names of all models. */
export const modelNames = Object.keys(models) as readonly ModelName[];

/** The entry of a model. @throws ArgumentError with near matches for an unknown name */
export function modelEntry(name: string): ModelEntry {
  if (!Object.hasOwn(models, name)) {
    const near = nearMatches(name, modelNames);
    const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `There are ${modelNames.join(", ")}.`;
    throw new ArgumentError(`model: "${name}" is unknown. ${hint}`, { name });
  }
  return models[name as ModelName];
}

/** A model from the zoo, without memory: give it to a device's `init`. A wrong name is a type error. */
export function createModel(name: ModelName, options: ModelOptions = {}): Module {
  return modelEntry(name).build(options);
}
