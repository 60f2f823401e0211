/** For the tests of augmentation, in Node and in browsers. */
import { type Device, type HostTensor, hostTensor, randomKey, threefry2x32 } from "@ocelli/core";
import { type ApplyOptions, applyTransform } from "../src/augment/apply.js";
import { autoAugment, randAugment } from "../src/augment/auto-augment.js";
import { compose, oneOf, withProbability } from "../src/augment/choice.js";
import { colorJitter, randomGrayscale } from "../src/augment/color.js";
import { centerCrop, randomCrop, randomHorizontalFlip, randomVerticalFlip } from "../src/augment/crop.js";
import { cutout, randomErasing } from "../src/augment/erase.js";
import { gaussianBlur, gaussianNoise, randomSharpness } from "../src/augment/filter.js";
import {
  randomAutoContrast,
  randomEqualize,
  randomInvert,
  randomPosterize,
  randomSolarize,
} from "../src/augment/levels.js";
import { lighting } from "../src/augment/lighting.js";
import { cutMix, mixup } from "../src/augment/mix.js";
import { randomPerspective } from "../src/augment/perspective.js";
import { policy } from "../src/augment/policy.js";
import { randomResizedCrop } from "../src/augment/resized-crop.js";
import { randomAffine, randomRotation, randomScale, randomShear, randomTranslate } from "../src/augment/warp.js";
import { normalize, type Transform } from "../src/transform.js";

/** Reproducible pixels with edges, plain areas and all values: uint8 `[N, C, H, W]`. */
export function testImages(shape: readonly [number, number, number, number]): HostTensor {
  const [n, c, h, w] = shape;
  const data = new Uint8Array(n * c * h * w);
  const [key] = randomKey(7, h, w);
  for (let i = 0; i < data.length; i++) {
    const [y, x] = [Math.floor(i / w) % h, i % w];
    const noise = threefry2x32(key, 1, i, 0)[0] >>> 24;
    const left = y < h / 3 ? noise : Math.floor((i * 255) / data.length);
    data[i] = x < w / 2 ? left : (x * 16 + y * 3 + (noise >> 3)) % 256;
  }
  return hostTensor(data, shape);
}

/** What becomes of the images alone. */
export async function imagesOf(
  device: Device,
  transform: Transform,
  images: HostTensor,
  options?: ApplyOptions,
): Promise<HostTensor> {
  return (await applyTransform(device, transform, { images }, options)).images;
}

/** Transforms that do not keep pictures in evaluation as they are. */
export const deterministic: readonly Transform[] = [
  normalize({ mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25], pad: 1 }),
  centerCrop({ size: [12, 15] }),
];

/** Every transform that draws, for images with 3 channels whose size is `size`, with at most ten classes. */
export function randomTransforms(size: readonly [number, number]): readonly Transform[] {
  return [
    randomCrop({ size, padding: 3, p: 0.8 }),
    randomResizedCrop({ size }),
    randomHorizontalFlip(),
    randomVerticalFlip({ p: 0.4 }),
    randomAffine({ degrees: 40, translate: [0.2, 0.1], scale: [0.7, 1.5], shear: [-10, 20, 0, 15], fill: 0.5, p: 0.9 }),
    randomRotation({ degrees: [10, 90] }),
    randomTranslate({ translate: [0.3, 0.3] }),
    randomScale({ scale: [0.5, 2] }),
    randomShear({ shear: 30 }),
    randomPerspective({ distortion: 0.4, p: 1 }),
    colorJitter({ brightness: 0.4, contrast: [0.5, 2], saturation: 0.6, hue: 0.3 }),
    randomGrayscale({ p: 0.5 }),
    lighting({ std: 0.3 }),
    gaussianNoise({ std: 0.1 }),
    gaussianBlur({ kernelSize: 5, sigma: [0.3, 2] }),
    randomSharpness({ factor: 2 }),
    randomPosterize({ bits: 3 }),
    randomSolarize({ threshold: 120 }),
    randomInvert(),
    randomAutoContrast(),
    randomEqualize(),
    randomErasing({ value: "random" }),
    cutout({ size: 8, value: [0.1, 0.5, 0.7] }),
    mixup({ numClasses: 10 }),
    cutMix({ numClasses: 10, p: 0.7 }),
    policy({
      subPolicies: [
        [
          { op: "rotate", p: 0.9, magnitude: 20 },
          { op: "color", magnitude: 0.5 },
        ],
        [{ op: "equalize" }],
      ],
      fill: 0.5,
    }),
    autoAugment({ policy: "cifar10" }),
    randAugment(),
    compose(randomCrop({ size, padding: 2 }), randomHorizontalFlip(), gaussianNoise({ std: 0.05 })),
    oneOf(randomInvert({ p: 1 }), randomHorizontalFlip({ p: 1 }), mixup({ numClasses: 10 })),
    withProbability(0.5, colorJitter({ hue: 0.5 })),
  ];
}

/** The same batch, seed and step on two devices: the largest difference between pixels, in levels of 255, and between labels. */
export async function differences(
  devices: readonly [Device, Device],
  transform: Transform,
  size: readonly [number, number],
): Promise<{ pixels: number; labels: number }> {
  const n = 5;
  const batch = { images: testImages([n, 3, ...size]), labels: hostTensor(Int32Array.of(0, 3, 9, 1, 5), [n]) };
  const [one, other] = await Promise.all(
    devices.map((device) => applyTransform(device, transform, batch, { seed: 11, step: 2 })),
  );
  const largest = (name: "images" | "labels"): number => {
    const [a, b] = [one?.[name] as HostTensor, other?.[name] as HostTensor];
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return Number.POSITIVE_INFINITY;
    const scale = name === "images" && a.dtype === "float32" ? 255 : 1;
    const [x, y] = [a.data as ArrayLike<number>, b.data as ArrayLike<number>];
    return scale * Array.from(x).reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] as number))), 0);
  };
  return { pixels: largest("images"), labels: largest("labels") };
}
