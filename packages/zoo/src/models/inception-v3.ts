/**
 * Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: "Rethinking the Inception Architecture for Computer Vision", CVPR 2016 (arXiv 2015), as the
 * authors published it in code and torchvision builds it. The modules' letters are torchvision's, in the order of the network.
 */
import { avgPool2d, concat, maxPool2d, type Pair, type Tensor } from "@ocelli/core";
import { type Context, Dropout, GlobalAvgPool, Linear, MaxPool2d, Module, truncatedNormal } from "@ocelli/layers";
import { auxiliaryLoss } from "../auxiliary.js";
import type { ModelOptions, ModelOutput, ModelTable } from "../entry.js";
import { inceptionV3Recipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";
import { BasicConv2d, half, halving, valid } from "./inception-conv.js";

const conv = (
  inChannels: number,
  outChannels: number,
  kernelSize: number | Pair,
  options: { readonly stride?: number; readonly padding?: number } = {},
): BasicConv2d =>
  new BasicConv2d(inChannels, outChannels, {
    kernelSize,
    padding: half(kernelSize),
    ...options,
    init: truncatedNormal({ std: 0.1 }),
  });

function linear(inFeatures: number, outFeatures: number, std: number): Linear {
  const layer = new Linear(inFeatures, outFeatures);
  // The bias keeps PyTorch's default.
  layer.weight.init = truncatedNormal({ std });
  return layer;
}

/** Torchvision counts the padded zeros in. */
const avgPool = (x: Tensor): Tensor => avgPool2d(x, { kernelSize: 3, stride: 1, padding: 1 });
const maxPool = (x: Tensor): Tensor => maxPool2d(x, { kernelSize: 3, stride: 2 });

/** Two 3x3 convolutions in a row in place of a 5x5 (figure 5): `[N, C, H, W]` -> `[N, 224 + poolFeatures, H, W]`. */
export class InceptionV3A extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2 = conv(48, 64, 5);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(64, 96, 3);
  readonly branch3x3dbl_3 = conv(96, 96, 3);
  readonly branch_pool: BasicConv2d;

  constructor(inChannels: number, poolFeatures: number) {
    super();
    this.branch1x1 = conv(inChannels, 64, 1);
    this.branch5x5_1 = conv(inChannels, 48, 1);
    this.branch3x3dbl_1 = conv(inChannels, 64, 1);
    this.branch_pool = conv(inChannels, poolFeatures, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const branches = [
      ctx.call(this.branch1x1, x),
      ctx.chain(x, this.branch5x5_1, this.branch5x5_2),
      ctx.chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      ctx.chain(x, avgPool, this.branch_pool),
    ];
    return concat(branches, 1);
  }
}

/** The reduction to 17x17 (figure 10): `[N, C, H, W]` -> `[N, 480 + C, (H - 1)/2, (W - 1)/2]`, rounded down. */
export class InceptionV3B extends Module {
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(64, 96, 3);
  readonly branch3x3dbl_3 = conv(96, 96, 3, halving);

  constructor(inChannels: number) {
    super();
    this.branch3x3 = conv(inChannels, 384, 3, halving);
    this.branch3x3dbl_1 = conv(inChannels, 64, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const branches = [
      ctx.call(this.branch3x3, x),
      ctx.chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      maxPool(x),
    ];
    return concat(branches, 1);
  }
}

/** 7x7 convolutions factorised into 1x7 and 7x1 (figure 6): `[N, C, H, W]` -> `[N, 768, H, W]`. */
export class InceptionV3C extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  /** @param channels7x7 channels between the factors */
  constructor(inChannels: number, channels7x7: number) {
    super();
    this.branch1x1 = conv(inChannels, 192, 1);
    this.branch7x7_1 = conv(inChannels, channels7x7, 1);
    this.branch7x7_2 = conv(channels7x7, channels7x7, [1, 7]);
    this.branch7x7_3 = conv(channels7x7, 192, [7, 1]);
    this.branch7x7dbl_1 = conv(inChannels, channels7x7, 1);
    this.branch7x7dbl_2 = conv(channels7x7, channels7x7, [7, 1]);
    this.branch7x7dbl_3 = conv(channels7x7, channels7x7, [1, 7]);
    this.branch7x7dbl_4 = conv(channels7x7, channels7x7, [7, 1]);
    this.branch7x7dbl_5 = conv(channels7x7, 192, [1, 7]);
    this.branch_pool = conv(inChannels, 192, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const double = [this.branch7x7dbl_2, this.branch7x7dbl_3, this.branch7x7dbl_4, this.branch7x7dbl_5];
    const branches = [
      ctx.call(this.branch1x1, x),
      ctx.chain(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
      ctx.chain(x, this.branch7x7dbl_1, ...double),
      ctx.chain(x, avgPool, this.branch_pool),
    ];
    return concat(branches, 1);
  }
}

/** The reduction to 8x8: `[N, C, H, W]` -> `[N, 512 + C, (H - 1)/2, (W - 1)/2]`, rounded down. */
export class InceptionV3D extends Module {
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2 = conv(192, 320, 3, halving);
  readonly branch7x7x3_1: BasicConv2d;
  readonly branch7x7x3_2 = conv(192, 192, [1, 7]);
  readonly branch7x7x3_3 = conv(192, 192, [7, 1]);
  readonly branch7x7x3_4 = conv(192, 192, 3, halving);

  constructor(inChannels: number) {
    super();
    this.branch3x3_1 = conv(inChannels, 192, 1);
    this.branch7x7x3_1 = conv(inChannels, 192, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const branches = [
      ctx.chain(x, this.branch3x3_1, this.branch3x3_2),
      ctx.chain(x, this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4),
      maxPool(x),
    ];
    return concat(branches, 1);
  }
}

/** Branches that fan out into 1x3 and 3x1 (figure 7): `[N, C, H, W]` -> `[N, 2048, H, W]`. */
export class InceptionV3E extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a = conv(384, 384, [1, 3]);
  readonly branch3x3_2b = conv(384, 384, [3, 1]);
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2 = conv(448, 384, 3);
  readonly branch3x3dbl_3a = conv(384, 384, [1, 3]);
  readonly branch3x3dbl_3b = conv(384, 384, [3, 1]);
  readonly branch_pool: BasicConv2d;

  constructor(inChannels: number) {
    super();
    this.branch1x1 = conv(inChannels, 320, 1);
    this.branch3x3_1 = conv(inChannels, 384, 1);
    this.branch3x3dbl_1 = conv(inChannels, 448, 1);
    this.branch_pool = conv(inChannels, 192, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const single = ctx.call(this.branch3x3_1, x);
    const double = ctx.chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    const branches = [
      ctx.call(this.branch1x1, x),
      ctx.call(this.branch3x3_2a, single),
      ctx.call(this.branch3x3_2b, single),
      ctx.call(this.branch3x3dbl_3a, double),
      ctx.call(this.branch3x3dbl_3b, double),
      ctx.chain(x, avgPool, this.branch_pool),
    ];
    return concat(branches, 1);
  }
}

/** The auxiliary classifier on top of the last 17x17 map, batch-normalised: `[N, C, 17, 17]` (or larger) -> `[N, classes]`. */
export class InceptionV3Aux extends Module {
  readonly conv0: BasicConv2d;
  readonly conv1: BasicConv2d;
  readonly pool = new GlobalAvgPool();
  readonly fc: Linear;

  constructor(inChannels: number, numClasses: number) {
    super();
    this.conv0 = conv(inChannels, 128, 1);
    this.conv1 = new BasicConv2d(128, 768, { kernelSize: 5, init: truncatedNormal({ std: 0.01 }) });
    this.fc = linear(768, numClasses, 0.001);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const pooled = avgPool2d(x, { kernelSize: 5, stride: 3 });
    return ctx.chain(pooled, this.conv0, this.conv1, this.pool, this.fc);
  }
}

/**
 * `[N, 3, 299, 299]` -> `[N, classes]`, 27,161,264 parameters; in training the auxiliary classifier's logits, too. It evaluates images
 * from 75x75 on; its auxiliary classifier, and so training, needs 299x299.
 */
export class InceptionV3 extends Module<Tensor, ModelOutput> {
  readonly Conv2d_1a_3x3: BasicConv2d;
  readonly Conv2d_2a_3x3 = conv(32, 32, 3, valid);
  readonly Conv2d_2b_3x3 = conv(32, 64, 3);
  readonly maxpool1 = new MaxPool2d({ kernelSize: 3, stride: 2 });
  readonly Conv2d_3b_1x1 = conv(64, 80, 1);
  readonly Conv2d_4a_3x3 = conv(80, 192, 3, valid);
  readonly maxpool2 = new MaxPool2d({ kernelSize: 3, stride: 2 });
  readonly Mixed_5b = new InceptionV3A(192, 32);
  readonly Mixed_5c = new InceptionV3A(256, 64);
  readonly Mixed_5d = new InceptionV3A(288, 64);
  readonly Mixed_6a = new InceptionV3B(288);
  readonly Mixed_6b = new InceptionV3C(768, 128);
  readonly Mixed_6c = new InceptionV3C(768, 160);
  readonly Mixed_6d = new InceptionV3C(768, 160);
  readonly Mixed_6e = new InceptionV3C(768, 192);
  readonly AuxLogits: InceptionV3Aux;
  readonly Mixed_7a = new InceptionV3D(768);
  readonly Mixed_7b = new InceptionV3E(1280);
  readonly Mixed_7c = new InceptionV3E(2048);
  readonly avgpool = new GlobalAvgPool();
  readonly dropout = new Dropout(0.5);
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.Conv2d_1a_3x3 = conv(inChannels, 32, 3, halving);
    this.AuxLogits = new InceptionV3Aux(768, numClasses);
    this.fc = linear(2048, numClasses, 0.1);
  }

  override forward(x: Tensor, ctx: Context): ModelOutput {
    const y2 = ctx.chain(x, this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3, this.maxpool1);
    const y4 = ctx.chain(y2, this.Conv2d_3b_1x1, this.Conv2d_4a_3x3, this.maxpool2);
    const y5 = ctx.chain(y4, this.Mixed_5b, this.Mixed_5c, this.Mixed_5d);
    const y6 = ctx.chain(y5, this.Mixed_6a, this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e);
    const y7 = ctx.chain(y6, this.Mixed_7a, this.Mixed_7b, this.Mixed_7c);
    const logits = ctx.chain(y7, this.avgpool, this.dropout, this.fc);
    return ctx.training ? { logits, aux: ctx.call(this.AuxLogits, y6) } : logits;
  }
}

// From TensorFlow: pixels in -1..1.
const preprocessing = { resize: 342, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

const weights = torchvisionWeights({
  file: "inception_v3_google-0cc3c7bd",
  accuracy: [77.294, 93.45],
  preprocessing,
  crop: 299,
});

/** The table's part of this paper. */
export const inceptionV3Models = {
  inception_v3: {
    summary: "Inception v3: factorised convolutions, a batch-normalised auxiliary classifier",
    citation: "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture, CVPR 2016",
    input: [3, 299, 299],
    numClasses: 1000,
    head: "fc",
    build: (options?: ModelOptions) => new InceptionV3(options),
    lossPerSample: auxiliaryLoss({ aux: 0.4 }),
    preprocessing,
    recipe: inceptionV3Recipe,
    published: [
      weights.published,
      {
        dataset: "imagenet",
        top1: 21.2,
        top5: 5.6,
        protocol: "validation, single crop 299",
        source: "Szegedy et al. 2016, table 3",
      },
    ],
    weights: [weights],
  },
} as const satisfies ModelTable;
