/**
 * Zagoruyko, Komodakis: "Wide Residual Networks", BMVC 2016: the networks for CIFAR as published, and the wide bottlenecks for ImageNet as
 * torchvision builds them.
 */
import { ArgumentError, add, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  type Conv2d,
  Dropout,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  Module,
  type Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { wideResnetCifarRecipe, wideResnetRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";
import {
  Bottleneck,
  conv1x1,
  conv3x3,
  initialiseConvolutions,
  ResNet,
  residualEntry,
  resize232,
  stage,
} from "./resnet.js";
import { cifarEntry } from "./resnet-cifar.js";

export interface WideBlockOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Probability of dropping an activation between the convolutions. Default 0. */
  readonly dropout?: number;
}

/**
 * Two 3x3 convolutions behind batch-norm and ReLU, with dropout between them (figure 1d): `[N, C, H, W]` -> `[N, O, H/stride, W/stride]`.
 * Where the shape changes, the shortcut is a 1x1 convolution of the activated input.
 */
export class WideBlock extends Module {
  readonly bn1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly dropout: Dropout;
  readonly conv2: Conv2d;
  readonly downsample: Conv2d | null;

  constructor(inChannels: number, outChannels: number, { stride = 1, dropout = 0 }: WideBlockOptions = {}) {
    super();
    this.bn1 = new BatchNorm2d(inChannels);
    this.conv1 = conv3x3(inChannels, outChannels, { stride });
    this.bn2 = new BatchNorm2d(outChannels);
    this.dropout = new Dropout(dropout);
    this.conv2 = conv3x3(outChannels, outChannels);
    this.downsample = stride === 1 && inChannels === outChannels ? null : conv1x1(inChannels, outChannels, { stride });
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const active = ctx.chain(x, this.bn1, relu);
    const y = ctx.chain(active, this.conv1, this.bn2, relu, this.dropout, this.conv2);
    return add(y, this.downsample === null ? x : ctx.call(this.downsample, active));
  }
}

export interface WideResNetOptions extends ModelOptions {
  /** 6n + 4 layers: the paper counts the projections of the three stages. */
  readonly depth: number;
  /** How many times wider than a ResNet for CIFAR: the paper's k. */
  readonly widen: number;
  /** Default 0.3, the paper's for CIFAR. */
  readonly dropout?: number;
}

/**
 * WRN-depth-k: three stages of 16k, 32k and 64k channels (table 1). `[N, 3, 32, 32]` -> `[N, classes]`. The paper is silent about first
 * weights: normal with variance 2 / fan-out, as in the Torch residual networks of its time, of which its code is a variant.
 */
export class WideResNet extends Module {
  readonly conv1: Conv2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly bn: BatchNorm2d;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  /** @throws ArgumentError unless depth is 6n + 4 (10, 16, 22, ...) and widen an integer >= 1 */
  constructor({ depth, widen, dropout = 0.3, numClasses = 10, inChannels = 3 }: WideResNetOptions) {
    super();
    const n = (depth - 4) / 6;
    if (!(Number.isSafeInteger(n) && n >= 1 && Number.isSafeInteger(widen) && widen >= 1)) {
      throw new ArgumentError(
        `WideResNet: depth is ${depth} and widen ${widen}; it needs a depth of 6n + 4 (10, 16, 22, ...) and an integer >= 1`,
        { depth, widen },
      );
    }
    const blocks = (from: number, to: number, stride: number): Sequential =>
      stage(n, (first) => new WideBlock(first ? from : to, to, { stride: first ? stride : 1, dropout }));
    this.conv1 = conv3x3(inChannels, 16);
    this.layer1 = blocks(16, 16 * widen, 1);
    this.layer2 = blocks(16 * widen, 32 * widen, 2);
    this.layer3 = blocks(32 * widen, 64 * widen, 2);
    this.bn = new BatchNorm2d(64 * widen);
    this.fc = new Linear(64 * widen, numClasses);
    initialiseConvolutions(this, kaimingNormal({ mode: "fanOut" }));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.layer1, this.layer2, this.layer3);
    return ctx.chain(y, this.bn, relu, this.avgpool, this.fc);
  }
}

const citation = "Zagoruyko, Komodakis: Wide Residual Networks, BMVC 2016";

const entry = {
  ...residualEntry,
  citation,
  recipe: wideResnetRecipe,
} as const;

const cifar = {
  ...cifarEntry,
  citation,
  head: "fc",
  recipe: wideResnetCifarRecipe,
} as const;

const table5 = { protocol: "test, without dropout", source: "Zagoruyko and Komodakis 2016, table 5" } as const;
const table6 = { protocol: "test, with dropout", source: "Zagoruyko and Komodakis 2016, table 6" } as const;

/** The table's part of this paper. */
export const wideResNetModels = {
  wide_resnet50_2: {
    ...entry,
    summary: "ResNet-50 with 3x3 convolutions twice as wide, as in torchvision",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 6, 3], { ...options, widthPerGroup: 128 }),
    weights: [
      torchvisionWeights({ file: "wide_resnet50_2-95faca4d", accuracy: [78.468, 94.086] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "wide_resnet50_2-9ba9bcbe",
        accuracy: [81.602, 95.758],
        preprocessing: resize232,
      }),
    ],
  },
  wide_resnet101_2: {
    ...entry,
    summary: "ResNet-101 with 3x3 convolutions twice as wide, as in torchvision",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 23, 3], { ...options, widthPerGroup: 128 }),
    weights: [
      torchvisionWeights({ file: "wide_resnet101_2-32ee1156", accuracy: [78.848, 94.284] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "wide_resnet101_2-d733dc28",
        accuracy: [82.51, 96.02],
        preprocessing: resize232,
      }),
    ],
  },
  wrn_16_8: {
    ...cifar,
    summary: "wide ResNet of 16 layers, 8 times as wide, for 32x32 images",
    build: (options?: ModelOptions) => new WideResNet({ ...options, depth: 16, widen: 8 }),
    published: [
      { ...table5, dataset: "cifar10", top1: 4.27 },
      { ...table5, dataset: "cifar100", top1: 20.43 },
    ],
  },
  wrn_28_10: {
    ...cifar,
    summary: "wide ResNet of 28 layers, 10 times as wide, for 32x32 images",
    build: (options?: ModelOptions) => new WideResNet({ ...options, depth: 28, widen: 10 }),
    published: [
      { ...table5, dataset: "cifar10", top1: 4.0 },
      { ...table6, dataset: "cifar10", top1: 3.89 },
      { ...table5, dataset: "cifar100", top1: 19.25 },
      { ...table6, dataset: "cifar100", top1: 18.85 },
    ],
  },
  wrn_40_4: {
    ...cifar,
    summary: "wide ResNet of 40 layers, 4 times as wide, for 32x32 images",
    build: (options?: ModelOptions) => new WideResNet({ ...options, depth: 40, widen: 4 }),
    published: [
      { ...table5, dataset: "cifar10", top1: 4.53 },
      { ...table5, dataset: "cifar100", top1: 21.18 },
    ],
  },
} as const satisfies ModelTable;
