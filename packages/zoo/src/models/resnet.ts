/**
 * He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, sections 3 and 4.1: the networks for ImageNet,
 * as published and as torchvision builds them.
 */
import { ArgumentError, add, narrow, pad, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  type Initializer,
  kaimingNormal,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import { imagenet, type ModelOptions, type ModelTable, type Preprocessing } from "../entry.js";
import { initialised } from "../initialise.js";
import { resnetRecipe, torchvisionRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";

/**
 * What carries a block's input past it (section 4.1). A: the input itself, with zeros for new channels. B: the input itself, and a
 * projection (1x1 convolution and batch-norm) where the shape changes. C: always a projection.
 */
export type Shortcut = "A" | "B" | "C";

export interface ResidualBlockOptions {
  /** Of the block. Default 1. */
  readonly stride?: number;
  /** Default B. */
  readonly shortcut?: Shortcut;
  /** Which convolution of a bottleneck has the stride: the first, as published, or the 3x3, as in torchvision (default). */
  readonly strideIn?: "1x1" | "3x3";
  /** Of a bottleneck's 3x3 convolution (ResNeXt's cardinality). Default 1. */
  readonly groups?: number;
  /** Channels of a group of a bottleneck's 3x3 convolution, for each 64 `planes`. Default 64. */
  readonly widthPerGroup?: number;
}

/** A 3x3 convolution that keeps the size, but for the stride. It has no bias: batch-norm follows. */
export const conv3x3 = (inChannels: number, outChannels: number, { stride = 1, groups = 1 } = {}): Conv2d =>
  new Conv2d(inChannels, outChannels, { kernelSize: 3, stride, padding: 1, groups, bias: false });

/** A 1x1 convolution without bias. */
export const conv1x1 = (inChannels: number, outChannels: number, { stride = 1 } = {}): Conv2d =>
  new Conv2d(inChannels, outChannels, { kernelSize: 1, stride, bias: false });

/** Shortcut A: every `stride`-th pixel, and zeros for the new channels, half before and half after. It has no parameters. */
export function shortcutA(x: Tensor, outChannels: number, stride: number): Tensor {
  const strided = stride === 1 ? x : narrow(narrow(x, 2, 0, undefined, stride), 3, 0, undefined, stride);
  const extra = outChannels - (x.shape[1] as number);
  const before = Math.floor(extra / 2);
  return extra === 0 ? strided : pad(strided, { low: [0, before, 0, 0], high: [0, extra - before, 0, 0] });
}

/** The layer on a block's shortcut; null where the input is added as it is. */
function shortcutLayer(option: Shortcut, inChannels: number, outChannels: number, stride: number): Layer | null {
  const same = stride === 1 && inChannels === outChannels;
  switch (option) {
    case "A":
      return same ? null : (x) => shortcutA(x, outChannels, stride);
    case "B":
    case "C":
      return same && option === "B"
        ? null
        : new Sequential(conv1x1(inChannels, outChannels, { stride }), new BatchNorm2d(outChannels));
    default:
      throw new ArgumentError(`ResNet: shortcut is "${String(option)}"; it needs to be "A", "B" or "C"`);
  }
}

/** Two 3x3 convolutions around a shortcut (figure 5, left): `[N, C, H, W]` -> `[N, planes, H/stride, W/stride]`. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Layer | null;

  /** @throws ArgumentError for groups or a width per group, which only a bottleneck has */
  constructor(
    inChannels: number,
    planes: number,
    { stride = 1, shortcut = "B", groups = 1, widthPerGroup = 64 }: ResidualBlockOptions = {},
  ) {
    super();
    if (groups !== 1 || widthPerGroup !== 64) {
      throw new ArgumentError(
        `BasicBlock: groups is ${groups} and widthPerGroup ${widthPerGroup}; it needs 1 and 64. Groups and widths are for Bottleneck.`,
      );
    }
    this.conv1 = conv3x3(inChannels, planes, { stride });
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes);
    this.downsample = shortcutLayer(shortcut, inChannels, planes, stride);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(add(y, this.downsample === null ? x : ctx.chain(x, this.downsample)));
  }
}

