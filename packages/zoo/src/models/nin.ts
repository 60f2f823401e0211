/**
 * Lin, Chen, Yan: "Network In Network", ICLR 2014. The paper prints no widths: those for CIFAR-10 are from its authors' configuration for
 * cuda-convnet, the network for ImageNet is theirs in Caffe's model zoo.
 */
import { relu, type Tensor } from "@ocelli/core";
import {
  type Context,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  GlobalAvgPool,
  MaxPool2d,
  Module,
  normal,
} from "@ocelli/layers";
import { imagenetCentred, type ModelOptions, type ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { ninImagenetRecipe, ninRecipe } from "../recipes.js";

type Three = readonly [number, number, number];

/**
 * A convolution and two of 1x1, each with ReLU: a small perceptron slides over the map (equation 2).
 * `[N, C, H, W]` -> `[N, widths[2], H', W']`. Weights are drawn from normal distributions with the deviations `stds`.
 */
export class MlpConv extends Module {
  readonly conv: Conv2d;
  readonly cccp1: Conv2d;
  readonly cccp2: Conv2d;

  constructor(inChannels: number, widths: Three, options: Conv2dOptions, stds: Three = [0.05, 0.05, 0.05]) {
    super();
    this.conv = initialised(new Conv2d(inChannels, widths[0], options), normal(0, stds[0]));
    this.cccp1 = initialised(new Conv2d(widths[0], widths[1], { kernelSize: 1 }), normal(0, stds[1]));
    this.cccp2 = initialised(new Conv2d(widths[1], widths[2], { kernelSize: 1 }), normal(0, stds[2]));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.conv, relu, this.cccp1, relu, this.cccp2, relu);
  }
}

/** Caffe's poolings keep a last, partial window: 32 -> 16 -> 8 and 54 -> 27 -> 13 -> 6. */
const pool = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });

/**
 * For 32x32 images: `[N, 3, H, W]` -> `[N, classes]`, 966,986 parameters for 10. Both poolings take the maximum, as the paper says (the
 * authors' Caffe version averages in the second). The logits are means of maps behind a ReLU, so never negative.
 */
export class NinCifar extends Module {
  readonly mlpconv1: MlpConv;
  readonly pool1 = pool();
  readonly drop1 = new Dropout();
  readonly mlpconv2 = new MlpConv(96, [192, 192, 192], { kernelSize: 5, padding: 2 });
  readonly pool2 = pool();
  readonly drop2 = new Dropout();
  readonly mlpconv3: MlpConv;
  readonly pool3 = new GlobalAvgPool();

  constructor({ numClasses = 10, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.mlpconv1 = new MlpConv(inChannels, [192, 160, 96], { kernelSize: 5, padding: 2 });
    this.mlpconv3 = new MlpConv(192, [192, 192, numClasses], { kernelSize: 3, padding: 1 });
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const first = ctx.chain(x, this.mlpconv1, this.pool1, this.drop1);
    return ctx.chain(first, this.mlpconv2, this.pool2, this.drop2, this.mlpconv3, this.pool3);
  }
}

/** For ImageNet: `[N, 3, H, W]` -> `[N, classes]`, 7,595,176 parameters for 1,000; at 224 maps of 54, 27, 13 and 6 pixels. */
export class NinImageNet extends Module {
  readonly mlpconv1: MlpConv;
  readonly pool1 = pool();
  readonly mlpconv2 = new MlpConv(96, [256, 256, 256], { kernelSize: 5, padding: 2 });
  readonly pool2 = pool();
  readonly mlpconv3 = new MlpConv(256, [384, 384, 384], { kernelSize: 3, padding: 1 }, [0.01, 0.05, 0.05]);
  readonly pool3 = pool();
  readonly drop3 = new Dropout();
  readonly mlpconv4: MlpConv;
  readonly pool4 = new GlobalAvgPool();

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.mlpconv1 = new MlpConv(inChannels, [96, 96, 96], { kernelSize: 11, stride: 4 }, [0.01, 0.05, 0.05]);
    const last: Three = [1024, 1024, numClasses];
    this.mlpconv4 = new MlpConv(384, last, { kernelSize: 3, padding: 1 }, [0.05, 0.05, 0.01]);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const first = ctx.chain(x, this.mlpconv1, this.pool1, this.mlpconv2, this.pool2);
    return ctx.chain(first, this.mlpconv3, this.pool3, this.drop3, this.mlpconv4, this.pool4);
  }
}

const lin2014 = "Lin, Chen, Yan: Network In Network, ICLR 2014";

/** The table's part of this paper. */
export const ninModels = {
  nin_cifar10: {
    summary: "Network in network for 32x32 images: three mlpconv layers, global average pooling",
    citation: lin2014,
    input: [3, 32, 32],
    numClasses: 10,
    head: "mlpconv3.cccp2",
    build: (options?: ModelOptions) => new NinCifar(options),
    preprocessing: {},
    recipe: ninRecipe,
    published: [
      {
        dataset: "cifar10",
        top1: 10.41,
        protocol: "test, with dropout, without augmentation",
        source: "Lin et al. 2014, table 1",
      },
      {
        dataset: "cifar10",
        top1: 8.81,
        protocol: "test, with dropout and augmentation",
        source: "Lin et al. 2014, table 1",
      },
    ],
  },
  nin_imagenet: {
    summary: "Network in network for ImageNet, as in Caffe's model zoo",
    citation: lin2014,
    input: [3, 224, 224],
    numClasses: 1000,
    head: "mlpconv4.cccp2",
    build: (options?: ModelOptions) => new NinImageNet(options),
    preprocessing: imagenetCentred,
    recipe: ninImagenetRecipe,
    published: [
      {
        dataset: "imagenet",
        top1: 40.64,
        protocol: "validation, single crop 224",
        source: "Caffe's model zoo, by the authors",
      },
    ],
  },
} as const satisfies ModelTable;
