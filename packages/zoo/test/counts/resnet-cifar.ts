import type { residualCifarModels } from "../../src/models/resnet-cifar.js";

/** 6n + 1 convolutions with 2 values of batch-norm a channel, then the classifier. Shortcuts have none. */
export const cifarCount = (n: number): number =>
  27 * 16 +
  2 * 16 +
  2 * n * (144 * 16 + 2 * 16) +
  (144 * 32 + 2 * 32) +
  (2 * n - 1) * (288 * 32 + 2 * 32) +
  (288 * 64 + 2 * 64) +
  (2 * n - 1) * (576 * 64 + 2 * 64) +
  65 * 10;

/** Trainable parameters. */
export const residualCifarCounts: Readonly<Record<keyof typeof residualCifarModels, number>> = {
  plain20_cifar: cifarCount(3),
  plain32_cifar: cifarCount(5),
  plain44_cifar: cifarCount(7),
  plain56_cifar: cifarCount(9),
  resnet20_cifar: cifarCount(3),
  resnet32_cifar: cifarCount(5),
  resnet44_cifar: cifarCount(7),
  resnet56_cifar: cifarCount(9),
  resnet110_cifar: cifarCount(18),
  resnet1202_cifar: cifarCount(200),
};
