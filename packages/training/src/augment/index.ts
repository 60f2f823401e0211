export { type ApplyOptions, applyTransform } from "./apply.js";
export { type AutoAugmentPolicy, autoAugment, autoAugmentPolicy, randAugment } from "./auto-augment.js";
export { compose, oneOf, withProbability } from "./choice.js";
export { type ColorJitterOptions, colorJitter, randomGrayscale } from "./color.js";
export { centerCrop, type RandomCropOptions, randomCrop, randomHorizontalFlip, randomVerticalFlip } from "./crop.js";
export { cutout, type Filling, type RandomErasingOptions, randomErasing } from "./erase.js";
export { type GaussianBlurOptions, gaussianBlur, gaussianNoise, randomSharpness } from "./filter.js";
export type { Box, Frame, Framing, Size } from "./frame.js";
export {
  centerFrame,
  frames,
  makeFrame,
  randomResizedCropFrame,
  scaleJitterFrame,
  stretchFrame,
} from "./frames.js";
export { randomAutoContrast, randomEqualize, randomInvert, randomPosterize, randomSolarize } from "./levels.js";
export { type LightingOptions, lighting, type PixelComponents, pcaOfPixels } from "./lighting.js";
export { cutMix, type MixOptions, mixup } from "./mix.js";
export { randomPerspective } from "./perspective.js";
export { unit } from "./pixels.js";
export { type PolicyOp, type PolicyStep, policy } from "./policy.js";
export { type AugmentPreset, type AugmentPresetName, augmentPresets, type PresetContext } from "./presets.js";
export { type RandomResizedCropOptions, type ResizedCropShares, randomResizedCrop } from "./resized-crop.js";
export { makeTransform, transforms } from "./table.js";
export {
  type AffinePart,
  type RandomAffineOptions,
  randomAffine,
  randomRotation,
  randomScale,
  randomShear,
  randomTranslate,
} from "./warp.js";
