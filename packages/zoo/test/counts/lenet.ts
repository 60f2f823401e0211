import type { lenetModels } from "../../src/models/lenet.js";

/** Trainable parameters by the paper's layers. */
export const lenetCounts: Readonly<Record<keyof typeof lenetModels, number>> = {
  // C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164: the paper's own numbers, 60,000 in all.
  lenet5: 156 + 12 + 1516 + 32 + 48120 + 10164,
  lenet5_modern: 6 * 26 + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1) + 84 * 121 + 10 * 85,
};
