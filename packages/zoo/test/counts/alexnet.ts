import type { alexnetModels } from "../../src/models/alexnet.js";

/** fc6, fc7 and fc8 behind a map of 256 x 6 x 6. */
const classifier = 9217 * 4096 + 4097 * 4096 + 4097 * 1000;

/** Trainable parameters by the layers of figure 2: maps times (kernel area times maps read, and a bias). */
export const alexnetCounts: Readonly<Record<keyof typeof alexnetModels, number>> = {
  // Two cards: kernels of conv2, conv4 and conv5 are 5x5x48, 3x3x192 and 3x3x192 (section 3.5). 60,965,224.
  alexnet_2012:
    96 * (11 * 11 * 3 + 1) +
    256 * (5 * 5 * 48 + 1) +
    384 * (3 * 3 * 256 + 1) +
    384 * (3 * 3 * 192 + 1) +
    256 * (3 * 3 * 192 + 1) +
    classifier,
  // 62,378,344.
  alexnet_cs231n:
    96 * (11 * 11 * 3 + 1) +
    256 * (5 * 5 * 96 + 1) +
    384 * (3 * 3 * 256 + 1) +
    384 * (3 * 3 * 384 + 1) +
    256 * (3 * 3 * 384 + 1) +
    classifier,
  // 61,100,840.
  alexnet:
    64 * (11 * 11 * 3 + 1) +
    192 * (5 * 5 * 64 + 1) +
    384 * (3 * 3 * 192 + 1) +
    256 * (3 * 3 * 384 + 1) +
    256 * (3 * 3 * 256 + 1) +
    classifier,
};
