/**
 * Xie, Girshick, Dollár, Tu, He: "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017. The paths of a block are a
 * bottleneck with a grouped 3x3 convolution (figure 3c).
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
  type Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { resnextCifarRecipe, resnextRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";
import { Bottleneck, conv3x3, initialiseConvolutions, ResNet, residualEntry, resize232, stage } from "./resnet.js";
import { cifarEntry } from "./resnet-cifar.js";

export interface CifarResNeXtOptions extends ModelOptions {
  /** Paths in a block: the paper's C. */
  readonly cardinality: number;
  /** Channels of a path in the first stage: the paper's d. */
  readonly width: number;
  /** 9n + 2. Default 29. */
  readonly depth?: number;
}

/**
 * ResNeXt-depth, C x d (section 5.3): three stages of 256, 512 and 1024 channels. `[N, 3, 32, 32]` -> `[N, classes]`. The paper refers to
 * the Torch residual networks for first weights: normal with variance 2 / fan-out.
 */
export class CifarResNeXt extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(64);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly avgpool = new GlobalAvgPool();
  readonly fc: Linear;

  /** @throws ArgumentError unless depth is 9n + 2 (11, 20, 29, ...) */
  constructor({ cardinality, width, depth = 29, numClasses = 10, inChannels = 3 }: CifarResNeXtOptions) {
    super();
    const n = (depth - 2) / 9;
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new ArgumentError(`CifarResNeXt: depth is ${depth}; it needs 9n + 2 (11, 20, 29, ...)`, { depth });
    }
    const options = { groups: cardinality, widthPerGroup: width };
    const blocks = (from: number, planes: number, stride: number): Sequential =>
      stage(
        n,
        (first) => new Bottleneck(first ? from : 4 * planes, planes, { ...options, stride: first ? stride : 1 }),
      );
    this.conv1 = conv3x3(inChannels, 64);
    this.layer1 = blocks(64, 64, 1);
    this.layer2 = blocks(256, 128, 2);
    this.layer3 = blocks(512, 256, 2);
    this.fc = new Linear(1024, numClasses);
    initialiseConvolutions(this, kaimingNormal({ mode: "fanOut" }));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.avgpool, this.fc);
  }
}

const citation =
  "Xie, Girshick, Dollár, Tu, He: Aggregated Residual Transformations for Deep Neural Networks, CVPR 2017";

const entry = {
  ...residualEntry,
  citation,
  recipe: resnextRecipe,
} as const;

const cifar = {
  ...cifarEntry,
  citation,
  head: "fc",
  recipe: resnextCifarRecipe,
} as const;

const singleCrop = { dataset: "imagenet", protocol: "validation, single crop 224" } as const;
const table7 = { protocol: "test, mean of 10 runs", source: "Xie et al. 2017, table 7" } as const;

/** The table's part of this paper. */
export const resNeXtModels = {
  resnext50_32x4d: {
    ...entry,
    summary: "ResNeXt-50 as in torchvision: 32 paths of 4 channels",
    build: (options?: ModelOptions) =>
      new ResNet(Bottleneck, [3, 4, 6, 3], { ...options, groups: 32, widthPerGroup: 4 }),
    published: [{ ...singleCrop, top1: 22.2, source: "Xie et al. 2017, table 3" }],
    weights: [
      torchvisionWeights({ file: "resnext50_32x4d-7cdf4587", accuracy: [77.618, 93.698] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "resnext50_32x4d-1a0047aa",
        accuracy: [81.198, 95.34],
        preprocessing: resize232,
      }),
    ],
  },
  resnext101_32x8d: {
    ...entry,
    summary: "ResNeXt-101 as in torchvision: 32 paths of 8 channels",
    build: (options?: ModelOptions) =>
      new ResNet(Bottleneck, [3, 4, 23, 3], { ...options, groups: 32, widthPerGroup: 8 }),
    weights: [
      torchvisionWeights({ file: "resnext101_32x8d-8ba56ff5", accuracy: [79.312, 94.526] }),
      torchvisionWeights({
        name: "imagenet1k_v2",
        file: "resnext101_32x8d-110c445d",
        accuracy: [82.834, 96.228],
        preprocessing: resize232,
      }),
    ],
  },
  resnext101_64x4d: {
    ...entry,
    summary: "ResNeXt-101 as in torchvision: 64 paths of 4 channels",
    build: (options?: ModelOptions) =>
      new ResNet(Bottleneck, [3, 4, 23, 3], { ...options, groups: 64, widthPerGroup: 4 }),
    published: [{ ...singleCrop, top1: 20.4, top5: 5.3, source: "Xie et al. 2017, table 4" }],
    weights: [
      torchvisionWeights({ file: "resnext101_64x4d-173b62eb", accuracy: [83.246, 96.454], preprocessing: resize232 }),
    ],
  },
  resnext29_8x64d_cifar: {
    ...cifar,
    summary: "ResNeXt-29 for 32x32 images: 8 paths of 64 channels",
    build: (options?: ModelOptions) => new CifarResNeXt({ ...options, cardinality: 8, width: 64 }),
    published: [
      { ...table7, dataset: "cifar10", top1: 3.65 },
      { ...table7, dataset: "cifar100", top1: 17.77 },
    ],
  },
  resnext29_16x64d_cifar: {
    ...cifar,
    summary: "ResNeXt-29 for 32x32 images: 16 paths of 64 channels",
    build: (options?: ModelOptions) => new CifarResNeXt({ ...options, cardinality: 16, width: 64 }),
    published: [
      { ...table7, dataset: "cifar10", top1: 3.58 },
      { ...table7, dataset: "cifar100", top1: 17.31 },
    ],
  },
} as const satisfies ModelTable;
