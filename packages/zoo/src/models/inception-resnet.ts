/**
 * Szegedy, Ioffe, Vanhoucke, Alemi: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", AAAI 2017
 * (arXiv 2016): the two networks with residual connections. Inception-v4 is in inception-v4.ts.
 */
import { add, mul, type Pair, relu, type Tensor } from "@ocelli/core";
import {
  Concat,
  type Context,
  Conv2d,
  Dropout,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  Module,
  Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { avgPool3x3, BasicConv2d, convs, halving, maxPoolHalving, repeat, type Step, valid } from "./inception-conv.js";
import { inceptionV4Common, ReductionA, singleCrop } from "./inception-v4.js";

export interface InceptionResNetOptions {
  /** Filters of the convolutions of each branch, from the input on. */
  readonly filters: readonly (readonly number[])[];
  /** Factor of the branches' sum before it is added (section 3.3). */
  readonly scale: number;
  /** ReLU behind the sum. Default true. */
  readonly activation?: boolean;
}

/**
 * `relu(x + scale * expand(branches(x)))`: the branches joined by channel, and a 1x1 convolution without batch-norm or activation
 * that brings them to the input's channels. `[N, C, H, W]` -> the same.
 */
abstract class InceptionResidual extends Module {
  readonly branches: Concat;
  readonly expand: Conv2d;
  readonly scale: number;
  readonly activation: boolean;

  constructor(
    channels: number,
    kernels: readonly (readonly (number | Pair)[])[],
    { filters, scale, activation = true }: InceptionResNetOptions,
  ) {
    super();
    const steps = kernels.map((sizes, i) => sizes.map((size, j): Step => [filters[i]?.[j] as number, size]));
    const width = steps.reduce((sum, branch) => sum + (branch.at(-1)?.[0] as number), 0);
    this.branches = new Concat(steps.map((branch) => convs(channels, ...branch)));
    this.expand = initialised(new Conv2d(width, channels, { kernelSize: 1 }), kaimingNormal());
    this.scale = scale;
    this.activation = activation;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = add(x, mul(this.scale, ctx.chain(x, this.branches, this.expand)));
    return this.activation ? relu(y) : y;
  }
}

/** The 35x35 block (figures 10 and 16): branches 1x1; 1x1, 3x3; 1x1, 3x3, 3x3. */
export class InceptionResNetA extends InceptionResidual {
  constructor(channels: number, options: InceptionResNetOptions) {
    super(channels, [[1], [1, 3], [1, 3, 3]], options);
  }
}

/** The 17x17 block (figures 11 and 17): branches 1x1; 1x1, 1x7, 7x1. */
export class InceptionResNetB extends InceptionResidual {
  constructor(channels: number, options: InceptionResNetOptions) {
    super(channels, [[1], [1, [1, 7], [7, 1]]], options);
  }
}

/** The 8x8 block (figures 13 and 19): branches 1x1; 1x1, 1x3, 3x1. */
export class InceptionResNetC extends InceptionResidual {
  constructor(channels: number, options: InceptionResNetOptions) {
    super(channels, [[1], [1, [1, 3], [3, 1]]], options);
  }
}

/**
 * From 17x17 to 8x8 (figures 12 and 18): `[N, C, H, W]` -> `[N, 384 + second + last + C, (H - 1)/2, (W - 1)/2]`, rounded down.
 * `second` is the filters of the second branch, and of the third up to its `last` convolution.
 */
export class InceptionResNetReductionB extends Concat {
  constructor(inChannels: number, { second, last }: { readonly second: number; readonly last: number }) {
    super([
      convs(inChannels, [256, 1], [384, 3, halving]),
      convs(inChannels, [256, 1], [second, 3, halving]),
      convs(inChannels, [256, 1], [second, 3], [last, 3, halving]),
      maxPoolHalving(),
    ]);
  }
}

/** The stem of Inception-ResNet-v1 (figure 14): `[N, C, 299, 299]` -> `[N, 256, 35, 35]`. */
export class InceptionResNetV1Stem extends Sequential {
  constructor(inChannels = 3) {
    super(
      convs(inChannels, [32, 3, halving], [32, 3, valid], [64, 3]),
      maxPoolHalving(),
      convs(64, [80, 1], [192, 3, valid], [256, 3, halving]),
    );
  }
}

/** Inception-ResNet-v2's stem in the authors' code: Inception-v3's, and one module. `[N, C, 299, 299]` -> `[N, 320, 35, 35]`. */
export class InceptionResNetV2Stem extends Sequential {
  constructor(inChannels = 3) {
    super(
      convs(inChannels, [32, 3, halving], [32, 3, valid], [64, 3]),
      maxPoolHalving(),
      convs(64, [80, 1], [192, 3, valid]),
      maxPoolHalving(),
      new Concat([
        convs(192, [96, 1]),
        convs(192, [48, 1], [64, 5]),
        convs(192, [64, 1], [96, 3], [96, 3]),
        new Sequential(avgPool3x3(), convs(192, [64, 1])),
      ]),
    );
  }
}

/** The paper scales by 0.1 to 0.3; these are the authors' code's. */
const scales = { a: 0.17, b: 0.1, c: 0.2 } as const;

/**
 * `[N, 3, 299, 299]` -> `[N, classes]`, as the paper's figures 10 to 15 and table 1 have it (the authors published no code of this one).
 * Residuals are scaled as in Inception-ResNet-v2: the paper does not say by how much.
 */
export class InceptionResNetV1 extends Module {
  readonly stem: InceptionResNetV1Stem;
  readonly inceptionA = repeat(
    5,
    () => new InceptionResNetA(256, { filters: [[32], [32, 32], [32, 32, 32]], scale: scales.a }),
  );
  readonly reductionA = new ReductionA(256, { k: 192, l: 192, m: 256, n: 384 });
  readonly inceptionB = repeat(
    10,
    () => new InceptionResNetB(896, { filters: [[128], [128, 128, 128]], scale: scales.b }),
  );
  readonly reductionB = new InceptionResNetReductionB(896, { second: 256, last: 256 });
  readonly inceptionC = repeat(
    5,
    () => new InceptionResNetC(1792, { filters: [[192], [192, 192, 192]], scale: scales.c }),
  );
  readonly pool = new GlobalAvgPool();
  readonly dropout = new Dropout(0.2);
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.stem = new InceptionResNetV1Stem(inChannels);
    this.fc = initialised(new Linear(1792, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y17 = ctx.chain(x, this.stem, this.inceptionA, this.reductionA, this.inceptionB);
    return ctx.chain(y17, this.reductionB, this.inceptionC, this.pool, this.dropout, this.fc);
  }
}

/**
 * `[N, 3, 299, 299]` -> `[N, classes]`, 55,843,464 parameters: the version of the authors' code (TensorFlow's slim), which everybody uses.
 *
 * The paper's figures cannot be built: figure 17 adds 1154 channels to the 1152 that Reduction-A makes, and figure 19 adds 2048 to the
 * 2144 that figure 18 makes. Where they differ, the code has: another stem ({@link InceptionResNetV2Stem}; the paper takes
 * Inception-v4's), 10, 20 and 10 blocks for 5, 10 and 5 on 320, 1088 and 2080 channels, no activation and no scaling in the last block,
 * and a 1x1 convolution to 1536 channels before the pooling. The code's auxiliary classifier, which is not in the paper, is left out.
 */
export class InceptionResNetV2 extends Module {
  readonly stem: InceptionResNetV2Stem;
  readonly inceptionA = repeat(
    10,
    () => new InceptionResNetA(320, { filters: [[32], [32, 32], [32, 48, 64]], scale: scales.a }),
  );
  readonly reductionA = new ReductionA(320, { k: 256, l: 256, m: 384, n: 384 });
  readonly inceptionB = repeat(
    20,
    () => new InceptionResNetB(1088, { filters: [[192], [128, 160, 192]], scale: scales.b }),
  );
  readonly reductionB = new InceptionResNetReductionB(1088, { second: 288, last: 320 });
  readonly inceptionC: Sequential;
  readonly conv: BasicConv2d;
  readonly pool = new GlobalAvgPool();
  readonly dropout = new Dropout(0.2);
  readonly fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3 }: ModelOptions = {}) {
    super();
    const filters = [[192], [192, 224, 256]];
    this.stem = new InceptionResNetV2Stem(inChannels);
    this.inceptionC = new Sequential(
      repeat(9, () => new InceptionResNetC(2080, { filters, scale: scales.c })),
      new InceptionResNetC(2080, { filters, scale: 1, activation: false }),
    );
    this.conv = new BasicConv2d(2080, 1536, { kernelSize: 1 });
    this.fc = initialised(new Linear(1536, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y17 = ctx.chain(x, this.stem, this.inceptionA, this.reductionA, this.inceptionB);
    return ctx.chain(y17, this.reductionB, this.inceptionC, this.conv, this.pool, this.dropout, this.fc);
  }
}

/** The table's part of these networks. */
export const inceptionResNetModels = {
  inception_resnet_v1: {
    ...inceptionV4Common,
    summary: "Inception-ResNet v1: Inception modules as residuals, at about Inception v3's cost",
    build: (options?: ModelOptions) => new InceptionResNetV1(options),
    published: [singleCrop(21.3, 5.5)],
  },
  inception_resnet_v2: {
    ...inceptionV4Common,
    summary: "Inception-ResNet v2: the wider one, at about Inception v4's cost (the authors' code's version)",
    build: (options?: ModelOptions) => new InceptionResNetV2(options),
    published: [singleCrop(19.9, 4.9)],
  },
} as const satisfies ModelTable;
