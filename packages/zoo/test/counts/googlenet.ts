import type { googlenetModels } from "../../src/models/googlenet.js";
import type { googlenet2014Models } from "../../src/models/googlenet-2014.js";

/** Table 1: input channels, then the columns #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj. */
const table = [
  [192, 64, 96, 128, 16, 32, 32],
  [256, 128, 128, 192, 32, 96, 64],
  [480, 192, 96, 208, 16, 48, 64],
  [512, 160, 112, 224, 24, 64, 64],
  [512, 128, 128, 256, 24, 64, 64],
  [512, 112, 144, 288, 32, 64, 64],
  [528, 256, 160, 320, 32, 128, 128],
  [832, 256, 160, 320, 32, 128, 128],
  [832, 384, 192, 384, 48, 128, 128],
] as const;

/** Weights and channels of all nine modules: what is not 3x3 or 5x5 reads the module's input. */
const modules = (fifth: number) => {
  const weights = table.map(([c, a, r3, b, r5, d, p]) => c * (a + r3 + r5 + p) + 9 * r3 * b + fifth * r5 * d);
  const channels = table.flatMap(([, ...filters]) => filters);
  return { weights: total(weights), channels: total(channels) };
};

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

// 7x7, 1x1 and 3x3 convolutions.
const stem = { weights: 147 * 64 + 64 * 64 + 576 * 192, channels: 64 + 64 + 192 };
/** Both auxiliary classifiers: 1x1 convolution, 4x4x128 -> 1024 -> 1000. Their convolutions' biases or batch-norms are 256 channels'. */
const auxiliary = 128 * (512 + 528) + 2 * (2049 * 1024 + 1025 * 1000);
const classifier = 1025 * 1000;

/** Trainable parameters: one bias a channel as published, two values of batch-norm a channel in torchvision's, whose 5x5 are 3x3. */
const paper = modules(25);
const torchvision = modules(9);

export const googlenetCounts: Readonly<
  Record<keyof typeof googlenet2014Models | keyof typeof googlenetModels, number>
> = {
  googlenet_2014: stem.weights + paper.weights + (stem.channels + paper.channels) + auxiliary + 256 + classifier,
  googlenet:
    stem.weights + torchvision.weights + 2 * (stem.channels + torchvision.channels) + auxiliary + 2 * 256 + classifier,
};
