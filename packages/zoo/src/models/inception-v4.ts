/**
 * Szegedy, Ioffe, Vanhoucke, Alemi: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", AAAI 2017
 * (arXiv 2016): Inception-v4. Its residual sisters are in inception-resnet.ts.
 */
import type { Tensor } from "@ocelli/core";
import {
  Concat,
  type Context,
  Dropout,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  Module,
  Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { inceptionV4Recipe } from "../recipes.js";
import { avgPool3x3, convs, halving, maxPoolHalving, repeat, valid } from "./inception-conv.js";

/** The stem of Inception-v4 (figure 3): `[N, C, 299, 299]` -> `[N, 384, 35, 35]`. */
export class InceptionV4Stem extends Sequential {
  constructor(inChannels = 3) {
    super(
      convs(inChannels, [32, 3, halving], [32, 3, valid], [64, 3]),
      new Concat([maxPoolHalving(), convs(64, [96, 3, halving])]),
      new Concat([
        convs(160, [64, 1], [96, 3, valid]),
        convs(160, [64, 1], [64, [7, 1]], [64, [1, 7]], [96, 3, valid]),
      ]),
      new Concat([convs(192, [192, 3, halving]), maxPoolHalving()]),
    );
  }
}

/** The 35x35 module (figure 4): `[N, C, H, W]` -> `[N, 384, H, W]`. */
export class InceptionA extends Concat {
  constructor(inChannels = 384) {
    super([
      convs(inChannels, [96, 1]),
      convs(inChannels, [64, 1], [96, 3]),
      convs(inChannels, [64, 1], [96, 3], [96, 3]),
      new Sequential(avgPool3x3(), convs(inChannels, [96, 1])),
    ]);
  }
}

/** The 17x17 module (figure 5): `[N, C, H, W]` -> `[N, 1024, H, W]`. */
export class InceptionB extends Concat {
  constructor(inChannels = 1024) {
    super([
      convs(inChannels, [384, 1]),
      // The figure has 1x7 twice, surely a slip: the authors' code has 7x1 here, which costs the same.
      convs(inChannels, [192, 1], [224, [1, 7]], [256, [7, 1]]),
      convs(inChannels, [192, 1], [192, [1, 7]], [224, [7, 1]], [224, [1, 7]], [256, [7, 1]]),
      new Sequential(avgPool3x3(), convs(inChannels, [128, 1])),
    ]);
  }
}

/** The 8x8 module (figure 6), two of whose branches fan out: `[N, C, H, W]` -> `[N, 1536, H, W]`. */
export class InceptionC extends Concat {
  constructor(inChannels = 1536) {
    const fan = (channels: number): Concat =>
      new Concat([convs(channels, [256, [1, 3]]), convs(channels, [256, [3, 1]])]);
    super([
      convs(inChannels, [256, 1]),
      new Sequential(convs(inChannels, [384, 1]), fan(384)),
      new Sequential(convs(inChannels, [384, 1], [448, [1, 3]], [512, [3, 1]]), fan(512)),
      new Sequential(avgPool3x3(), convs(inChannels, [256, 1])),
    ]);
  }
}

/** Filters of Reduction-A by the letters of table 1. */
export interface ReductionAOptions {
  readonly k: number;
  readonly l: number;
  readonly m: number;
  readonly n: number;
}

/** From 35x35 to 17x17, in all three networks (figure 7): `[N, C, H, W]` -> `[N, n + m + C, (H - 1)/2, (W - 1)/2]`, rounded down. */
export class ReductionA extends Concat {
  constructor(inChannels: number, { k, l, m, n }: ReductionAOptions) {
    super([maxPoolHalving(), convs(inChannels, [n, 3, halving]), convs(inChannels, [k, 1], [l, 3], [m, 3, halving])]);
  }
}

/** From 17x17 to 8x8 in Inception-v4 (figure 8): `[N, C, H, W]` -> `[N, 512 + C, (H - 1)/2, (W - 1)/2]`, rounded down. */
export class ReductionB extends Concat {
  constructor(inChannels = 1024) {
    super([
      convs(inChannels, [192, 1], [192, 3, halving]),
      convs(inChannels, [256, 1], [256, [1, 7]], [320, [7, 1]], [320, 3, halving]),
      maxPoolHalving(),
    ]);
  }
}

/**
 * `[N, 3, 299, 299]` -> `[N, classes]` (figure 9), 42,679,816 parameters. The paper's figures have no auxiliary classifier (the authors'
 * code does); nor has this.
 */
export class InceptionV4 extends Module {
  readonly stem: InceptionV4Stem;
  readonly inceptionA = repeat(4, () => new InceptionA());
  readonly reductionA = new ReductionA(384, { k: 192, l: 224, m: 256, n: 384 });
  readonly inceptionB = repeat(7, () => new InceptionB());
  readonly reductionB = new ReductionB();
  readonly inceptionC = repeat(3, () => new InceptionC());
  readonly pool = new GlobalAvgPool();
  readonly dropout = new Dropout(0.2);
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.stem = new InceptionV4Stem(inChannels);
    this.fc = initialised(new Linear(1536, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y17 = ctx.chain(x, this.stem, this.inceptionA, this.reductionA, this.inceptionB);
    return ctx.chain(y17, this.reductionB, this.inceptionC, this.pool, this.dropout, this.fc);
  }
}

const szegedy2017 =
  "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, AAAI 2017";

/** What the three networks of the paper share. */
export const inceptionV4Common = {
  citation: szegedy2017,
  input: [3, 299, 299],
  numClasses: 1000,
  head: "fc",
  preprocessing: { resize: 342, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  recipe: inceptionV4Recipe,
} as const;

export const singleCrop = (top1: number, top5: number) =>
  ({
    dataset: "imagenet",
    top1,
    top5,
    protocol: "validation without the blacklisted images, single crop 299",
    source: "Szegedy et al. 2017, table 2",
  }) as const;

/** The table's part of this network. */
export const inceptionV4Models = {
  inception_v4: {
    ...inceptionV4Common,
    summary: "Inception v4: a uniform design of three kinds of modules, without residuals",
    build: (options?: ModelOptions) => new InceptionV4(options),
    published: [singleCrop(20.0, 5.0)],
  },
} as const satisfies ModelTable;
