import type { residualCifarModels } from "../../src/models/resnet-cifar.js";

/** Trainable parameters: 6n + 1 convolutions with 2 values of batch-norm a channel, then the classifier. */
export const residualCifarCounts: Readonly<Record<keyof typeof residualCifarModels, number>> = {
  resnet20_cifar:
    27 * 16 +
    2 * 16 +
    6 * (144 * 16 + 2 * 16) +
    (144 * 32 + 2 * 32) +
    5 * (288 * 32 + 2 * 32) +
    (288 * 64 + 2 * 64) +
    5 * (576 * 64 + 2 * 64) +
    65 * 10,
};
