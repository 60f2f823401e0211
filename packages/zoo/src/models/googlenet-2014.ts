/**
 * Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: "Going Deeper with Convolutions", CVPR 2015
 * (arXiv 2014): GoogLeNet, as published. Torchvision's, with batch-norm, is in googlenet.ts.
 */
import { concat, type Pair, relu, type Tensor } from "@ocelli/core";
import {
  AvgPool2d,
  type Context,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  Flatten,
  filled,
  GlobalAvgPool,
  kaimingUniform,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
  zeros,
} from "@ocelli/layers";
import { auxiliaryLoss } from "../auxiliary.js";
import { imagenetCentred, type ModelOptions, type ModelOutput, type ModelTable, sizeOfInput } from "../entry.js";
import { initialised } from "../initialise.js";
import { mapSize } from "../map-size.js";
import { googlenetRecipe } from "../recipes.js";
import { responseNorm } from "./alexnet.js";

/** The paper names no initialisation: that of its Caffe reproduction, which is known to train. Variance 1/fan-in, biases 0.2. */
const init = kaimingUniform({ nonlinearity: "linear" });
const bias = filled(0.2);

const conv = (inChannels: number, outChannels: number, kernelSize: number, options: Partial<Conv2dOptions> = {}) =>
  initialised(
    new Conv2d(inChannels, outChannels, { kernelSize, padding: (kernelSize - 1) / 2, ...options }),
    init,
    bias,
  );

const maxPool = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });

export interface NaiveInceptionOptions {
  /** Filters of the 1x1, 3x3 and 5x5 convolutions. */
  readonly conv1x1: number;
  readonly conv3x3: number;
  readonly conv5x5: number;
}

/**
 * The naive module (figure 2a): 1x1, 3x3 and 5x5 convolutions and a 3x3 max pooling side by side, joined by channel.
 * `[N, C, H, W]` -> `[N, conv1x1 + conv3x3 + conv5x5 + C, H, W]`: the pooled channels pass through, so it can only grow.
 *
 * At 28x28x256 with 128, 192 and 96 filters it gives 672 channels and costs 854,196,224 multiply-adds.
 */
export class NaiveInception extends Module {
  readonly conv1x1: Conv2d;
  readonly conv3x3: Conv2d;
  readonly conv5x5: Conv2d;
  readonly pool = new MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 });

  constructor(inChannels: number, { conv1x1, conv3x3, conv5x5 }: NaiveInceptionOptions) {
    super();
    this.conv1x1 = conv(inChannels, conv1x1, 1);
    this.conv3x3 = conv(inChannels, conv3x3, 3);
    this.conv5x5 = conv(inChannels, conv5x5, 5);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const convolved = [this.conv1x1, this.conv3x3, this.conv5x5].map((layer) => ctx.chain(x, layer, relu));
    return concat([...convolved, ctx.call(this.pool, x)], 1);
  }
}

export interface InceptionOptions extends NaiveInceptionOptions {
  /** Filters of the 1x1 convolutions in front of the 3x3 and the 5x5, and behind the pooling. */
  readonly reduce3x3: number;
  readonly reduce5x5: number;
  readonly poolProject: number;
}

/**
 * The module with reduced dimensions (figure 2b): `[N, C, H, W]` -> `[N, conv1x1 + conv3x3 + conv5x5 + poolProject, H, W]`.
 *
 * The module of {@link NaiveInception}, with 64 filters in each 1x1 reduction and projection, gives 480 channels and costs
 * 271,351,808 multiply-adds. The slide of Stanford's CS231n that makes this comparison prints 358 M: it counts the 3x3 branch
 * (86,704,128) twice.
 */
export class Inception extends Module {
  readonly conv1x1: Conv2d;
  readonly reduce3x3: Conv2d;
  readonly conv3x3: Conv2d;
  readonly reduce5x5: Conv2d;
  readonly conv5x5: Conv2d;
  readonly pool = new MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 });
  readonly poolProject: Conv2d;

  constructor(inChannels: number, { conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProject }: InceptionOptions) {
    super();
    this.conv1x1 = conv(inChannels, conv1x1, 1);
    this.reduce3x3 = conv(inChannels, reduce3x3, 1);
    this.conv3x3 = conv(reduce3x3, conv3x3, 3);
    this.reduce5x5 = conv(inChannels, reduce5x5, 1);
    this.conv5x5 = conv(reduce5x5, conv5x5, 5);
    this.poolProject = conv(inChannels, poolProject, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const branches = [
      ctx.chain(x, this.conv1x1, relu),
      ctx.chain(x, this.reduce3x3, relu, this.conv3x3, relu),
      ctx.chain(x, this.reduce5x5, relu, this.conv5x5, relu),
      ctx.chain(x, this.pool, this.poolProject, relu),
    ];
    return concat(branches, 1);
  }
}

/** A row of table 1, in its order. */
const inception = (
  inChannels: number,
  ...[conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProject]: readonly [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
): Inception => new Inception(inChannels, { conv1x1, reduce3x3, conv3x3, reduce5x5, conv5x5, poolProject });

/** The small classifier on top of a map (section 5): 5x5/3 average pooling, 128 1x1 filters, 1024 units, 70 % dropout, logits. */
export class AuxiliaryClassifier extends Module {
  readonly pool = new AvgPool2d({ kernelSize: 5, stride: 3 });
  readonly conv: Conv2d;
  readonly flatten = new Flatten();
  readonly fc1: Linear;
  readonly dropout = new Dropout(0.7);
  readonly fc2: Linear;

  /**
   * @param size height and width of the map it reads, both at least 5
   * @throws ShapeError for less
   */
  constructor(inChannels: number, size: Pair, numClasses: number) {
    super();
    const [height, width] = mapSize("AuxiliaryClassifier", size, { pool: this.pool });
    this.conv = conv(inChannels, 128, 1);
    this.fc1 = initialised(new Linear(128 * height * width, 1024), init, bias);
    this.fc2 = initialised(new Linear(1024, numClasses), init, zeros);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.pool, this.conv, relu, this.flatten, this.fc1, relu, this.dropout, this.fc2);
  }
}

