/**
 * Krizhevsky, Sutskever, Hinton: "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012; the same network on one
 * processor as the course CS231n tabulates it; and torchvision's, which is that of Krizhevsky: "One weird trick for parallelizing
 * convolutional neural networks", arXiv:1404.5997, 2014.
 */
import { relu, type Tensor } from "@ocelli/core";
import {
  AdaptiveAvgPool2d,
  type Context,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  Flatten,
  type Initializer,
  Linear,
  LocalResponseNorm,
  MaxPool2d,
  Module,
  normal,
  ones,
  ReLU,
  Sequential,
  zeros,
} from "@ocelli/layers";
import { imagenet, imagenetCentred, type ModelOptions, type ModelTable, sizeOfInput } from "../entry.js";
import { initialised } from "../initialise.js";
import { mapSize } from "../map-size.js";
import { alexnetRecipe, torchvisionVggRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";

/** Section 3.3: over n = 5 maps, k = 2, alpha = 1e-4, beta = 0.75. The paper does not divide alpha by n; the layer does. */
export const responseNorm = (): LocalResponseNorm => new LocalResponseNorm(5, { alpha: 5 * 1e-4, beta: 0.75, k: 2 });

const overlappingPool = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2 });

/** Section 5: weights from N(0, 0.01). Biases of 1 in some layers hand the first ReLUs positive inputs. */
const conv = (into: number, out: number, options: Conv2dOptions, bias: Initializer): Conv2d =>
  initialised(new Conv2d(into, out, options), normal(0, 0.01), bias);
const linear = (into: number, out: number, bias: Initializer): Linear =>
  initialised(new Linear(into, out), normal(0, 0.01), bias);

export interface AlexNet2012Options extends ModelOptions {
  /** Halves of the network that meet in conv3 and in the fully connected layers only: one a graphics card. Default 2. */
  readonly towers?: 1 | 2;
  /** Max pooling in front of the response normalisation, not behind it. Default false. */
  readonly poolFirst?: boolean;
}

/**
 * AlexNet as published: `[N, 3, 227, 227]` -> `[N, 1000]`, 60,965,224 parameters; maps of 55, 27, 13 and 6 pixels. The two cards are
 * convolutions with two groups. Input is 227 where the paper prints 224: with 11x11 windows, 4 pixels apart, only the former gives its
 * maps of 55 without padding. Response normalisation runs over all maps of a layer, as its formula has it, across the two halves.
 * @throws ShapeError when an input of `inputSize` leaves no map
 */
export class AlexNet2012 extends Module {
  readonly conv1: Conv2d;
  readonly norm1 = responseNorm();
  readonly pool1 = overlappingPool();
  readonly conv2: Conv2d;
  readonly norm2 = responseNorm();
  readonly pool2 = overlappingPool();
  readonly conv3: Conv2d;
  readonly conv4: Conv2d;
  readonly conv5: Conv2d;
  readonly pool5 = overlappingPool();
  readonly flatten = new Flatten();
  readonly fc6: Linear;
  readonly drop6 = new Dropout();
  readonly fc7: Linear;
  readonly drop7 = new Dropout();
  readonly fc8: Linear;
  readonly #poolFirst: boolean;

