/**
 * Szegedy et al.: "Going Deeper with Convolutions", CVPR 2015, as torchvision builds it: batch-norm behind every convolution, no local
 * response normalisation. As published: googlenet-2014.ts.
 */
import { concat, relu, type Tensor } from "@ocelli/core";
import {
  AdaptiveAvgPool2d,
  type Context,
  type Conv2dOptions,
  Dropout,
  Flatten,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
  truncatedNormal,
} from "@ocelli/layers";
import { auxiliaryLoss } from "../auxiliary.js";
import { imagenet, type ModelOptions, type ModelOutput, type ModelTable } from "../entry.js";
import { googlenetRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";
import { BasicConv2d } from "./inception-conv.js";

const init = truncatedNormal({ std: 0.01 });

const conv = (inChannels: number, outChannels: number, options: Conv2dOptions): BasicConv2d =>
  new BasicConv2d(inChannels, outChannels, { ...options, init });

function linear(inFeatures: number, outFeatures: number): Linear {
  const layer = new Linear(inFeatures, outFeatures);
  // The bias keeps PyTorch's default.
  layer.weight.init = init;
  return layer;
}

/** Filters of a module: those of the branches, and of the 1x1 convolutions in front (`red`) and behind the pooling. */
type Filters = readonly [
  ch1x1: number,
  ch3x3red: number,
  ch3x3: number,
  ch5x5red: number,
  ch5x5: number,
  poolProj: number,
];

/** Torchvision's module: `[N, C, H, W]` -> `[N, ch1x1 + ch3x3 + ch5x5 + poolProj, H, W]`. */
export class GoogLeNetInception extends Module {
  readonly branch1: BasicConv2d;
  readonly branch2: Sequential;
  readonly branch3: Sequential;
  readonly branch4: Sequential;

  constructor(inChannels: number, [ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, poolProj]: Filters) {
    super();
    const reduced = (reduce: number, filters: number): Sequential =>
      new Sequential(conv(inChannels, reduce, { kernelSize: 1 }), conv(reduce, filters, { kernelSize: 3, padding: 1 }));
    this.branch1 = conv(inChannels, ch1x1, { kernelSize: 1 });
    this.branch2 = reduced(ch3x3red, ch3x3);
    // 3x3 although the paper says 5x5: the published weights were trained this way.
    this.branch3 = reduced(ch5x5red, ch5x5);
    this.branch4 = new Sequential(
      new MaxPool2d({ kernelSize: 3, stride: 1, padding: 1, ceilMode: true }),
      conv(inChannels, poolProj, { kernelSize: 1 }),
    );
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return concat(
      [this.branch1, this.branch2, this.branch3, this.branch4].map((branch) => ctx.call(branch, x)),
      1,
    );
  }
}

/** Torchvision's auxiliary classifier, for maps of any size: `[N, C, H, W]` -> `[N, classes]`. */
export class GoogLeNetAux extends Module {
  readonly pool = new AdaptiveAvgPool2d(4);
  readonly conv: BasicConv2d;
  readonly flatten = new Flatten();
  readonly fc1 = linear(2048, 1024);
  readonly fc2: Linear;
  readonly dropout = new Dropout(0.7);

  constructor(inChannels: number, numClasses: number) {
    super();
    this.conv = conv(inChannels, 128, { kernelSize: 1 });
    this.fc2 = linear(1024, numClasses);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.pool, this.conv, this.flatten, this.fc1, relu, this.dropout, this.fc2);
  }
}

/** `[N, 3, H, W]` -> `[N, classes]`, 13,004,888 parameters; in training the logits of both auxiliary classifiers, too. */
export class GoogLeNet extends Module<Tensor, ModelOutput> {
  readonly conv1: BasicConv2d;
  readonly maxpool1 = new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });
  readonly conv2 = conv(64, 64, { kernelSize: 1 });
  readonly conv3 = conv(64, 192, { kernelSize: 3, padding: 1 });
  readonly maxpool2 = new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });
  readonly inception3a = new GoogLeNetInception(192, [64, 96, 128, 16, 32, 32]);
  readonly inception3b = new GoogLeNetInception(256, [128, 128, 192, 32, 96, 64]);
  readonly maxpool3 = new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });
  readonly inception4a = new GoogLeNetInception(480, [192, 96, 208, 16, 48, 64]);
  readonly inception4b = new GoogLeNetInception(512, [160, 112, 224, 24, 64, 64]);
  readonly inception4c = new GoogLeNetInception(512, [128, 128, 256, 24, 64, 64]);
  readonly inception4d = new GoogLeNetInception(512, [112, 144, 288, 32, 64, 64]);
  readonly inception4e = new GoogLeNetInception(528, [256, 160, 320, 32, 128, 128]);
  // 2x2 although the paper says 3x3: the published weights were trained this way.
  readonly maxpool4 = new MaxPool2d({ kernelSize: 2, stride: 2, ceilMode: true });
  readonly inception5a = new GoogLeNetInception(832, [256, 160, 320, 32, 128, 128]);
  readonly inception5b = new GoogLeNetInception(832, [384, 192, 384, 48, 128, 128]);
  readonly aux1: GoogLeNetAux;
  readonly aux2: GoogLeNetAux;
  readonly avgpool = new GlobalAvgPool();
  readonly dropout = new Dropout(0.2);
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.conv1 = conv(inChannels, 64, { kernelSize: 7, stride: 2, padding: 3 });
    this.aux1 = new GoogLeNetAux(512, numClasses);
    this.aux2 = new GoogLeNetAux(528, numClasses);
    this.fc = linear(1024, numClasses);
  }

  override forward(x: Tensor, ctx: Context): ModelOutput {
    const stem = ctx.chain(x, this.conv1, this.maxpool1, this.conv2, this.conv3, this.maxpool2);
    const y4a = ctx.chain(stem, this.inception3a, this.inception3b, this.maxpool3, this.inception4a);
    const y4d = ctx.chain(y4a, this.inception4b, this.inception4c, this.inception4d);
    const y5 = ctx.chain(y4d, this.inception4e, this.maxpool4, this.inception5a, this.inception5b);
    const logits = ctx.chain(y5, this.avgpool, this.dropout, this.fc);
    if (!ctx.training) return logits;
    return { logits, aux1: ctx.call(this.aux1, y4a), aux2: ctx.call(this.aux2, y4d) };
  }
}

/** From TensorFlow: pixels in -1..1. The auxiliary classifiers in the file are not trained. */
const weights = torchvisionWeights({
  file: "googlenet-1378be20",
  accuracy: [69.778, 89.53],
  preprocessing: { resize: 256, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
});

/** The table's part of this network. */
export const googlenetModels = {
  googlenet: {
    summary: "GoogLeNet with batch-norm, as torchvision builds it",
    citation: "Szegedy et al.: Going Deeper with Convolutions, CVPR 2015",
    input: [3, 224, 224],
    numClasses: 1000,
    head: "fc",
    build: (options?: ModelOptions) => new GoogLeNet(options),
    lossPerSample: auxiliaryLoss({ aux1: 0.3, aux2: 0.3 }),
    preprocessing: imagenet,
    recipe: googlenetRecipe,
    published: [weights.published],
    weights: [weights],
  },
} as const satisfies ModelTable;