export interface GoogLeNet2014Options extends ModelOptions {
  /** The first convolution in two steps, each channel by itself and then 1x1: see {@link GoogLeNet2014}. Default false. */
  readonly separableStem?: boolean;
}

/**
 * `[N, 3, 224, 224]` -> `[N, classes]`; in training the logits of both auxiliary classifiers, too.
 *
 * Choices: local response normalisation, of which the paper gives no constants, has those of Krizhevsky et al. 2012. The first layer is
 * the plain 7x7 convolution that figure 3 shows and every reproduction has; but the 2.7 K parameters and 34 M operations printed for it
 * in table 1 are those of a separable one (8 filters of each colour, then 1x1 to 64: 2,712 weights), such as Ioffe and Szegedy 2015
 * describe for their variant: `separableStem` builds that.
 */
export class GoogLeNet2014 extends Module<Tensor, ModelOutput> {
  readonly conv1: Conv2d | Sequential;
  readonly pool1 = maxPool();
  readonly norm1 = responseNorm();
  readonly conv2_reduce = conv(64, 64, 1);
  readonly conv2 = conv(64, 192, 3);
  readonly norm2 = responseNorm();
  readonly pool2 = maxPool();
  readonly inception3a = inception(192, 64, 96, 128, 16, 32, 32);
  readonly inception3b = inception(256, 128, 128, 192, 32, 96, 64);
  readonly pool3 = maxPool();
  readonly inception4a = inception(480, 192, 96, 208, 16, 48, 64);
  readonly aux1: AuxiliaryClassifier;
  readonly inception4b = inception(512, 160, 112, 224, 24, 64, 64);
  readonly inception4c = inception(512, 128, 128, 256, 24, 64, 64);
  readonly inception4d = inception(512, 112, 144, 288, 32, 64, 64);
  readonly aux2: AuxiliaryClassifier;
  readonly inception4e = inception(528, 256, 160, 320, 32, 128, 128);
  readonly pool4 = maxPool();
  readonly inception5a = inception(832, 256, 160, 320, 32, 128, 128);
  readonly inception5b = inception(832, 384, 192, 384, 48, 128, 128);
  readonly pool5 = new GlobalAvgPool();
  readonly dropout = new Dropout(0.4);
  readonly fc: Linear;

  /** @throws ShapeError for an `inputSize` that leaves fewer than 5 pixels for the auxiliary classifiers (the least is 79) */
  constructor({ numClasses = 1000, inChannels = 3, inputSize, separableStem = false }: GoogLeNet2014Options = {}) {
    super();
    const { pool1, pool2, pool3 } = this;
    const conv1 = { kernelSize: [7, 7], stride: [2, 2], padding: 3 } as const;
    const size = mapSize("googlenet_2014", sizeOfInput(inputSize, 224), { conv1, pool1, pool2, pool3 });
    this.conv1 = separableStem
      ? new Sequential({
          depthwise: conv(inChannels, 8 * inChannels, 7, { stride: 2, groups: inChannels, bias: false }),
          pointwise: conv(8 * inChannels, 64, 1),
        })
      : conv(inChannels, 64, 7, { stride: 2 });
    this.aux1 = new AuxiliaryClassifier(512, size, numClasses);
    this.aux2 = new AuxiliaryClassifier(528, size, numClasses);
    this.fc = initialised(new Linear(1024, numClasses), init, zeros);
  }

  override forward(x: Tensor, ctx: Context): ModelOutput {
    const stem = ctx.chain(x, this.conv1, relu, this.pool1, this.norm1);
    const y2 = ctx.chain(stem, this.conv2_reduce, relu, this.conv2, relu, this.norm2, this.pool2);
    const y4a = ctx.chain(y2, this.inception3a, this.inception3b, this.pool3, this.inception4a);
    const y4d = ctx.chain(y4a, this.inception4b, this.inception4c, this.inception4d);
    const y5 = ctx.chain(y4d, this.inception4e, this.pool4, this.inception5a, this.inception5b);
    const logits = ctx.chain(y5, this.pool5, this.dropout, this.fc);
    if (!ctx.training) return logits;
    return { logits, aux1: ctx.call(this.aux1, y4a), aux2: ctx.call(this.aux2, y4d) };
  }
}

/** The table's part of this paper. */
export const googlenet2014Models = {
  googlenet_2014: {
    summary: "GoogLeNet as published: nine Inception modules, local response normalisation, two auxiliary classifiers",
    citation: "Szegedy et al.: Going Deeper with Convolutions, CVPR 2015",
    input: [3, 224, 224],
    numClasses: 1000,
    head: "fc",
    build: (options?: GoogLeNet2014Options) => new GoogLeNet2014(options),
    lossPerSample: auxiliaryLoss({ aux1: 0.3, aux2: 0.3 }),
    preprocessing: imagenetCentred,
    recipe: googlenetRecipe,
    published: [
      {
        dataset: "imagenet",
        top5: 10.07,
        protocol: "validation, 1 model, 1 crop",
        source: "Szegedy et al. 2015, table 3",
      },
      {
        dataset: "imagenet",
        top5: 7.89,
        protocol: "validation, 1 model, 144 crops",
        source: "Szegedy et al. 2015, table 3",
      },
    ],
  },
} as const satisfies ModelTable;
