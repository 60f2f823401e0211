/**
 * Simonyan, Zisserman: "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015 (arXiv:1409.1556): the
 * configurations of table 1, with torchvision's names and, for A, B, D and E, its versions with batch normalisation.
 */
import type { Tensor } from "@ocelli/core";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  Flatten,
  type Initializer,
  kaimingNormal,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  normal,
  ReLU,
  Sequential,
  xavierUniform,
} from "@ocelli/layers";
import { imagenet, imagenetCentred, type ModelOptions, type ModelTable, type PublishedError } from "../entry.js";
import { initialised } from "../initialise.js";
import { torchvisionVggRecipe, vggRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";
import { responseNorm } from "./alexnet.js";

/** A number is a 3x3 convolution with so many maps, `conv1` one of 1x1, "M" 2x2 max pooling, "LRN" response normalisation. */
type Step = number | { readonly conv1: number } | "M" | "LRN";

/** The columns of table 1. */
export const vggConfigurations = {
  A: [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
  "A-LRN": [64, "LRN", "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
  B: [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
  C: [
    ...[64, 64, "M", 128, 128, "M", 256, 256, { conv1: 256 }, "M"],
    ...[512, 512, { conv1: 512 }, "M", 512, 512, { conv1: 512 }, "M"],
  ],
  D: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
  E: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"],
} as const satisfies Readonly<Record<string, readonly Step[]>>;

export interface VGGOptions extends ModelOptions {
  /** Batch normalisation after each convolution. Default false. */
  readonly batchNorm?: boolean;
  /** Initialisers of the convolutions' and the linear layers' weights. Default torchvision's: He et al. (fan out) and N(0, 0.01). */
  readonly init?: { readonly conv: Initializer; readonly linear: Initializer };
}

const torchvisionInit = { conv: kaimingNormal({ mode: "fanOut" }), linear: normal(0, 0.01) };

/** The paper's own way without training A first: that of Glorot and Bengio (section 3.1, footnote). */
const glorotInit = { conv: xavierUniform(), linear: xavierUniform() };

function convolutions(steps: readonly Step[], inChannels: number, init: Initializer, batchNorm: boolean): Layer[] {
  const layers: Layer[] = [];
  let channels = inChannels;
  for (const step of steps) {
    if (step === "M") layers.push(new MaxPool2d({ kernelSize: 2 }));
    else if (step === "LRN") layers.push(responseNorm());
    else {
      const [maps, kernelSize] = typeof step === "number" ? [step, 3] : [step.conv1, 1];
      const padding = (kernelSize - 1) / 2;
      layers.push(initialised(new Conv2d(channels, maps, { kernelSize, padding }), init));
      if (batchNorm) layers.push(new BatchNorm2d(maps));
      layers.push(new ReLU());
      channels = maps;
    }
  }
  return layers;
}

/**
 * A configuration of table 1: `[N, 3, H, W]` -> `[N, 1000]` for H and W from 32 on. Other maps than those of 224x224 are averaged to 7x7
 * before the classifier, as in torchvision; the paper turns the classifier into convolutions instead.
 */
export class VGG extends Module {
  readonly features: Sequential;
  readonly avgpool = new AdaptiveAvgPool2d(7);
  readonly flatten = new Flatten();
  readonly classifier: Sequential;

  constructor(configuration: keyof typeof vggConfigurations, options: VGGOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, batchNorm = false, init = torchvisionInit } = options;
    this.features = new Sequential(...convolutions(vggConfigurations[configuration], inChannels, init.conv, batchNorm));
    this.classifier = new Sequential(
      initialised(new Linear(512 * 7 * 7, 4096), init.linear),
      new ReLU(),
      new Dropout(),
      initialised(new Linear(4096, 4096), init.linear),
      new ReLU(),
      new Dropout(),
      initialised(new Linear(4096, numClasses), init.linear),
    );
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.avgpool, this.flatten, this.classifier);
  }
}

const common = {
  citation: "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015",
  input: [3, 224, 224],
  numClasses: 1000,
  head: "classifier.6",
  preprocessing: imagenet,
  recipe: vggRecipe,
} as const;

const batchNormalised = { ...common, recipe: torchvisionVggRecipe } as const;

/** Table 3: one network, tested at one scale, by trained and tested length of the shorter side. */
const table3 = (top1: number, top5: number, train: string, test: number): PublishedError => ({
  dataset: "imagenet",
  top1,
  top5,
  protocol: `validation, dense evaluation at ${test}, trained at ${train}`,
  source: "Simonyan and Zisserman 2015, table 3",
});

/** The table's part of this paper. */
export const vggModels = {
  vgg11: {
    ...common,
    summary: "VGG configuration A: 8 convolutions of 3x3, 3 fully connected layers",
    build: (options?: ModelOptions) => new VGG("A", options),
    published: [table3(29.6, 10.4, "256", 256)],
    weights: [torchvisionWeights({ file: "vgg11-8a719046", accuracy: [69.02, 88.628] })],
  },
  vgg11_bn: {
    ...batchNormalised,
    summary: "VGG configuration A with batch normalisation",
    build: (options?: ModelOptions) => new VGG("A", { ...options, batchNorm: true }),
    weights: [torchvisionWeights({ file: "vgg11_bn-6002323d", accuracy: [70.37, 89.81] })],
  },
  vgg11_lrn: {
    ...common,
    summary: "VGG configuration A-LRN: A with response normalisation after the first convolution",
    build: (options?: ModelOptions) => new VGG("A-LRN", { ...options, init: glorotInit }),
    preprocessing: imagenetCentred,
    published: [table3(29.7, 10.5, "256", 256)],
  },
  vgg13: {
    ...common,
    summary: "VGG configuration B: 10 convolutions of 3x3, 3 fully connected layers",
    build: (options?: ModelOptions) => new VGG("B", options),
    published: [table3(28.7, 9.9, "256", 256)],
    weights: [torchvisionWeights({ file: "vgg13-19584684", accuracy: [69.928, 89.246] })],
  },
  vgg13_bn: {
    ...batchNormalised,
    summary: "VGG configuration B with batch normalisation",
    build: (options?: ModelOptions) => new VGG("B", { ...options, batchNorm: true }),
    weights: [torchvisionWeights({ file: "vgg13_bn-abd245e5", accuracy: [71.586, 90.374] })],
  },
  vgg16_c: {
    ...common,
    summary: "VGG configuration C: 10 convolutions of 3x3 and 3 of 1x1, 3 fully connected layers",
    build: (options?: ModelOptions) => new VGG("C", { ...options, init: glorotInit }),
    preprocessing: imagenetCentred,
    published: [table3(28.1, 9.4, "256", 256), table3(28.1, 9.3, "384", 384), table3(27.3, 8.8, "256..512", 384)],
  },
  vgg16: {
    ...common,
    summary: "VGG configuration D: 13 convolutions of 3x3, 3 fully connected layers",
    build: (options?: ModelOptions) => new VGG("D", options),
    published: [table3(27.0, 8.8, "256", 256), table3(26.8, 8.7, "384", 384), table3(25.6, 8.1, "256..512", 384)],
    weights: [torchvisionWeights({ file: "vgg16-397923af", accuracy: [71.592, 90.382] })],
  },
  vgg16_bn: {
    ...batchNormalised,
    summary: "VGG configuration D with batch normalisation",
    build: (options?: ModelOptions) => new VGG("D", { ...options, batchNorm: true }),
    weights: [torchvisionWeights({ file: "vgg16_bn-6c64b313", accuracy: [73.36, 91.516] })],
  },
  vgg19: {
    ...common,
    summary: "VGG configuration E: 16 convolutions of 3x3, 3 fully connected layers",
    build: (options?: ModelOptions) => new VGG("E", options),
    published: [table3(27.3, 9.0, "256", 256), table3(26.9, 8.7, "384", 384), table3(25.5, 8.0, "256..512", 384)],
    weights: [torchvisionWeights({ file: "vgg19-dcbb9e9d", accuracy: [72.376, 90.876] })],
  },
  vgg19_bn: {
    ...batchNormalised,
    summary: "VGG configuration E with batch normalisation",
    build: (options?: ModelOptions) => new VGG("E", { ...options, batchNorm: true }),
    weights: [torchvisionWeights({ file: "vgg19_bn-c79401a0", accuracy: [74.218, 91.842] })],
  },
} as const satisfies ModelTable;
