import type { preActModels } from "../../src/models/preact-resnet.js";

type Four = readonly [number, number, number, number];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Parameters of the networks for ImageNet: convolutions, plain projections, and 2 values for each channel that a batch-norm sees: the
 * stem's 64, what each block but the first is given, what its inner convolutions make, and the last 512 times the expansion.
 */
const basic = (blocks: Four): number =>
  sum(
    blocks.map((n, i) => {
      const c = 64 * 2 ** i;
      const from = i === 0 ? 64 : c / 2;
      const convolutions = 9 * from * c + (2 * n - 1) * 9 * c * c;
      const norms = (i === 0 ? 0 : 2 * from) + (n - 1) * 2 * c + n * 2 * c;
      return convolutions + norms + (i === 0 ? 0 : from * c);
    }),
  ) +
  (147 * 64 + 2 * 64) +
  2 * 512 +
  513 * 1000;

const bottlenecks = (blocks: Four): number =>
  sum(
    blocks.map((n, i) => {
      const c = 64 * 2 ** i;
      const from = i === 0 ? 64 : 2 * c;
      const convolutions = from * c + (n - 1) * 4 * c * c + n * (9 * c * c + 4 * c * c);
      const norms = (i === 0 ? 0 : 2 * from) + (n - 1) * 8 * c + n * 4 * c;
      return convolutions + norms + from * 4 * c;
    }),
  ) +
  (147 * 64 + 2 * 64) +
  2 * 2048 +
  2049 * 1000;

/** Convolutions and classifier of 9n + 2 layers: 1x1, 3x3, 1x1 with 16, 32, 64 channels inside and four times as many outside. */
export const cifarBottleneckWeights = (n: number): number =>
  27 * 16 +
  (16 * 16 + 16 * 64 + (n - 1) * 64 * 16 + n * (9 * 16 * 16 + 16 * 64)) +
  (64 * 32 + 64 * 128 + (n - 1) * 128 * 32 + n * (9 * 32 * 32 + 32 * 128)) +
  (128 * 64 + 128 * 256 + (n - 1) * 256 * 64 + n * (9 * 64 * 64 + 64 * 256)) +
  257 * 10;

/** Channels of all their batch-norms: the stem's 16; a block's input and its two inner maps; the last 256. The first has its input's. */
const cifarBottleneckNorms = (n: number): number =>
  2 * (16 + (n - 1) * 64 + 2 * n * 16 + (64 + (n - 1) * 128 + 2 * n * 32) + (128 + (n - 1) * 256 + 2 * n * 64) + 256);

/** Trainable parameters. */
export const preActCounts: Readonly<Record<keyof typeof preActModels, number>> = {
  preact_resnet18: basic([2, 2, 2, 2]),
  preact_resnet34: basic([3, 4, 6, 3]),
  preact_resnet50: bottlenecks([3, 4, 6, 3]),
  preact_resnet101: bottlenecks([3, 4, 23, 3]),
  preact_resnet152: bottlenecks([3, 8, 36, 3]),
  preact_resnet200: bottlenecks([3, 24, 36, 3]),
  // 109 convolutions: 37 of them make 16 channels, 36 make 32, 36 make 64; the norms are of 16 (37), 32 (36) and 64 (36) channels.
  preact_resnet110_cifar:
    27 * 16 +
    36 * 144 * 16 +
    (144 * 32 + 35 * 288 * 32) +
    (288 * 64 + 35 * 576 * 64) +
    2 * (37 * 16 + 36 * 32 + 36 * 64) +
    65 * 10,
  preact_resnet164_cifar: cifarBottleneckWeights(18) + cifarBottleneckNorms(18),
  preact_resnet1001_cifar: cifarBottleneckWeights(111) + cifarBottleneckNorms(111),
};
