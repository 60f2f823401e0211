import { ArgumentError, input, OcelliError, ShapeError, sameShape } from "@ocelli/core";
import { logitsOf, traceModule } from "@ocelli/layers";
import { checkTrainingSize, type ModelName } from "@ocelli/zoo";
import { type BuiltModel, buildModel } from "../../model/build.js";
import type { ImageShape, ModelSpec } from "../../model/spec.js";

/** A network made to fit some data. */
export interface Fitted {
  readonly spec: ModelSpec;
  readonly built: BuiltModel;
  /** What had to be changed, in words. */
  readonly adaptations: readonly string[];
}

/** Black pixels that the network wants around its images. */
export const borderOf = ({ entry }: BuiltModel): number => entry?.preprocessing.pad ?? 0;

/** Of one image as the network gets it, before its border. */
export function ownImage(built: BuiltModel): ImageShape {
  const [channels, height, width] = built.input;
  const border = 2 * borderOf(built);
  return [channels, height - border, width - border];
}

/**
 * The network for images of this shape in so many classes.
 * @throws ArgumentError when it does not take them: which layer, and what would fit
 */
export function fitted(given: ModelSpec, image: ImageShape, classes: number): Fitted {
  const own = buildModel(given);
  const border = 2 * borderOf(own);
  const [channels, height, width] = image;
  const wanted: ImageShape = [channels, height + border, width + border];
  const spec = specFor(given, own, wanted, classes);
  try {
    const built = spec === given ? own : buildModel(spec);
    if (spec.kind === "zoo") checkTrainingSize(spec.name as ModelName, optionsOf(spec));
    checkLogits(built, wanted, classes);
    return { spec, built, adaptations: adaptationsOf(own, image, classes) };
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    const shape = (dims: readonly number[]): string => dims.join(" x ");
    throw new ArgumentError(
      `${own.title} takes images of ${shape(ownImage(own))}; these are ${shape(image)} in ${classes} classes. ${error.message}`,
      { image, classes, cause: error },
    );
  }
}

/** Only what differs is said: some networks take one size alone, and would refuse to be told it. */
function specFor(spec: ModelSpec, own: BuiltModel, wanted: ImageShape, numClasses: number): ModelSpec {
  const sameSize = own.input[1] === wanted[1] && own.input[2] === wanted[2];
  const sameChannels = own.input[0] === wanted[0];
  if (sameSize && sameChannels && own.numClasses === numClasses) return spec;
  if (spec.kind === "layers") return { ...spec, input: wanted, numClasses };
  return {
    ...spec,
    ...(own.numClasses !== numClasses && { numClasses }),
    ...(!sameChannels && { inChannels: wanted[0] }),
    ...(!sameSize && { inputSize: wanted[1] }),
  };
}

function optionsOf({ inputSize, numClasses, inChannels }: Exclude<ModelSpec, { kind: "layers" }>) {
  return {
    ...(inputSize !== undefined && { inputSize }),
    ...(numClasses !== undefined && { numClasses }),
    ...(inChannels !== undefined && { inChannels }),
  };
}

/** Traces a training pass. @throws ShapeError, ArgumentError of the layer that does not take the images */
function checkLogits({ model }: BuiltModel, image: ImageShape, classes: number): void {
  const x = input("images", { shape: [2, ...image], dtype: "float32" });
  const { shape } = logitsOf(traceModule(model, x, { training: true }).output);
  if (!sameShape(shape, [2, classes]))
    throw new ShapeError(`For 2 images it gives [${shape.join(", ")}]; [2, ${classes}] is needed.`, { shape });
}

function adaptationsOf(own: BuiltModel, image: ImageShape, classes: number): string[] {
  const [channels, height, width] = image;
  const before = ownImage(own);
  const colours = (count: number): string => (count === 1 ? "grey images" : `${count} channels`);
  return [
    ...(own.numClasses === classes ? [] : [`${classes} classes instead of ${own.numClasses}`]),
    ...(before[0] === channels ? [] : [`${colours(channels)} instead of ${colours(before[0])}`]),
    ...(before[1] === height && before[2] === width
      ? []
      : [`images of ${height} x ${width} pixels instead of ${before[1]} x ${before[2]}`]),
  ];
}

const largestSide = 512;

/** Side of the least image that the network takes in training, its border left out; null when none up to 512 pixels fits. */
export function leastSide(spec: ModelSpec, channels: number): number | null {
  const built = buildModel(spec);
  const takes = (side: number): boolean => {
    try {
      fitted(spec, [channels, side, side], built.numClasses);
      return true;
    } catch (error) {
      if (error instanceof OcelliError) return false;
      throw error;
    }
  };
  if (!takes(largestSide)) {
    // Some take their own size and no other.
    const [, own] = ownImage(built);
    return takes(own) ? own : null;
  }
  let [small, large] = [0, largestSide];
  while (large - small > 1) {
    const middle = Math.floor((small + large) / 2);
    if (takes(middle)) large = middle;
    else small = middle;
  }
  return large;
}
