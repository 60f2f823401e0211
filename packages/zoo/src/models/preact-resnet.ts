/**
 * He, Zhang, Ren, Sun: "Identity Mappings in Deep Residual Networks", ECCV 2016: batch-norm and ReLU in front of the convolutions, and
 * nothing after the sum, so that the shortcuts form a clean path from the first block to the last.
 */
import { ArgumentError, add, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  kaimingNormal,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  type Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { preactResnetCifarRecipe, preactResnetRecipe } from "../recipes.js";
import { conv1x1, conv3x3, initialiseConvolutions, residualEntry, shortcutA, stage } from "./resnet.js";
import { cifarEntry } from "./resnet-cifar.js";

export interface PreActBlockOptions {
  /** Default 1. */
  readonly stride?: number;
  /**
   * Where input and output differ in shape: zeros for the new channels (A), or a projection of the activated input (B, default), which
   * the network's first activation or the block's own has then made for both paths.
   */
  readonly shortcut?: "A" | "B";
  /** Whether the block begins with batch-norm and ReLU (default). The first block's input has had them already. */
  readonly preactivate?: boolean;
}

/** The layer on the shortcut; a module projects the activated input, a function takes the input as it came. */
function shortcutLayer(
  inChannels: number,
  outChannels: number,
  { stride = 1, shortcut = "B" }: PreActBlockOptions,
): Layer | null {
  if (stride === 1 && inChannels === outChannels) return null;
  return shortcut === "A" ? (x) => shortcutA(x, outChannels, stride) : conv1x1(inChannels, outChannels, { stride });
}

/** Two 3x3 convolutions, each behind batch-norm and ReLU (figure 1b): `[N, C, H, W]` -> `[N, planes, H/stride, W/stride]`. */
export class PreActBlock extends Module {
  static readonly expansion = 1;
  readonly bn1: BatchNorm2d | null;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly downsample: Layer | null;

  constructor(inChannels: number, planes: number, options: PreActBlockOptions = {}) {
    super();
    const { stride = 1, preactivate = true } = options;
    this.bn1 = preactivate ? new BatchNorm2d(inChannels) : null;
    this.conv1 = conv3x3(inChannels, planes, { stride });
    this.bn2 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.downsample = shortcutLayer(inChannels, planes, options);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const active = this.bn1 === null ? x : ctx.chain(x, this.bn1, relu);
    const y = ctx.chain(active, this.conv1, this.bn2, relu, this.conv2);
    return add(y, carried(x, active, this.downsample, ctx));
  }
}

/** 1x1, 3x3 and 1x1 convolutions, each behind batch-norm and ReLU: `[N, C, H, W]` -> `[N, 4 planes, H/stride, W/stride]`. */
export class PreActBottleneck extends Module {
  static readonly expansion = 4;
  readonly bn1: BatchNorm2d | null;
  readonly conv1: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly downsample: Layer | null;

  constructor(inChannels: number, planes: number, options: PreActBlockOptions = {}) {
    super();
    const { stride = 1, preactivate = true } = options;
    this.bn1 = preactivate ? new BatchNorm2d(inChannels) : null;
    this.conv1 = conv1x1(inChannels, planes);
    this.bn2 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes, { stride });
    this.bn3 = new BatchNorm2d(planes);
    this.conv3 = conv1x1(planes, 4 * planes);
    this.downsample = shortcutLayer(inChannels, 4 * planes, options);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const active = this.bn1 === null ? x : ctx.chain(x, this.bn1, relu);
    const y = ctx.chain(active, this.conv1, this.bn2, relu, this.conv2, this.bn3, relu, this.conv3);
    return add(y, carried(x, active, this.downsample, ctx));
  }
}

/** What is added to a block's convolutions. */
function carried(x: Tensor, active: Tensor, downsample: Layer | null, ctx: Context): Tensor {
  if (downsample === null) return x;
  return downsample instanceof Module ? ctx.call(downsample, active) : downsample(x);
}

/** A class of blocks: `expansion * planes` channels come out. */
export interface PreActResidualBlock {
  readonly expansion: number;
  new (inChannels: number, planes: number, options?: PreActBlockOptions): Module;
}

/**
 * The network for ImageNet: `[N, 3, H, W]` -> `[N, classes]`. The paper tells what differs from the ResNets of 2015 and leaves the stride of
 * a bottleneck open: here the 3x3 has it, so that no activation is skipped, and projections have no batch-norm, since their input has.
 */
export class PreActResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(64);
  readonly maxpool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly bn: BatchNorm2d;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  /**
   * @param layers blocks in each of the four stages
   * @throws ArgumentError for other than four counts >= 1
   */
  constructor(
    block: PreActResidualBlock,
    layers: readonly [number, number, number, number],
    { numClasses = 1000, inChannels = 3 }: ModelOptions = {},
  ) {
    super();
    if (layers.length !== 4 || !layers.every((count) => Number.isSafeInteger(count) && count >= 1)) {
      throw new ArgumentError(
        `PreActResNet: layers are [${layers.join(", ")}]; it needs four counts of blocks, each >= 1`,
      );
    }
    const { expansion } = block;
    const blocks = (count: number, planes: number, from: number, stride: number): Sequential =>
      stage(count, (first) =>
        first ? new block(from, planes, { stride, preactivate: planes > 64 }) : new block(planes * expansion, planes),
      );
    this.conv1 = new Conv2d(inChannels, 64, { kernelSize: 7, stride: 2, padding: 3, bias: false });
    this.layer1 = blocks(layers[0], 64, 64, 1);
    this.layer2 = blocks(layers[1], 128, 64 * expansion, 2);
    this.layer3 = blocks(layers[2], 256, 128 * expansion, 2);
    this.layer4 = blocks(layers[3], 512, 256 * expansion, 2);
    this.bn = new BatchNorm2d(512 * expansion);
    this.fc = initialised(new Linear(512 * expansion, numClasses), kaimingNormal());
    initialiseConvolutions(this, kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu, this.maxpool);
    const y = ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.layer4);
    return ctx.chain(y, this.bn, relu, this.avgpool, this.fc);
  }
}

