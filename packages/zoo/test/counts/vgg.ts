import type { vggModels } from "../../src/models/vgg.js";

/** A 3x3 convolution `[in, out]` of table 1, so many times. */
const conv3 = (into: number, out: number): number => out * (9 * into + 1);
const again = (maps: number, times: number): number => times * conv3(maps, maps);

const classifier = (25088 + 1) * 4096 + 4097 * 4096 + 4097 * 1000;

/** Convolutions that widen, in every column alike. */
const widening = conv3(3, 64) + conv3(64, 128) + conv3(128, 256) + conv3(256, 512);
const a = widening + again(256, 1) + again(512, 3) + classifier;
const b = a + again(64, 1) + again(128, 1);
const d = b + again(256, 1) + again(512, 2);
const e = d + again(256, 1) + again(512, 2);
const c = b + 256 * 257 + 2 * 512 * 513;

/** A scale and a shift for each map of A, and of what B, D and E add. */
const normA = 2 * (64 + 128 + 2 * 256 + 4 * 512);
const normB = normA + 2 * (64 + 128);
const normD = normB + 2 * (256 + 2 * 512);
const normE = normD + 2 * (256 + 2 * 512);

/** Trainable parameters by table 1. Table 2 prints 133, 133, 134, 138 and 144 million; torchvision 132,863,336 to 143,678,248. */
export const vggCounts: Readonly<Record<keyof typeof vggModels, number>> = {
  vgg11: a,
  vgg11_bn: a + normA,
  vgg11_lrn: a,
  vgg13: b,
  vgg13_bn: b + normB,
  vgg16_c: c,
  vgg16: d,
  vgg16_bn: d + normD,
  vgg19: e,
  vgg19_bn: e + normE,
};
