import type { resNeXtModels } from "../../src/models/resnext.js";
import { bottlenecks, conv } from "./resnet.js";

/** Section 5.3: three blocks in each of three stages, C paths of d, 2d, 4d channels. */
const cifar = (paths: number, d: number): number => {
  const stage = (from: number, width: number, out: number): number =>
    conv(1, from, width) +
    2 * conv(1, out, width) +
    3 * (paths * 9 * (width / paths) ** 2 + 2 * width + conv(1, width, out)) +
    conv(1, from, out);
  const width = paths * d;
  return conv(3, 3, 64) + stage(64, width, 256) + stage(256, 2 * width, 512) + stage(512, 4 * width, 1024) + 1025 * 10;
};

/** Trainable parameters. */
export const resNeXtCounts: Readonly<Record<keyof typeof resNeXtModels, number>> = {
  resnext50_32x4d: bottlenecks([3, 4, 6, 3], 128, 32),
  resnext101_32x8d: bottlenecks([3, 4, 23, 3], 256, 32),
  resnext101_64x4d: bottlenecks([3, 4, 23, 3], 256, 64),
  resnext29_8x64d_cifar: cifar(8, 64),
  resnext29_16x64d_cifar: cifar(16, 64),
};
