/**
 * Larsson, Maire, Shakhnarovich: "FractalNet: Ultra-Deep Neural Networks without Residuals", ICLR 2017. The blocks are in fractal-block.ts.
 */
import { ArgumentError, cast, floor, greater, mul, narrow, oneHot, relu, reshape, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import { imagenet, type ModelOptions, type ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { fractalnetImagenetRecipe, fractalnetRecipe } from "../recipes.js";
import { FractalBlock, type FractalLayer, type GlobalPath, xavier } from "./fractal-block.js";

export interface FractalNetOptions extends ModelOptions {
  /** Channels of each block. Default 64, 128, 256, 512, 512. */
  readonly channels?: readonly number[];
  /** Default 3: column i of a block has 2^i layers. */
  readonly columns?: number;
  /** Dropout of each block. Default 0, 0.1, 0.2, 0.3, 0.4, the last for all further blocks. */
  readonly dropRates?: readonly number[];
  /** Drop-path: share of the inputs that a join drops, and of the steps in which one column is kept instead. Default 0.15 and 0.5. */
  readonly dropPath?: { readonly local?: number; readonly global?: number };
  /** ResNet-34's first and last layers around the blocks, which are pooled between each other only. Default false. */
  readonly residualStem?: boolean;
}

interface Column {
  readonly columns: Readonly<Record<number, readonly FractalLayer[]>>;
  readonly pool: MaxPool2d | null;
}

/** One column of a {@link FractalNet} alone, a plain network. It shares the layers, and has them under the same names. */
export class FractalColumn extends Module {
  readonly stem: Sequential | null;
  readonly blocks: readonly Column[];
  readonly pool: GlobalAvgPool;
  readonly classifier: Linear;
  readonly #layers: readonly Layer[];

  constructor({ stem, blocks, pool, classifier }: FractalNet, column: number) {
    super();
    this.stem = stem;
    this.blocks = blocks.map((block) => ({
      columns: { [column]: block.columns[column] as readonly FractalLayer[] },
      pool: block.pool,
    }));
    this.pool = pool;
    this.classifier = classifier;
    this.#layers = blocks.flatMap((block) => [...(block.columns[column] ?? []), ...(block.pool ? [block.pool] : [])]);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = this.stem === null ? [] : [this.stem];
    return ctx.chain(x, ...stem, ...this.#layers, this.pool, this.classifier);
  }
}

/**
 * B blocks of C columns, B * 2^(C-1) layers deep: `[N, 3, 32, 32]` -> `[N, classes]`. In training half of the steps keep one column of the
 * whole network, the others drop paths at each join; the paper mixes the two half and half, and a draw a step (rather than a
 * sample) is what lets dropped layers keep their statistics. Behind the last block the mean of what pixels are left is taken,
 * one for images of 32. The channels are those that the paper names; with them its table 3 has the parameters that it prints. The 38.6 M of
 * its table 1 are not reached (33.7 M here and in the authors' generator).
 */
export class FractalNet extends Module {
  readonly stem: Sequential | null;
  readonly blocks: readonly FractalBlock[];
  readonly pool = new GlobalAvgPool();
  readonly classifier: Linear;
  readonly #global: number;

  constructor({
    numClasses = 10,
    inChannels = 3,
    channels = [64, 128, 256, 512, 512],
    columns = 3,
    dropRates = [0, 0.1, 0.2, 0.3, 0.4],
    dropPath: { local = 0.15, global = 0.5 } = {},
    residualStem = false,
  }: FractalNetOptions = {}) {
    super();
    this.stem = residualStem ? stemOf(inChannels) : null;
    this.blocks = channels.map((outChannels, i) => {
      const before = channels[i - 1] ?? (residualStem ? 64 : inChannels);
      const pool = !residualStem || i < channels.length - 1;
      const dropRate = dropRates[Math.min(i, dropRates.length - 1)] ?? 0;
      return new FractalBlock(before, outChannels, { columns, dropRate, dropPath: local, pool });
    });
    this.classifier = initialised(new Linear(channels[channels.length - 1] ?? inChannels, numClasses), xavier);
    this.#global = global;
  }

  /** A column alone, 0 the shortest. @throws ArgumentError when there is none of that number */
  column(i: number): FractalColumn {
    const count = this.blocks[0]?.columns.length ?? 0;
    if (!(Number.isInteger(i) && i >= 0 && i < count)) {
      throw new ArgumentError(`column: there is none of number ${i}; the network has ${count}, from 0`, { column: i });
    }
    return new FractalColumn(this, i);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const path = ctx.training && this.#global > 0 ? this.#drawPath(ctx) : undefined;
    let y = this.stem === null ? x : ctx.call(this.stem, x);
    for (const block of this.blocks) y = ctx.call(block, path === undefined ? y : { x: y, path });
    return ctx.chain(y, this.pool, this.classifier);
  }

  #drawPath(ctx: Context): GlobalPath {
    const columns = this.blocks[0]?.columns.length ?? 1;
    const draws = ctx.randomUniform([2]);
    const [first, second] = [narrow(draws, 0, 0, 1), narrow(draws, 0, 1, 2)];
    return {
      active: cast(greater(this.#global, reshape(first, [])), "float32"),
      column: reshape(oneHot(cast(floor(mul(second, columns)), "int32"), columns), [columns]),
    };
  }
}

function stemOf(inChannels: number): Sequential {
  const conv = new Conv2d(inChannels, 64, { kernelSize: 7, stride: 2, padding: 3, bias: false });
  return new Sequential({
    conv: initialised(conv, xavier),
    bn: new BatchNorm2d(64),
    relu,
    pool: new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 }),
  });
}

const larsson2017 =
  "Larsson, Maire, Shakhnarovich: FractalNet: Ultra-Deep Neural Networks without Residuals, ICLR 2017";

const onTinyImages = {
  citation: larsson2017,
  input: [3, 32, 32],
  numClasses: 10,
  head: "classifier",
  preprocessing: {},
  recipe: fractalnetRecipe,
} as const;

const table1 = { source: "Larsson et al. 2017, table 1" } as const;
const augmented = "augmented by crops and mirroring, drop-path and dropout";

/** The table's part of this paper. */
export const fractalnetModels = {
  fractalnet20_cifar: {
    ...onTinyImages,
    summary: "FractalNet of 20 layers for 32x32 images: 5 blocks of 3 columns",
    build: (options?: FractalNetOptions) => new FractalNet(options),
    published: [
      { dataset: "cifar10", top1: 7.33, protocol: "test, drop-path and dropout", ...table1 },
      { dataset: "cifar10", top1: 4.6, protocol: `test, ${augmented}`, ...table1 },
      { dataset: "cifar100", top1: 28.2, protocol: "test, drop-path and dropout", ...table1 },
      { dataset: "cifar100", top1: 23.73, protocol: `test, ${augmented}`, ...table1 },
    ],
  },
  fractalnet40_cifar: {
    ...onTinyImages,
    summary: "FractalNet of 40 layers for 32x32 images: 5 narrow blocks of 4 columns",
    build: (options?: FractalNetOptions) =>
      new FractalNet({ channels: [16, 32, 64, 128, 128], columns: 4, ...options }),
    published: [
      {
        dataset: "cifar100",
        top1: 27.38,
        protocol: "test, heavily augmented",
        source: "Larsson et al. 2017, table 3",
      },
    ],
  },
  fractalnet34: {
    citation: larsson2017,
    summary: "FractalNet-34 for ImageNet: ResNet-34's first and last layers around 4 blocks of 4 columns",
    input: [3, 224, 224],
    numClasses: 1000,
    head: "classifier",
    // The paper names no dropout here.
    build: (options?: FractalNetOptions) =>
      new FractalNet({
        numClasses: 1000,
        channels: [128, 256, 512, 1024],
        columns: 4,
        dropRates: [],
        residualStem: true,
        ...options,
      }),
    preprocessing: imagenet,
    recipe: fractalnetImagenetRecipe,
    published: [
      {
        dataset: "imagenet",
        top1: 24.12,
        top5: 7.39,
        protocol: "validation, 10 crops 224",
        source: "Larsson et al. 2017, table 2",
      },
    ],
  },
} as const satisfies ModelTable;
