import { ArgumentError, crossEntropyPerSample, nearMatches, ShapeError, type Tensor } from "@ocelli/core";
import { ownLoss } from "./auxiliary.js";
import type { ModelEntry, ModelOptions, ModelOutput, PerSampleLoss, ZooModel } from "./entry.js";
import { checkSize, leastSquare, type Sized, sizedEntry } from "./input-size.js";
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

/**
 * A model from the zoo, of its own class and without memory: give it to a device's `init`. A wrong name is a type error. A given
 * `inputSize` is tried at once, by shapes alone. Options beyond {@link ModelOptions} are those of the model's class.
 * @throws ShapeError when such images are too small for it, saying which layer ran out and the least size that works; ArgumentError
 */
export function createModel<Name extends ModelName>(
  name: Name,
  options: NonNullable<Parameters<(typeof models)[Name]["build"]>[0]> = {},
): ReturnType<(typeof models)[Name]["build"]> {
  const entry = modelEntry(name);
  if (options.inputSize !== undefined) checkSize(name, entry, options);
  return entry.build(options) as ReturnType<(typeof models)[Name]["build"]>;
}

/**
 * Throws unless the model takes images of `options.inputSize`, in training too: networks with auxiliary classifiers may need larger
 * ones there. By shapes alone.
 * @throws ShapeError, as {@link createModel}; ArgumentError
 */
export function checkTrainingSize(name: ModelName, options: ModelOptions): void {
  checkSize(name, modelEntry(name), options, { training: true });
}

export interface LeastInputSizeOptions extends Omit<ModelOptions, "inputSize"> {
  /** Default false. In training, auxiliary classifiers may need more. */
  readonly training?: boolean;
  /** Sides larger than this are not tried. Default: the model's own size; for a model that is no name, 512. */
  readonly most?: number;
}

/**
 * Side of the least square image that a model takes: a name of the zoo, which is built for each size, or a model as it is.
 * @throws ShapeError when none up to `most` fits
 */
export function leastInputSize(
  model: ModelName | ZooModel,
  { training = false, most, ...options }: LeastInputSizeOptions = {},
): number {
  const named = typeof model === "string" ? modelEntry(model) : undefined;
  const network: Sized = named
    ? sizedEntry(named, options, training)
    : { build: () => model as ZooModel, inChannels: options.inChannels ?? 3, training };
  const limit = most ?? (named ? Math.max(named.input[1], named.input[2]) : 512);
  const least = leastSquare(network, limit);
  if (least !== undefined) return least;
  const name = typeof model === "string" ? model : model.constructor.name;
  throw new ShapeError(`leastInputSize: ${name} takes no square image of up to ${limit} pixels`, {
    model: name,
    limit,
  });
}

/**
 * The loss of each sample that a model trains with: its own, or cross-entropy. Given `base` (smoothed labels, hinge), that loss of each of
 * its classifiers, weighted as in its own.
 */
export function lossPerSampleOf(
  entry: ModelEntry,
  base?: PerSampleLoss,
): (output: ModelOutput, labels: Tensor) => Tensor {
  return (output, labels) => entry.lossPerSample?.(output, labels, base) ?? plainLoss(output, labels, base);
}

const plainLoss = ownLoss(crossEntropyPerSample);
