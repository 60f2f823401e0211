import { ArgumentError } from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";
import { normalize, type Transform } from "../transform.js";
import { autoAugment, randAugment } from "./auto-augment.js";
import { compose, oneOf, withProbability } from "./choice.js";
import { colorJitter, randomGrayscale } from "./color.js";
import { centerCrop, randomCrop, randomHorizontalFlip, randomVerticalFlip } from "./crop.js";
import { cutout, randomErasing } from "./erase.js";
import { gaussianBlur, gaussianNoise, randomSharpness } from "./filter.js";
import { randomAutoContrast, randomEqualize, randomInvert, randomPosterize, randomSolarize } from "./levels.js";
import { lighting } from "./lighting.js";
import { cutMix, mixup } from "./mix.js";
import { randomPerspective } from "./perspective.js";
import { policy } from "./policy.js";
import { randomResizedCrop } from "./resized-crop.js";
import { randomAffine, randomRotation, randomScale, randomShear, randomTranslate } from "./warp.js";

interface Parts {
  readonly transforms: readonly Named[];
}

/** Every transform, by the name that checkpoints use; made from its options as data. */
export const transforms = {
  normalize,
  compose: ({ transforms: parts }: Parts) => compose(...made("compose", parts)),
  oneOf: ({ transforms: parts }: Parts) => oneOf(...made("oneOf", parts)),
  withProbability: ({ p, transform }: { readonly p: number; readonly transform: Named }) =>
    withProbability(p, ...(made("withProbability", [transform]) as [Transform])),
  centerCrop,
  randomCrop,
  randomResizedCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
  randomAffine,
  randomRotation,
  randomTranslate,
  randomScale,
  randomShear,
  randomPerspective,
  colorJitter,
  randomGrayscale,
  lighting,
  gaussianNoise,
  gaussianBlur,
  randomSharpness,
  randomPosterize,
  randomSolarize,
  randomInvert,
  randomAutoContrast,
  randomEqualize,
  randomErasing,
  cutout,
  mixup,
  cutMix,
  policy,
  autoAugment,
  randAugment,
} as const;

/** A transform from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeTransform(given: Named): Transform {
  return makeNamed("transform", transforms, given);
}

function made(where: string, parts: unknown): Transform[] {
  if (Array.isArray(parts) && parts.every(isNamed)) return parts.map(makeTransform);
  throw new ArgumentError(`${where}: it needs transforms as { name, options }`, { parts });
}

const isNamed = (part: Partial<Named> | null | undefined): boolean =>
  typeof part?.name === "string" && typeof part.options === "object" && part.options !== null;