  constructor(options: AlexNet2012Options = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, inputSize, towers: groups = 2, poolFirst = false } = options;
    this.#poolFirst = poolFirst;
    this.conv1 = conv(inChannels, 96, { kernelSize: 11, stride: 4 }, zeros);
    this.conv2 = conv(96, 256, { kernelSize: 5, padding: 2, groups }, ones);
    this.conv3 = conv(256, 384, { kernelSize: 3, padding: 1 }, zeros);
    this.conv4 = conv(384, 384, { kernelSize: 3, padding: 1, groups }, ones);
    this.conv5 = conv(384, 256, { kernelSize: 3, padding: 1, groups }, ones);
    const { conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5 } = this;
    const layers = { conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5 };
    const [height, width] = mapSize("alexnet", sizeOfInput(inputSize, 227), layers);
    this.fc6 = linear(256 * height * width, 4096, ones);
    this.fc7 = linear(4096, 4096, ones);
    this.fc8 = linear(4096, numClasses, zeros);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const { norm1, pool1, norm2, pool2 } = this;
    const first = this.#poolFirst ? [pool1, norm1] : [norm1, pool1];
    const second = this.#poolFirst ? [pool2, norm2] : [norm2, pool2];
    const y = ctx.chain(x, this.conv1, relu, ...first, this.conv2, relu, ...second);
    const features = ctx.chain(y, this.conv3, relu, this.conv4, relu, this.conv5, relu, this.pool5, this.flatten);
    return ctx.chain(features, this.fc6, relu, this.drop6, this.fc7, relu, this.drop7, this.fc8);
  }
}

/**
 * torchvision's AlexNet, 64-192-384-256-256 without response normalisation: `[N, 3, H, W]` -> `[N, 1000]` for H and W from 63 on,
 * 61,100,840 parameters. State and behaviour are torchvision's; it starts from PyTorch's defaults, as there.
 */
export class AlexNet extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(6);
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.features = new Sequential(
      new Conv2d(inChannels, 64, { kernelSize: 11, stride: 4, padding: 2 }),
      new ReLU(),
      overlappingPool(),
      new Conv2d(64, 192, { kernelSize: 5, padding: 2 }),
      new ReLU(),
      overlappingPool(),
      new Conv2d(192, 384, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      new Conv2d(384, 256, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      new Conv2d(256, 256, { kernelSize: 3, padding: 1 }),
      new ReLU(),
      overlappingPool(),
    );
    this.classifier = new Sequential(
      new Dropout(),
      new Linear(256 * 6 * 6, 4096),
      new ReLU(),
      new Dropout(),
      new Linear(4096, 4096),
      new ReLU(),
      new Linear(4096, numClasses),
    );
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.avgpool, this.flatten, this.classifier);
  }
}

/** The table's part of these papers. */
export const alexnetModels = {
  alexnet_2012: {
    summary: "AlexNet as published: two towers, response normalisation, overlapping pooling",
    citation:
      "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012",
    input: [3, 227, 227],
    numClasses: 1000,
    head: "fc8",
    build: (options?: ModelOptions) => new AlexNet2012(options),
    preprocessing: imagenetCentred,
    recipe: alexnetRecipe,
    published: [
      {
        dataset: "imagenet",
        top1: 40.7,
        top5: 18.2,
        protocol: "validation (ILSVRC-2012), mean of ten crops",
        source: "Krizhevsky et al. 2012, table 2",
      },
    ],
  },
  alexnet_cs231n: {
    summary: "AlexNet in one tower, pooling before response normalisation, as CS231n tabulates it",
    citation: "Stanford CS231n, lecture on CNN architectures, after Krizhevsky, Sutskever, Hinton, NIPS 2012",
    input: [3, 227, 227],
    numClasses: 1000,
    head: "fc8",
    build: (options?: ModelOptions) => new AlexNet2012({ ...options, towers: 1, poolFirst: true }),
    preprocessing: imagenetCentred,
    recipe: alexnetRecipe,
  },
  alexnet: {
    summary: "AlexNet as in torchvision: one tower, no normalisation, any input from 63 pixels on",
    citation:
      "Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997, 2014 (torchvision's variant)",
    input: [3, 224, 224],
    numClasses: 1000,
    head: "classifier.6",
    build: (options?: ModelOptions) => new AlexNet(options),
    preprocessing: imagenet,
    recipe: torchvisionVggRecipe,
    weights: [torchvisionWeights({ file: "alexnet-owt-7be5be79", accuracy: [56.522, 79.066] })],
  },
} as const satisfies ModelTable;
