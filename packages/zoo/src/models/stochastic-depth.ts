/**
 * Huang, Sun, Liu, Sedra, Weinberger: "Deep Networks with Stochastic Depth", ECCV 2016.
 */
import { add, relu, type Tensor } from "@ocelli/core";
import { BatchNorm2d, type Context, linearDecay, Module, Sequential, StochasticDepth } from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { stochasticDepthRecipe } from "../recipes.js";
import { conv3x3, shortcutA } from "./resnet.js";
import { CifarResNet, cifarEntry } from "./resnet-cifar.js";

/**
 * The basic block of He et al. whose two convolutions chance drops: `relu(b * f(x) + shortcut(x))`. `[N, C, H, W]` ->
 * `[N, O, H/stride, W/stride]`.
 */
export class StochasticBlock extends Module {
  readonly residual: StochasticDepth;
  readonly #outChannels: number;
  readonly #stride: number;

  constructor(
    inChannels: number,
    outChannels: number,
    { stride = 1, survival }: { readonly stride?: number; readonly survival: number },
  ) {
    super();
    const branch = new Sequential({
      conv1: conv3x3(inChannels, outChannels, { stride }),
      bn1: new BatchNorm2d(outChannels),
      relu,
      conv2: conv3x3(outChannels, outChannels),
      bn2: new BatchNorm2d(outChannels),
    });
    this.residual = new StochasticDepth(branch, { survival });
    this.#outChannels = outChannels;
    this.#stride = stride;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return relu(add(ctx.call(this.residual, x), shortcutA(x, this.#outChannels, this.#stride)));
  }
}

export interface StochasticResNetOptions extends ModelOptions {
  /** Survival of the last block, to which it falls linearly from 1. Default 0.5. */
  readonly last?: number;
}

/**
 * {@link CifarResNet} of 6n + 2 layers with stochastic depth: `[N, 3, 32, 32]` -> `[N, classes]`. Where a block changes channels, the
 * shortcut is He et al.'s option A, so that the parameters are those of the same network without stochastic depth.
 */
export class StochasticResNet extends CifarResNet {
  constructor(n: number, { last = 0.5, ...options }: StochasticResNetOptions = {}) {
    const survival = linearDecay(3 * n, last);
    super(n, {
      ...options,
      block: ({ inChannels, outChannels, stride, index }) =>
        new StochasticBlock(inChannels, outChannels, { stride, survival: survival[index] as number }),
    });
  }
}

const entry = {
  ...cifarEntry,
  citation: "Huang, Sun, Liu, Sedra, Weinberger: Deep Networks with Stochastic Depth, ECCV 2016",
  head: "linear",
  recipe: stochasticDepthRecipe,
} as const;

/** The table's part of this paper. */
export const stochasticDepthModels = {
  resnet110_stochastic_cifar: {
    ...entry,
    summary: "ResNet-110 for 32x32 images, blocks dropped by chance: survival falls from 1 to 0.5",
    build: (options?: ModelOptions) => new StochasticResNet(18, options),
    published: [
      { dataset: "cifar10", top1: 5.23, protocol: "test", source: "Huang et al. 2017 (DenseNet), table 2" },
      { dataset: "cifar100", top1: 24.58, protocol: "test", source: "Huang et al. 2017 (DenseNet), table 2" },
    ],
  },
  // The recipe is that of the 110 layers: the authors' code trains the 1202 under the same settings.
  resnet1202_stochastic_cifar: {
    ...entry,
    summary: "ResNet-1202 for 32x32 images, blocks dropped by chance: survival falls from 1 to 0.5",
    build: (options?: ModelOptions) => new StochasticResNet(200, options),
    published: [{ dataset: "cifar10", top1: 4.91, protocol: "test", source: "Huang et al. 2016, abstract" }],
  },
} as const satisfies ModelTable;
