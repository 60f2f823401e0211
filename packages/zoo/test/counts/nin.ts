import type { ninModels } from "../../src/models/nin.js";

/** Trainable parameters: maps of each layer times what one unit of it reads, and a bias. */
export const ninCounts: Readonly<Record<keyof typeof ninModels, number>> = {
  // 966,986.
  nin_cifar10:
    192 * 76 + 160 * 193 + 96 * 161 + (192 * 2401 + 192 * 193 + 192 * 193) + (192 * 1729 + 192 * 193 + 10 * 193),
  // 7,595,176: four bytes each are the 29 MB of Caffe's model zoo.
  nin_imagenet:
    96 * 364 +
    96 * 97 +
    96 * 97 +
    (256 * 2401 + 256 * 257 + 256 * 257) +
    (384 * 2305 + 384 * 385 + 384 * 385) +
    (1024 * 3457 + 1024 * 1025 + 1000 * 1025),
};