/**
 * 1x1, 3x3 and 1x1 convolutions around a shortcut (figure 5, right): `[N, C, H, W]` -> `[N, 4 planes, H/stride, W/stride]`. With groups
 * it is ResNeXt's block, with twice the width per group that of the wide ResNets.
 */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Layer | null;

  constructor(
    inChannels: number,
    planes: number,
    { stride = 1, shortcut = "B", strideIn = "3x3", groups = 1, widthPerGroup = 64 }: ResidualBlockOptions = {},
  ) {
    super();
    if (strideIn !== "1x1" && strideIn !== "3x3")
      throw new ArgumentError(`Bottleneck: strideIn is "${String(strideIn)}"; it needs to be "1x1" or "3x3"`);
    const width = Math.floor((planes * widthPerGroup) / 64) * groups;
    const outChannels = 4 * planes;
    const [first, second] = strideIn === "1x1" ? [stride, 1] : [1, stride];
    this.conv1 = conv1x1(inChannels, width, { stride: first });
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, { stride: second, groups });
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, outChannels);
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = shortcutLayer(shortcut, inChannels, outChannels, stride);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2, relu, this.conv3, this.bn3);
    return relu(add(y, this.downsample === null ? x : ctx.chain(x, this.downsample)));
  }
}

/** A {@link BasicBlock} without its shortcut: what the paper's plain networks consist of. */
export class PlainBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(inChannels: number, planes: number, { stride = 1 }: ResidualBlockOptions = {}) {
    super();
    this.conv1 = conv3x3(inChannels, planes, { stride });
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2, relu);
  }
}

/** A class of blocks: `expansion * planes` channels come out. */
export interface ResidualBlock {
  readonly expansion: number;
  new (inChannels: number, planes: number, options?: ResidualBlockOptions): Module;
}

export interface ResNetOptions extends ModelOptions, Omit<ResidualBlockOptions, "stride"> {
  /**
   * First weights of the convolutions and the classifier. Default torchvision's: convolutions normal with variance 2 / fan-out, the
   * classifier as `Linear` leaves it.
   */
  readonly init?: Initializer;
}

/** So many blocks, of which the first may change channels and size. */
export function stage(count: number, block: (first: boolean) => Module): Sequential {
  return new Sequential(...Array.from({ length: count }, (_, i) => block(i === 0)));
}

/** Sets the first weights of every convolution in a model. */
export function initialiseConvolutions(model: Module, init: Initializer): void {
  for (const layer of model.modules().values()) if (layer instanceof Conv2d) initialised(layer, init);
}

/** A stem of 7x7 and four stages of blocks with 64, 128, 256 and 512 planes (table 1): `[N, 3, H, W]` -> `[N, classes]`. */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(64);
  readonly maxpool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  /**
   * @param layers blocks in each of the four stages
   * @throws ArgumentError for other than four counts >= 1
   */
  constructor(
    block: ResidualBlock,
    layers: readonly [number, number, number, number],
    { numClasses = 1000, inChannels = 3, init, ...options }: ResNetOptions = {},
  ) {
    super();
    if (layers.length !== 4 || !layers.every((count) => Number.isSafeInteger(count) && count >= 1)) {
      throw new ArgumentError(`ResNet: layers are [${layers.join(", ")}]; it needs four counts of blocks, each >= 1`);
    }
    const blocks = (count: number, planes: number, from: number, stride: number): Sequential =>
      stage(
        count,
        (first) =>
          new block(first ? from : planes * block.expansion, planes, { ...options, stride: first ? stride : 1 }),
      );
    this.conv1 = new Conv2d(inChannels, 64, { kernelSize: 7, stride: 2, padding: 3, bias: false });
    this.layer1 = blocks(layers[0], 64, 64, 1);
    this.layer2 = blocks(layers[1], 128, 64 * block.expansion, 2);
    this.layer3 = blocks(layers[2], 256, 128 * block.expansion, 2);
    this.layer4 = blocks(layers[3], 512, 256 * block.expansion, 2);
    this.fc = new Linear(512 * block.expansion, numClasses);
    initialiseConvolutions(this, init ?? kaimingNormal({ mode: "fanOut", nonlinearity: "relu" }));
    if (init !== undefined) initialised(this.fc, init);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu, this.maxpool);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.layer4, this.avgpool, this.fc);
  }
}

export const he2016 = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016";

/** What the ImageNet networks of this kind have in common. */
export const residualEntry = {
  input: [3, 224, 224],
  numClasses: 1000,
  head: "fc",
  preprocessing: imagenet,
} as const;

/** Section 3.4. */
const published = {
  ...residualEntry,
  citation: he2016,
  recipe: resnetRecipe,
} as const;

/** Torchvision's training reference. */
const torchvision = {
  ...residualEntry,
  citation: he2016,
  recipe: torchvisionRecipe,
} as const;

/** The networks as published: stride in the first 1x1, initialised as He et al. 2015, section 2.2, classifier included. */
const as2015 = (options: ModelOptions | undefined, shortcut: Shortcut): ResNetOptions => ({
  ...options,
  shortcut,
  strideIn: "1x1",
  init: kaimingNormal(),
});

