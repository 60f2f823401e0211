import type { inceptionResNetModels } from "../../src/models/inception-resnet.js";
import type { inceptionV2Models } from "../../src/models/inception-v2.js";
import type { inceptionV3Models } from "../../src/models/inception-v3.js";
import type { inceptionV4Models } from "../../src/models/inception-v4.js";

/** Layers of filters that all read `input` channels under kernels of so many pixels, each filter with two values of batch-norm. */
const on = (input: number, area: number, filters: number): number => filters * (input * area + 2);

/** Figure 5 of Ioffe and Szegedy: input, #1x1, #3x3 reduce, #3x3, double reduce, double 3x3, pool projection (0: nothing there). */
const v2Modules = [
  [192, 64, 64, 64, 64, 96, 32],
  [256, 64, 64, 96, 64, 96, 64],
  [320, 0, 128, 160, 64, 96, 0],
  [576, 224, 64, 96, 96, 128, 128],
  [576, 192, 96, 128, 96, 128, 128],
  [576, 160, 128, 160, 128, 160, 96],
  [576, 96, 128, 192, 160, 192, 96],
  [576, 0, 128, 192, 192, 256, 0],
  [1024, 352, 192, 320, 160, 224, 128],
  [1024, 352, 192, 320, 192, 224, 128],
] as const;

// The separable stem: 24 kernels of 7x7, and 24 to 64.
const v2 =
  24 * 49 +
  on(24, 1, 64) +
  on(64, 1, 64) +
  on(64, 9, 192) +
  v2Modules.reduce(
    (sum, [c, a, r3, b, rd, d, p]) => sum + on(c, 1, a + r3 + rd + p) + on(r3, 9, b) + on(rd, 9, d) + on(d, 9, d),
    0,
  ) +
  1025 * 1000;

// Inception v3: the stem up to 64 channels, which Inception-ResNet shares, and its two further convolutions.
const stem64 = on(3, 9, 32) + on(32, 9, 32) + on(32, 9, 64);
const stem192 = stem64 + on(64, 1, 80) + on(80, 9, 192);
const v3A = (c: number, pool: number): number =>
  on(c, 1, 64 + 48 + 64 + pool) + on(48, 25, 64) + on(64, 9, 96) + on(96, 9, 96);
// Six convolutions of 7 pixels: four to c, two to 192.
const v3C = (c: number): number => on(768, 1, 192 + c + c + 192) + 4 * on(c, 7, c) + 2 * on(c, 7, 192);
const v3E = (c: number): number => on(c, 1, 320 + 384 + 448 + 192) + on(448, 9, 384) + 4 * on(384, 3, 384);
const v3 =
  stem192 +
  v3A(192, 32) +
  v3A(256, 64) +
  v3A(288, 64) +
  (on(288, 9, 384) + on(288, 1, 64) + on(64, 9, 96) + on(96, 9, 96)) +
  v3C(128) +
  2 * v3C(160) +
  v3C(192) +
  (on(768, 1, 128) + on(128, 25, 768) + 769 * 1000) +
  (on(768, 1, 2 * 192) + on(192, 9, 320) + 2 * on(192, 7, 192) + on(192, 9, 192)) +
  v3E(1280) +
  v3E(2048) +
  2049 * 1000;

// Inception v4, by figures 3 to 8.
const v4Stem = stem64 + on(64, 9, 96) + on(160, 1, 2 * 64) + on(64, 9, 2 * 96) + 2 * on(64, 7, 64) + on(192, 9, 192);
const v4A = on(384, 1, 96 + 96 + 64 + 64) + on(64, 9, 96 + 96) + on(96, 9, 96);
const v4B = on(1024, 1, 128 + 384 + 192 + 192) + on(192, 7, 224 + 192 + 224) + on(224, 7, 256 + 224 + 256);
const v4C = on(1536, 1, 256 + 256 + 384 + 384) + on(384, 3, 256 + 256 + 448) + on(448, 3, 512) + on(512, 3, 256 + 256);
const reductionA = (c: number, k: number, l: number, m: number, n: number): number =>
  on(c, 9, n) + on(c, 1, k) + on(k, 9, l) + on(l, 9, m);
const v4ReductionB = on(1024, 1, 192 + 256) + on(192, 9, 192) + on(256, 7, 256 + 320) + on(320, 9, 320);
const v4 = v4Stem + 4 * v4A + reductionA(384, 192, 224, 256, 384) + 7 * v4B + v4ReductionB + 3 * v4C + 1537 * 1000;

// The residual ones: the last term of each block is the 1x1 convolution with a bias.
const residualReductionB = (c: number, a: number, b: number): number =>
  on(c, 1, 3 * 256) + on(256, 9, 384 + a + a) + on(a, 9, b);
const residualV1 =
  stem64 +
  on(64, 1, 80) +
  on(80, 9, 192) +
  on(192, 9, 256) +
  5 * (on(256, 1, 3 * 32) + 3 * on(32, 9, 32) + 97 * 256) +
  reductionA(256, 192, 192, 256, 384) +
  10 * (on(896, 1, 2 * 128) + 2 * on(128, 7, 128) + 257 * 896) +
  residualReductionB(896, 256, 256) +
  5 * (on(1792, 1, 2 * 192) + 2 * on(192, 3, 192) + 385 * 1792) +
  1793 * 1000;
const residualV2 =
  stem192 +
  (on(192, 1, 96 + 48 + 64 + 64) + on(48, 25, 64) + on(64, 9, 96) + on(96, 9, 96)) +
  10 * (on(320, 1, 3 * 32) + on(32, 9, 32 + 48) + on(48, 9, 64) + 129 * 320) +
  reductionA(320, 256, 256, 384, 384) +
  20 * (on(1088, 1, 192 + 128) + on(128, 7, 160) + on(160, 7, 192) + 385 * 1088) +
  residualReductionB(1088, 288, 320) +
  10 * (on(2080, 1, 2 * 192) + on(192, 3, 224) + on(224, 3, 256) + 449 * 2080) +
  on(2080, 1, 1536) +
  1537 * 1000;

type Names =
  | keyof typeof inceptionV2Models
  | keyof typeof inceptionV3Models
  | keyof typeof inceptionV4Models
  | keyof typeof inceptionResNetModels;

/** Trainable parameters, layers of one kind counted together. */
export const inceptionCounts: Readonly<Record<Names, number>> = {
  inception_v2: v2,
  inception_v3: v3,
  inception_v4: v4,
  inception_resnet_v1: residualV1,
  inception_resnet_v2: residualV2,
};
