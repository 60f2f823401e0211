import type { baselineModels } from "../../src/models/baselines.js";

/** Trainable parameters: a weight for each pair of units, a bias for each unit. 266,610 is LeNet-300-100's known count. */
export const baselineCounts: Readonly<Record<keyof typeof baselineModels, number>> = {
  linear: 785 * 10,
  mlp: 785 * 300 + 301 * 100 + 101 * 10,
};