const tenCrop = { dataset: "imagenet", protocol: "validation, 10 crops of 224" } as const;

/** Preprocessing of torchvision's second generation of weights. */
export const resize232: Preprocessing = { ...imagenet, resize: 232 };

/** The table's part of this paper. */
export const residualModels = {
  plain18: {
    ...published,
    summary: "18 layers without shortcuts",
    build: (options?: ModelOptions) => new ResNet(PlainBlock, [2, 2, 2, 2], { ...options, init: kaimingNormal() }),
    published: [{ ...tenCrop, top1: 27.94, source: "He et al. 2016, table 2" }],
  },
  plain34: {
    ...published,
    summary: "34 layers without shortcuts: harder to train than 18",
    build: (options?: ModelOptions) => new ResNet(PlainBlock, [3, 4, 6, 3], { ...options, init: kaimingNormal() }),
    published: [{ ...tenCrop, top1: 28.54, top5: 10.02, source: "He et al. 2016, table 3" }],
  },
  resnet18_2015: {
    ...published,
    summary: "ResNet-18 as published, shortcut option A",
    build: (options?: ModelOptions) => new ResNet(BasicBlock, [2, 2, 2, 2], as2015(options, "A")),
    published: [{ ...tenCrop, top1: 27.88, source: "He et al. 2016, table 2" }],
  },
  resnet34_2015: {
    ...published,
    summary: "ResNet-34 as published, shortcut option A",
    build: (options?: ModelOptions) => new ResNet(BasicBlock, [3, 4, 6, 3], as2015(options, "A")),
    published: [{ ...tenCrop, top1: 25.03, top5: 7.76, source: "He et al. 2016, table 3" }],
  },
  resnet50_2015: {
    ...published,
    summary: "ResNet-50 as published, shortcut option B, stride in the 1x1",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 6, 3], as2015(options, "B")),
    published: [{ ...tenCrop, top1: 22.85, top5: 6.71, source: "He et al. 2016, table 3" }],
  },
  resnet101_2015: {
    ...published,
    summary: "ResNet-101 as published, shortcut option B, stride in the 1x1",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 23, 3], as2015(options, "B")),
    published: [{ ...tenCrop, top1: 21.75, top5: 6.05, source: "He et al. 2016, table 3" }],
  },
  resnet152_2015: {
    ...published,
    summary: "ResNet-152 as published, shortcut option B, stride in the 1x1",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 8, 36, 3], as2015(options, "B")),
    published: [{ ...tenCrop, top1: 21.43, top5: 5.71, source: "He et al. 2016, table 3" }],
  },
  resnet18: {
    ...torchvision,
    summary: "ResNet-18 as in torchvision: shortcut option B",
    build: (options?: ModelOptions) => new ResNet(BasicBlock, [2, 2, 2, 2], options),
    weights: [torchvisionWeights({ file: "resnet18-f37072fd", accuracy: [69.758, 89.078] })],
  },
  resnet34: {
    ...torchvision,
    summary: "ResNet-34 as in torchvision: shortcut option B",
    build: (options?: ModelOptions) => new ResNet(BasicBlock, [3, 4, 6, 3], options),
    weights: [torchvisionWeights({ file: "resnet34-b627a593", accuracy: [73.314, 91.42] })],
  },
  resnet50: {
    ...torchvision,
    summary: "ResNet-50 as in torchvision: stride in the 3x3",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 6, 3], options),
    weights: [
      torchvisionWeights({ file: "resnet50-0676ba61", accuracy: [76.13, 92.862] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "resnet50-11ad3fa6",
        accuracy: [80.858, 95.434],
        preprocessing: resize232,
      }),
    ],
  },
  resnet101: {
    ...torchvision,
    summary: "ResNet-101 as in torchvision: stride in the 3x3",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 4, 23, 3], options),
    weights: [
      torchvisionWeights({ file: "resnet101-63fe2227", accuracy: [77.374, 93.546] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "resnet101-cd907fc2",
        accuracy: [81.886, 95.78],
        preprocessing: resize232,
      }),
    ],
  },
  resnet152: {
    ...torchvision,
    summary: "ResNet-152 as in torchvision: stride in the 3x3",
    build: (options?: ModelOptions) => new ResNet(Bottleneck, [3, 8, 36, 3], options),
    weights: [
      torchvisionWeights({ file: "resnet152-394f9c45", accuracy: [78.312, 94.046] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "resnet152-f82ba261",
        accuracy: [82.284, 96.002],
        preprocessing: resize232,
      }),
    ],
  },
} as const satisfies ModelTable;
