import { modelEntry } from "@ocelli/zoo";
import { familyOf } from "../model/families.js";
import type { FamilySpec, ModelSpec, ZooSpec } from "../model/spec.js";

/** What a network is made for. */
export interface ModelImage {
  readonly inputSize: number;
  readonly inChannels: number;
  readonly numClasses: number;
}

const usual = (spec: ZooSpec | FamilySpec): ModelImage => {
  const { input, numClasses } = spec.kind === "zoo" ? modelEntry(spec.name) : familyOf(spec.family).kin;
  const [inChannels, inputSize] = input;
  return { inputSize, inChannels, numClasses };
};

/** @throws ArgumentError for a network that there is not */
export function imageOf(spec: ModelSpec): ModelImage {
  if (spec.kind === "layers")
    return { inChannels: spec.input[0], inputSize: spec.input[1], numClasses: spec.numClasses };
  const own = usual(spec);
  return {
    inputSize: spec.inputSize ?? own.inputSize,
    inChannels: spec.inChannels ?? own.inChannels,
    numClasses: spec.numClasses ?? own.numClasses,
  };
}

/** The same network for other images; what is the model's own is left out, so that links stay short. */
export function withImage(spec: ModelSpec, image: ModelImage): ModelSpec {
  const { inputSize, inChannels, numClasses } = image;
  if (spec.kind === "layers") return { ...spec, input: [inChannels, inputSize, inputSize], numClasses };
  const own = usual(spec);
  const { inputSize: _, inChannels: __, numClasses: ___, ...rest } = spec;
  return {
    ...rest,
    ...(inputSize !== own.inputSize && { inputSize }),
    ...(inChannels !== own.inChannels && { inChannels }),
    ...(numClasses !== own.numClasses && { numClasses }),
  };
}
