import type { zfnetModels } from "../../src/models/zfnet.js";

const count = (conv3: number, conv4: number, conv5: number): number =>
  96 * (7 * 7 * 3 + 1) +
  256 * (5 * 5 * 96 + 1) +
  conv3 * (9 * 256 + 1) +
  conv4 * (9 * conv3 + 1) +
  conv5 * (9 * conv4 + 1) +
  4096 * (36 * conv5 + 1) +
  4096 * 4097 +
  1000 * 4097;

/** Trainable parameters by the layers of figure 3. */
export const zfnetCounts: Readonly<Record<keyof typeof zfnetModels, number>> = {
  zfnet: count(384, 384, 256),
  zfnet512: count(512, 1024, 512),
};
