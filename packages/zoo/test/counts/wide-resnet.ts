import type { wideResNetModels } from "../../src/models/wide-resnet.js";
import { bottlenecks } from "./resnet.js";

/** Table 1 with n blocks a group: convolutions, the three projections, a batch-norm in front of each 3x3 and at the end. */
const wide = (n: number, k: number): number => {
  const group = (from: number, to: number): number =>
    9 * from * to + (2 * n - 1) * 9 * to * to + from * to + 2 * (from + (2 * n - 1) * to);
  return 27 * 16 + group(16, 16 * k) + group(16 * k, 32 * k) + group(32 * k, 64 * k) + 2 * 64 * k + (64 * k + 1) * 10;
};

/** Trainable parameters. */
export const wideResNetCounts: Readonly<Record<keyof typeof wideResNetModels, number>> = {
  wide_resnet50_2: bottlenecks([3, 4, 6, 3], 128),
  wide_resnet101_2: bottlenecks([3, 4, 23, 3], 128),
  wrn_16_8: wide(2, 8),
  wrn_28_10: wide(4, 10),
  wrn_40_4: wide(6, 4),
};