/**
 * The network for CIFAR: 6n + 2 layers with basic blocks, 9n + 2 with bottlenecks. `[N, 3, 32, 32]` -> `[N, classes]`. Basic blocks have
 * shortcut A and bottlenecks B: the paper compares the first with its predecessor of the same parameters, and the second raises the
 * channels at once from 16 to 64, where zeros would be three quarters.
 */
export class CifarPreActResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(16);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly bn: BatchNorm2d;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  /** @throws ArgumentError unless n is an integer >= 1 */
  constructor(block: PreActResidualBlock, n: number, { numClasses = 10, inChannels = 3 }: ModelOptions = {}) {
    super();
    if (!Number.isSafeInteger(n) || n < 1)
      throw new ArgumentError(`CifarPreActResNet: n is ${n}; it needs an integer >= 1, the blocks in a stage`, { n });
    const { expansion } = block;
    const shortcut = expansion === 1 ? "A" : "B";
    const blocks = (planes: number, from: number, stride: number): Sequential =>
      stage(n, (first) =>
        first
          ? new block(from, planes, { stride, shortcut, preactivate: planes > 16 })
          : new block(planes * expansion, planes),
      );
    this.conv1 = conv3x3(inChannels, 16);
    this.layer1 = blocks(16, 16, 1);
    this.layer2 = blocks(32, 16 * expansion, 2);
    this.layer3 = blocks(64, 32 * expansion, 2);
    this.bn = new BatchNorm2d(64 * expansion);
    this.fc = initialised(new Linear(64 * expansion, numClasses), kaimingNormal());
    initialiseConvolutions(this, kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.bn, relu, this.avgpool, this.fc);
  }
}

const citation = "He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks, ECCV 2016";

const entry = {
  ...residualEntry,
  citation,
  recipe: preactResnetRecipe,
} as const;

const cifar = { ...cifarEntry, citation, head: "fc", recipe: preactResnetCifarRecipe } as const;

const crop320 = {
  dataset: "imagenet",
  protocol: "validation, single crop 320, trained with scale augmentation",
  source: "He et al. 2016b, table 5",
} as const;
const median = { protocol: "test, median of 5 runs", source: "He et al. 2016b, table 4" } as const;

/** The table's part of this paper. Of the networks for ImageNet it trains 152 and 200 layers; the others are their smaller kin. */
export const preActModels = {
  preact_resnet18: {
    ...entry,
    summary: "ResNet-18 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBlock, [2, 2, 2, 2], options),
  },
  preact_resnet34: {
    ...entry,
    summary: "ResNet-34 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBlock, [3, 4, 6, 3], options),
  },
  preact_resnet50: {
    ...entry,
    summary: "ResNet-50 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBottleneck, [3, 4, 6, 3], options),
  },
  preact_resnet101: {
    ...entry,
    summary: "ResNet-101 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBottleneck, [3, 4, 23, 3], options),
  },
  preact_resnet152: {
    ...entry,
    summary: "ResNet-152 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBottleneck, [3, 8, 36, 3], options),
    published: [{ ...crop320, top1: 21.1, top5: 5.5 }],
  },
  preact_resnet200: {
    ...entry,
    summary: "ResNet-200 with pre-activation",
    build: (options?: ModelOptions) => new PreActResNet(PreActBottleneck, [3, 24, 36, 3], options),
    published: [{ ...crop320, top1: 20.7, top5: 5.3 }],
  },
  preact_resnet110_cifar: {
    ...cifar,
    summary: "ResNet-110 for 32x32 images with pre-activation",
    build: (options?: ModelOptions) => new CifarPreActResNet(PreActBlock, 18, options),
    published: [
      { dataset: "cifar10", top1: 6.37, protocol: "test, median of 5 runs", source: "He et al. 2016b, table 2" },
    ],
  },
  preact_resnet164_cifar: {
    ...cifar,
    summary: "ResNet-164 for 32x32 images with pre-activation, of bottlenecks",
    build: (options?: ModelOptions) => new CifarPreActResNet(PreActBottleneck, 18, options),
    published: [
      { ...median, dataset: "cifar10", top1: 5.46 },
      { ...median, dataset: "cifar100", top1: 24.33 },
    ],
  },
  preact_resnet1001_cifar: {
    ...cifar,
    summary: "ResNet-1001 for 32x32 images with pre-activation, of bottlenecks",
    build: (options?: ModelOptions) => new CifarPreActResNet(PreActBottleneck, 111, options),
    published: [
      { ...median, dataset: "cifar10", top1: 4.92 },
      { ...median, dataset: "cifar100", top1: 22.71 },
    ],
  },
} as const satisfies ModelTable;
