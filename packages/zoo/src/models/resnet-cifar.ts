/**
 * He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2: the networks for CIFAR-10.
 */
import { ArgumentError, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  type Conv2d,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  Module,
  Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { resnet110CifarRecipe, resnetCifarRecipe } from "../recipes.js";
import { BasicBlock, conv3x3, he2016, initialiseConvolutions, PlainBlock } from "./resnet.js";

/** Where a block stands. */
export interface BlockPlace {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly stride: number;
  /** The how-manieth of all blocks it is, from 0. */
  readonly index: number;
}

export interface CifarResNetOptions extends ModelOptions {
  /** Makes the blocks. Default: {@link BasicBlock} with shortcut A, which has no parameters. */
  readonly block?: (place: BlockPlace) => Module;
}

const residualBlock = ({ inChannels, outChannels, stride }: BlockPlace): Module =>
  new BasicBlock(inChannels, outChannels, { stride, shortcut: "A" });

const plainBlock = ({ inChannels, outChannels, stride }: BlockPlace): Module =>
  new PlainBlock(inChannels, outChannels, { stride });

/** 6n + 2 layers in three stages of 16, 32 and 64 channels: `[N, 3, 32, 32]` -> `[N, classes]`. n = 3 is ResNet-20. */
export class CifarResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(16);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly pool = new GlobalAvgPool();
  readonly linear: Linear;

  /** @throws ArgumentError unless n is an integer >= 1 */
  constructor(n: number, { numClasses = 10, inChannels = 3, block = residualBlock }: CifarResNetOptions = {}) {
    super();
    if (!Number.isSafeInteger(n) || n < 1)
      throw new ArgumentError(`CifarResNet: n is ${n}; it needs an integer >= 1, for 6n + 2 layers`, { n });
    const blocks = (stage: number, from: number, to: number): Sequential =>
      new Sequential(
        ...Array.from({ length: n }, (_, i) =>
          block({
            inChannels: i === 0 ? from : to,
            outChannels: to,
            stride: i === 0 && stage > 0 ? 2 : 1,
            index: stage * n + i,
          }),
        ),
      );
    this.conv1 = conv3x3(inChannels, 16);
    this.layer1 = blocks(0, 16, 16);
    this.layer2 = blocks(1, 16, 32);
    this.layer3 = blocks(2, 32, 64);
    this.linear = initialised(new Linear(64, numClasses), kaimingNormal());
    initialiseConvolutions(this, kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.pool, this.linear);
  }
}

/** What all networks for CIFAR of this kind have in common. */
export const cifarEntry = {
  input: [3, 32, 32],
  numClasses: 10,
  preprocessing: {},
} as const;

const entry = { ...cifarEntry, citation: he2016, head: "linear", recipe: resnetCifarRecipe } as const;

const table6 = (top1: number) =>
  [{ dataset: "cifar10", top1, protocol: "test", source: "He et al. 2016, table 6" }] as const;

const build = (layers: number, make: (place: BlockPlace) => Module) => (options?: ModelOptions) =>
  new CifarResNet((layers - 2) / 6, { ...options, block: make });

/** The table's part of this paper. */
export const residualCifarModels = {
  plain20_cifar: {
    ...entry,
    summary: "20 layers for 32x32 images, without shortcuts",
    build: build(20, plainBlock),
  },
  plain32_cifar: {
    ...entry,
    summary: "32 layers for 32x32 images, without shortcuts",
    build: build(32, plainBlock),
  },
  plain44_cifar: {
    ...entry,
    summary: "44 layers for 32x32 images, without shortcuts",
    build: build(44, plainBlock),
  },
  plain56_cifar: {
    ...entry,
    summary: "56 layers for 32x32 images, without shortcuts",
    build: build(56, plainBlock),
  },
  resnet20_cifar: {
    ...entry,
    summary: "ResNet-20 for 32x32 images, shortcut option A",
    build: build(20, residualBlock),
    published: table6(8.75),
    weights: [
      {
        name: "cifar10",
        url: "https://raw.githubusercontent.com/akamaster/pytorch_resnet_cifar10/master/pretrained_models/resnet20-12fca82f.th",
        sha256: "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
        bytes: 1_099_231,
        preprocessing: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
        classes: "cifar10",
        licence: "BSD-2-Clause",
        published: { dataset: "cifar10", top1: 8.27, protocol: "test", source: "akamaster/pytorch_resnet_cifar10" },
      },
    ],
  },
  resnet32_cifar: {
    ...entry,
    summary: "ResNet-32 for 32x32 images, shortcut option A",
    build: build(32, residualBlock),
    published: table6(7.51),
  },
  resnet44_cifar: {
    ...entry,
    summary: "ResNet-44 for 32x32 images, shortcut option A",
    build: build(44, residualBlock),
    published: table6(7.17),
  },
  resnet56_cifar: {
    ...entry,
    summary: "ResNet-56 for 32x32 images, shortcut option A",
    build: build(56, residualBlock),
    published: table6(6.97),
  },
  resnet110_cifar: {
    ...entry,
    summary: "ResNet-110 for 32x32 images, shortcut option A",
    build: build(110, residualBlock),
    recipe: resnet110CifarRecipe,
    published: [
      {
        dataset: "cifar10",
        top1: 6.43,
        protocol: "test, best of 5 runs (6.61 +- 0.16)",
        source: "He et al. 2016, table 6",
      },
    ],
  },
  resnet1202_cifar: {
    ...entry,
    summary: "ResNet-1202 for 32x32 images, shortcut option A",
    build: build(1202, residualBlock),
    published: table6(7.93),
  },
} as const satisfies ModelTable;
