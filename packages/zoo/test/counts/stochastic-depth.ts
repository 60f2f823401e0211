import type { stochasticDepthModels } from "../../src/models/stochastic-depth.js";
import { cifarCount } from "./resnet-cifar.js";

/** Trainable parameters: those of the networks whose blocks are never dropped. */
export const stochasticDepthCounts: Readonly<Record<keyof typeof stochasticDepthModels, number>> = {
  resnet110_stochastic_cifar: cifarCount(18),
  resnet1202_stochastic_cifar: cifarCount(200),
};
