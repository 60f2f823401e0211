/**
 * Ioffe, Szegedy: "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift", ICML 2015: the network
 * of the appendix (figure 5), called BN-Inception or Inception-v2.
 */
import type { Tensor } from "@ocelli/core";
import {
  Concat,
  type Context,
  Conv2d,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { inceptionV2Recipe } from "../recipes.js";
import { avgPool3x3, BasicConv2d, convs } from "./inception-conv.js";

export interface InceptionV2BlockOptions {
  readonly conv1x1: number;
  readonly reduce3x3: number;
  readonly conv3x3: number;
  readonly reduceDouble3x3: number;
  readonly double3x3: number;
  readonly pool: "avg" | "max";
  readonly poolProject: number;
}

/**
 * A module whose 5x5 convolution has become two of 3x3: `[N, C, H, W]` ->
 * `[N, conv1x1 + conv3x3 + double3x3 + poolProject, H, W]`.
 */
export class InceptionV2Block extends Concat {
  constructor(inChannels: number, options: InceptionV2BlockOptions) {
    const { conv1x1, reduce3x3, conv3x3, reduceDouble3x3, double3x3, poolProject } = options;
    const pool = options.pool === "avg" ? avgPool3x3() : new MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 });
    super([
      convs(inChannels, [conv1x1, 1]),
      convs(inChannels, [reduce3x3, 1], [conv3x3, 3]),
      convs(inChannels, [reduceDouble3x3, 1], [double3x3, 3], [double3x3, 3]),
      new Sequential(pool, convs(inChannels, [poolProject, 1])),
    ]);
  }
}

export type InceptionV2ReductionOptions = Omit<InceptionV2BlockOptions, "conv1x1" | "pool" | "poolProject">;

/** A module of stride 2, whose max pooling passes through: `[N, C, H, W]` -> `[N, conv3x3 + double3x3 + C, ceil(H/2), ceil(W/2)]`. */
export class InceptionV2Reduction extends Concat {
  constructor(inChannels: number, { reduce3x3, conv3x3, reduceDouble3x3, double3x3 }: InceptionV2ReductionOptions) {
    const halved = { stride: 2 } as const;
    super([
      convs(inChannels, [reduce3x3, 1], [conv3x3, 3, halved]),
      convs(inChannels, [reduceDouble3x3, 1], [double3x3, 3], [double3x3, 3, halved]),
      // Padded as the convolutions are, so that the three agree for odd sizes, too.
      new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 }),
    ]);
  }
}

type Row = readonly [
  conv1x1: number,
  reduce3x3: number,
  conv3x3: number,
  reduceDouble3x3: number,
  double3x3: number,
  pool: "avg" | "max",
  poolProject: number,
];

/** A row of figure 5, in its order. */
const block = (
  inChannels: number,
  ...[conv1x1, reduce3x3, conv3x3, reduceDouble3x3, double3x3, pool, poolProject]: Row
): InceptionV2Block =>
  new InceptionV2Block(inChannels, {
    conv1x1,
    reduce3x3,
    conv3x3,
    reduceDouble3x3,
    double3x3,
    pool,
    poolProject,
  });

/**
 * `[N, 3, 224, 224]` -> `[N, classes]`.
 *
 * Choices: the first layer is separable with depth multiplier 8, as the appendix says. Its table contradicts itself in 4c and 4d, where the
 * filters add up to 608 channels and the output is printed as 576: both project the pooled map to 96 channels instead of 128, which
 * keeps 576 there and the 1024 printed for 4e, and is what the authors' code does. There is no dropout (section 4.2.1), and no
 * auxiliary classifier, of which this paper does not speak.
 */
export class InceptionV2 extends Module {
  readonly conv1: Sequential;
  readonly pool1 = new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });
  readonly conv2 = convs(64, [64, 1], [192, 3]);
  readonly pool2 = new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });
  readonly inception3a = block(192, 64, 64, 64, 64, 96, "avg", 32);
  readonly inception3b = block(256, 64, 64, 96, 64, 96, "avg", 64);
  readonly inception3c = new InceptionV2Reduction(320, {
    reduce3x3: 128,
    conv3x3: 160,
    reduceDouble3x3: 64,
    double3x3: 96,
  });
  readonly inception4a = block(576, 224, 64, 96, 96, 128, "avg", 128);
  readonly inception4b = block(576, 192, 96, 128, 96, 128, "avg", 128);
  readonly inception4c = block(576, 160, 128, 160, 128, 160, "avg", 96);
  readonly inception4d = block(576, 96, 128, 192, 160, 192, "avg", 96);
  readonly inception4e = new InceptionV2Reduction(576, {
    reduce3x3: 128,
    conv3x3: 192,
    reduceDouble3x3: 192,
    double3x3: 256,
  });
  readonly inception5a = block(1024, 352, 192, 320, 160, 224, "avg", 128);
  readonly inception5b = block(1024, 352, 192, 320, 192, 224, "max", 128);
  readonly pool5 = new GlobalAvgPool();
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    const depthwise = new Conv2d(inChannels, 8 * inChannels, {
      kernelSize: 7,
      stride: 2,
      padding: 3,
      groups: inChannels,
      bias: false,
    });
    this.conv1 = new Sequential({
      depthwise: initialised(depthwise, kaimingNormal()),
      pointwise: new BasicConv2d(8 * inChannels, 64, { kernelSize: 1 }),
    });
    this.fc = initialised(new Linear(1024, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.pool1, this.conv2, this.pool2);
    const y3 = ctx.chain(stem, this.inception3a, this.inception3b, this.inception3c);
    const y4 = ctx.chain(y3, this.inception4a, this.inception4b, this.inception4c, this.inception4d, this.inception4e);
    return ctx.chain(y4, this.inception5a, this.inception5b, this.pool5, this.fc);
  }
}

/** The table's part of this paper. */
export const inceptionV2Models = {
  inception_v2: {
    summary: "BN-Inception: GoogLeNet with batch-norm and pairs of 3x3 convolutions for 5x5",
    citation: "Ioffe, Szegedy: Batch Normalization, ICML 2015",
    input: [3, 224, 224],
    numClasses: 1000,
    head: "fc",
    build: (options?: ModelOptions) => new InceptionV2(options),
    preprocessing: { resize: 256, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    recipe: inceptionV2Recipe,
    published: [
      {
        dataset: "imagenet",
        top1: 25.2,
        top5: 7.82,
        protocol: "validation, single crop 224",
        source: "Ioffe and Szegedy 2015, figure 4",
      },
    ],
  },
} as const satisfies ModelTable;
