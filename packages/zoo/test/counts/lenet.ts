import type { lenetModels } from "../../src/models/lenet.js";

/** Trainable parameters by the paper's layers. */
export const lenetCounts: Readonly<Record<keyof typeof lenetModels, number>> = {
  // H1 104, H2 8, H3 20 kernels and 12 biases, H4 24, output 1,930: the 2,578 of the 1990 paper.
  lenet1: 4 * 26 + 4 * 2 + (20 * 25 + 12) + 12 * 2 + 10 * (12 * 16 + 1),
  // C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164: the paper's own numbers, 60,000 in all.
  lenet5: 156 + 12 + 1516 + 32 + 48120 + 10164,
  lenet5_modern: 6 * 26 + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1) + 84 * 121 + 10 * 85,
};
