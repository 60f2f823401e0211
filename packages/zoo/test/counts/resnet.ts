import type { residualModels } from "../../src/models/resnet.js";

/** A convolution without bias and the batch-norm behind it. */
export const conv = (kernel: number, from: number, to: number, groups = 1): number =>
  (kernel * kernel * from * to) / groups + 2 * to;

type Four = readonly [number, number, number, number];

/** Table 1 with two 3x3 a block: n blocks in each stage of 64, 128, 256, 512 channels. */
const basic = ([n1, n2, n3, n4]: Four): number =>
  conv(7, 3, 64) +
  2 * n1 * conv(3, 64, 64) +
  (conv(3, 64, 128) + (2 * n2 - 1) * conv(3, 128, 128)) +
  (conv(3, 128, 256) + (2 * n3 - 1) * conv(3, 256, 256)) +
  (conv(3, 256, 512) + (2 * n4 - 1) * conv(3, 512, 512)) +
  (512 + 1) * 1000;

/** The three projections of option B between stages of basic blocks. */
const projections = conv(1, 64, 128) + conv(1, 128, 256) + conv(1, 256, 512);

/** Table 1 with bottlenecks: 3x3 convolutions of w, 2w, 4w, 8w channels in groups, and option B. */
export const bottlenecks = (blocks: Four, w = 64, groups = 1): number => {
  const froms = [64, 256, 512, 1024];
  const stages = blocks.map((n, i) => {
    const from = froms[i] as number;
    const [inner, outer] = [w * 2 ** i, 256 * 2 ** i];
    return (
      conv(1, from, inner) +
      (n - 1) * conv(1, outer, inner) +
      n * (conv(3, inner, inner, groups) + conv(1, inner, outer)) +
      conv(1, from, outer)
    );
  });
  return stages.reduce((sum, count) => sum + count, conv(7, 3, 64) + (2048 + 1) * 1000);
};

/** Trainable parameters. Shortcut A and the plain networks have only those of the main path. */
export const residualCounts: Readonly<Record<keyof typeof residualModels, number>> = {
  plain18: basic([2, 2, 2, 2]),
  plain34: basic([3, 4, 6, 3]),
  resnet18_2015: basic([2, 2, 2, 2]),
  resnet34_2015: basic([3, 4, 6, 3]),
  resnet50_2015: bottlenecks([3, 4, 6, 3]),
  resnet101_2015: bottlenecks([3, 4, 23, 3]),
  resnet152_2015: bottlenecks([3, 8, 36, 3]),
  resnet18: basic([2, 2, 2, 2]) + projections,
  resnet34: basic([3, 4, 6, 3]) + projections,
  resnet50: bottlenecks([3, 4, 6, 3]),
  resnet101: bottlenecks([3, 4, 23, 3]),
  resnet152: bottlenecks([3, 8, 36, 3]),
};
