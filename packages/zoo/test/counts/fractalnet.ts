import type { fractalnetModels } from "../../src/models/fractalnet.js";

/** 2^C - 1 convolutions a block, the first of each of the C columns from the block's input; 2 values of batch-norm a channel. */
const blocks = (into: number, channels: readonly number[], columns: number): number =>
  channels.reduce((total, out, i) => {
    const from = channels[i - 1] ?? into;
    const all = 2 ** columns - 1;
    return total + 9 * out * (columns * from + (all - columns) * out) + 2 * all * out;
  }, 0);

/** Any of the CIFAR networks. */
export const fractalCifar = (channels: readonly number[], columns: number, classes: number): number =>
  blocks(3, channels, columns) + ((channels.at(-1) as number) + 1) * classes;

export const fractalnetCounts: Readonly<Record<keyof typeof fractalnetModels, number>> = {
  // 33.7 M by the paper's channels and rule. Its table 1 prints 38.6 M, which is 7 convolutions of full width a block and 1x1
  // convolutions from width to width between them; its table 3 and the authors' generator have what stands here.
  fractalnet20_cifar: fractalCifar([64, 128, 256, 512, 512], 3, 10),
  // Table 3: 4.8 M.
  fractalnet40_cifar: fractalCifar([16, 32, 64, 128, 128], 4, 10),
  fractalnet34: 147 * 64 + 2 * 64 + blocks(64, [128, 256, 512, 1024], 4) + 1025 * 1000,
};
