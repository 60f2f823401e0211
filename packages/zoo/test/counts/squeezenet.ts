import type { squeezenetModels } from "../../src/models/squeezenet.js";

/** Squeeze to s maps, expand to e of 1x1 and e of 3x3. */
const fire = (into: number, s: number, e: number): number => s * (into + 1) + e * (s + 1) + e * (9 * s + 1);

/** fire3 to fire9 and conv10, alike in both versions. */
const rest =
  fire(128, 16, 64) +
  fire(128, 32, 128) +
  fire(256, 32, 128) +
  fire(256, 48, 192) +
  fire(384, 48, 192) +
  fire(384, 64, 256) +
  fire(512, 64, 256) +
  1000 * 513;

const version1 = 96 * (49 * 3 + 1) + fire(96, 16, 64) + rest;

/** Trainable parameters by table 1. */
export const squeezenetCounts: Readonly<Record<keyof typeof squeezenetModels, number>> = {
  // 1,248,424, as the last row of table 1 prints it (before pruning).
  squeezenet1_0: version1,
  squeezenet1_0_simple_bypass: version1,
  // 1x1 convolutions around fire2, 4, 6 and 8.
  squeezenet1_0_complex_bypass: version1 + 128 * 97 + 256 * 129 + 384 * 257 + 512 * 385,
  // 1,235,496.
  squeezenet1_1: 64 * (9 * 3 + 1) + fire(64, 16, 64) + rest,
};
