import { ArgumentError, crossEntropyPerSample, nearMatches, type Tensor } from "@ocelli/core";
import { logitsOf } from "@ocelli/layers";
import type { ModelEntry, ModelOptions, ModelOutput } from "./entry.js";
import { type ModelName, models } from "./models/index.js";

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

/** A model from the zoo, of its own class and without memory: give it to a device's `init`. A wrong name is a type error. */
export function createModel<Name extends ModelName>(
  name: Name,
  options: ModelOptions = {},
): ReturnType<(typeof models)[Name]["build"]> {
  return modelEntry(name).build(options) as ReturnType<(typeof models)[Name]["build"]>;
}

/** The loss of each sample that a model trains with: its own, or cross-entropy. */
export function lossPerSampleOf(entry: ModelEntry): (output: ModelOutput, labels: Tensor) => Tensor {
  return (output, labels) => entry.lossPerSample?.(output, labels) ?? crossEntropyPerSample(logitsOf(output), labels);
}
