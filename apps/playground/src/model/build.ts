import { sizeOf, type Tensor } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import {
  lossPerSampleOf,
  type ModelEntry,
  type ModelOptions,
  type ModelOutput,
  modelEntry,
  type PerSampleLoss,
  type ZooModel,
} from "@ocelli/zoo";
import { displayName } from "./display-name.js";
import { type BuiltFamily, familyOf } from "./families.js";
import { buildLayers } from "./layers.js";
import type { ImageShape, LayersSpec, ModelSpec } from "./spec.js";

/** A network and what one has to know to use it. Makes no memory; built in a few milliseconds, twice that for a thousand layers. */
export interface BuiltModel {
  /** "ResNet-20", for headings. */
  readonly title: string;
  readonly model: ZooModel;
  /** `[C, H, W]` that it takes. */
  readonly input: ImageShape;
  readonly numClasses: number;
  /** Path of the layer that makes the logits, where it has one of a known name. */
  readonly head: string | undefined;
  /** What the zoo knows of it, or of its nearest kin: citation, recipe, published errors. Chains have none. */
  readonly entry: ModelEntry | undefined;
  /** The loss of each sample that it trains with, or `base` for each of its classifiers. */
  lossPerSample(base?: PerSampleLoss): (output: ModelOutput, labels: Tensor) => Tensor;
}

/** @throws ArgumentError or ShapeError that says which part of the spec does not work, and what does */
export function buildModel(spec: ModelSpec): BuiltModel {
  if (spec.kind === "layers") return buildLayers(spec);
  const options = sizesOf(spec);
  const made: BuiltFamily =
    spec.kind === "family"
      ? familyOf(spec.family).build(spec.values, options)
      : { title: displayName(spec.name), entry: modelEntry(spec.name), model: modelEntry(spec.name).build(options) };
  const { entry, model, title } = made;
  const [channels, height, width] = entry.input;
  return {
    title,
    model,
    input: [spec.inChannels ?? channels, spec.inputSize ?? height, spec.inputSize ?? width],
    numClasses: spec.numClasses ?? entry.numClasses,
    head: entry.head,
    entry,
    lossPerSample: (base) => lossPerSampleOf(entry, base),
  };
}

/** How many numbers training changes. */
export const parameterCount = (model: Pick<Module, "parameters">): number =>
  [...model.parameters().values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** What a spec says of images and classes; the model's own are left out. */
export function sizesOf({ inputSize, numClasses, inChannels }: Exclude<ModelSpec, LayersSpec>): ModelOptions {
  return {
    ...(inputSize !== undefined && { inputSize }),
    ...(numClasses !== undefined && { numClasses }),
    ...(inChannels !== undefined && { inChannels }),
  };
}
