import { type NormalizeOptions, normalize, type Transform } from "../transform.js";
import { autoAugment, randAugment } from "./auto-augment.js";
import { compose } from "./choice.js";
import { colorJitter } from "./color.js";
import { randomCrop, randomHorizontalFlip } from "./crop.js";
import { cutout, randomErasing } from "./erase.js";
import type { Frame } from "./frame.js";
import { centerFrame, randomResizedCropFrame, scaleJitterFrame } from "./frames.js";
import { lighting } from "./lighting.js";
import { cutMix, mixup } from "./mix.js";
import { randomAffine } from "./warp.js";

/** What a preset has to know of data and model. */
export interface PresetContext {
  /** Side of the images that the model takes, in pixels. */
  readonly size: number;
  readonly channels: number;
  readonly numClasses: number;
  /** What `normalize` is made of. */
  readonly statistics: NormalizeOptions;
}

/** How pictures become batches of one size, and what happens to those on the device. */
export interface AugmentPreset {
  /** For picture files; images of one size in memory need none. */
  readonly frame: { readonly train: Frame; readonly eval: Frame };
  readonly transform: Transform;
}

type Preset = (context: PresetContext) => AugmentPreset;

/** Paper's 256 for 224. */
const larger = (size: number, factor = 256 / 224): number => Math.round(size * factor);

const centerEval = (size: number): Frame => centerFrame({ size, resize: larger(size) });

/** AlexNet's and its successors' colour noise; images without colour have none. */
const colourNoise = (channels: number): Transform[] => (channels === 3 ? [lighting()] : []);

const chained = (parts: readonly Transform[]): Transform =>
  parts.length === 1 ? (parts[0] as Transform) : compose(...parts);

/** Small pictures, seen whole where they are square. */
// @__NO_SIDE_EFFECTS__
function small(build: (context: PresetContext) => readonly Transform[]): Preset {
  return (context) => {
    const frame = centerFrame({ size: context.size, resize: context.size });
    return { frame: { train: frame, eval: frame }, transform: chained(build(context)) };
  };
}

/** Photographs, from which the frame takes parts. */
// @__NO_SIDE_EFFECTS__
function photographs(train: (size: number) => Frame, build: (context: PresetContext) => readonly Transform[]): Preset {
  return (context) => ({
    frame: { train: train(context.size), eval: centerEval(context.size) },
    transform: chained(build(context)),
  });
}

/** Padded by an eighth (4 pixels of 32), cut at random, mirrored. */
const cropAndFlip = (size: number): readonly Transform[] => [
  randomCrop({ size, padding: Math.round(size / 8) }),
  randomHorizontalFlip(),
];

const anyPart = (size: number): Frame => randomResizedCropFrame({ size });

/** The usual augmentations, by the name that recipes and the command use. */
export const augmentPresets = {
  /** None. */
  plain: photographs(centerEval, ({ statistics }) => [normalize(statistics)]),
  /** In the manner of LeCun et al. 1998: moved, scaled and sheared a little. */
  mnist: small(({ statistics }) => [
    randomAffine({ degrees: 8, translate: [0.08, 0.08], scale: [0.9, 1.1], shear: 8 }),
    normalize(statistics),
  ]),
  /** He et al. 2016 on CIFAR. */
  cifar: small(({ size, statistics }) => [...cropAndFlip(size), normalize(statistics)]),
  /** CIFAR's with cutout (DeVries and Taylor 2017): half the side. */
  cutout: small(({ size, statistics }) => [
    ...cropAndFlip(size),
    normalize(statistics),
    cutout({ size: Math.round(size / 2) }),
  ]),
  /** CIFAR's with random erasing (Zhong et al. 2020). */
  "random-erasing": small(({ size, statistics }) => [
    ...cropAndFlip(size),
    randomErasing({ value: "random" }),
    normalize(statistics),
  ]),
  /** CIFAR's with mixup (Zhang et al. 2018). */
  mixup: small(({ size, numClasses, statistics }) => [
    ...cropAndFlip(size),
    mixup({ alpha: 1, numClasses }),
    normalize(statistics),
  ]),
  /** CIFAR's with CutMix (Yun et al. 2019). */
  cutmix: small(({ size, numClasses, statistics }) => [
    ...cropAndFlip(size),
    cutMix({ numClasses, p: 0.5 }),
    normalize(statistics),
  ]),
  /** Cubuk et al. 2019 on CIFAR-10: with crops, flips and cutout. */
  "autoaugment-cifar10": small(({ size, statistics }) => [
    ...cropAndFlip(size),
    autoAugment({ policy: "cifar10" }),
    normalize(statistics),
    cutout({ size: Math.round(size / 2) }),
  ]),
  /** Cubuk et al. 2019 on street numbers, which have a left and a right. */
  "autoaugment-svhn": small(({ statistics }) => [autoAugment({ policy: "svhn" }), normalize(statistics)]),
  /** Krizhevsky et al. 2012: parts of pictures whose shorter side has 256 pixels, mirrored, colours moved along their components. */
  alexnet: photographs(
    (size) => scaleJitterFrame({ size, shorter: [larger(size), larger(size)] }),
    ({ channels, statistics }) => [randomHorizontalFlip(), ...colourNoise(channels), normalize(statistics)],
  ),
  /** Zeiler and Fergus 2014, and others after AlexNet: its parts of pictures, mirrored, their colours as they are. */
  zfnet: photographs(
    (size) => scaleJitterFrame({ size, shorter: [larger(size), larger(size)] }),
    ({ statistics }) => [randomHorizontalFlip(), normalize(statistics)],
  ),
  /** Simonyan and Zisserman 2015: the shorter side at random in 256..512. */
  vgg: photographs(
    (size) => scaleJitterFrame({ size, shorter: [larger(size), larger(size, 512 / 224)] }),
    ({ channels, statistics }) => [randomHorizontalFlip(), ...colourNoise(channels), normalize(statistics)],
  ),
  /** Szegedy et al. 2015: parts of 8 % to 100 % of the area, mirrored, colours changed. */
  googlenet: photographs(anyPart, ({ statistics }) => [
    randomHorizontalFlip(),
    colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }),
    normalize(statistics),
  ]),
  /** He et al. 2016: the shorter side at random in 256..480. */
  resnet: photographs(
    (size) => scaleJitterFrame({ size, shorter: [larger(size), larger(size, 480 / 224)] }),
    ({ channels, statistics }) => [randomHorizontalFlip(), ...colourNoise(channels), normalize(statistics)],
  ),
  /** Huang et al. 2017, as the published training of ResNets did it. */
  densenet: photographs(anyPart, ({ channels, statistics }) => [
    randomHorizontalFlip(),
    colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }),
    ...colourNoise(channels),
    normalize(statistics),
  ]),
  /** torchvision's classification reference. */
  torchvision: photographs(anyPart, ({ statistics }) => [randomHorizontalFlip(), normalize(statistics)]),
  /** Cubuk et al. 2019 on ImageNet. */
  "autoaugment-imagenet": photographs(anyPart, ({ statistics }) => [
    randomHorizontalFlip(),
    autoAugment({ policy: "imagenet" }),
    normalize(statistics),
  ]),
  /** Cubuk et al. 2020. */
  randaugment: photographs(anyPart, ({ statistics }) => [randomHorizontalFlip(), randAugment(), normalize(statistics)]),
} as const satisfies Readonly<Record<string, Preset>>;

export type AugmentPresetName = keyof typeof augmentPresets;
