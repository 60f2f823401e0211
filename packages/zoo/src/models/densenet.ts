/**
 * Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks", CVPR 2017. The ImageNet networks are torchvision's
 * in names and behaviour. Memory: Pleiss et al.: "Memory-Efficient Implementation of DenseNets", 2017.
 */
import { ArgumentError, concat, recompute, relu, type Tensor } from "@ocelli/core";
import {
  AvgPool2d,
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  GlobalAvgPool,
  kaimingNormal,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import { imagenet, type ModelOptions, type ModelTable, type PublishedError } from "../entry.js";
import { initialised } from "../initialise.js";
import { densenetCifarRecipe, densenetRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";

const convolution = (from: number, to: number, kernelSize: 1 | 3): Conv2d =>
  initialised(new Conv2d(from, to, { kernelSize, padding: (kernelSize - 1) / 2, bias: false }), kaimingNormal());

export interface DenseOptions {
  /** Channels that each layer adds: k. Default 32. */
  readonly growthRate?: number;
  /** Channels of the 1x1 convolution before the 3x3 one, in multiples of k; 0 for no such convolution. Default 4. */
  readonly bottleneck?: number;
  /** Share of the new features that dropout sets to 0 in training. Default 0. */
  readonly dropRate?: number;
  /** Drop behind the bottleneck's 1x1 convolution, too. Default false. */
  readonly dropInner?: boolean;
  /**
   * Compute the concatenation and what follows it, up to the first convolution, again in the backward pass: memory grows with the
   * depth of a block instead of its square (Pleiss et al. 2017). Same values, same gradients. Default false.
   */
  readonly memoryEfficient?: boolean;
}

/** H_l: batch-norm, ReLU, convolution, with a bottleneck twice. Features `[N, C_i, H, W]`, with C channels in all -> `[N, k, H, W]`. */
export class DenseLayer extends Module<readonly Tensor[]> {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d | null = null;
  readonly conv2: Conv2d | null = null;
  readonly dropout: Dropout;
  readonly #dropInner: boolean;
  readonly #memoryEfficient: boolean;

  constructor(
    inChannels: number,
    { growthRate = 32, bottleneck = 4, dropRate = 0, dropInner = false, memoryEfficient = false }: DenseOptions = {},
  ) {
    super();
    const inner = bottleneck * growthRate;
    this.norm1 = new BatchNorm2d(inChannels);
    this.conv1 = inner > 0 ? convolution(inChannels, inner, 1) : convolution(inChannels, growthRate, 3);
    if (inner > 0) {
      this.norm2 = new BatchNorm2d(inner);
      this.conv2 = convolution(inner, growthRate, 3);
    }
    this.dropout = new Dropout(dropRate);
    this.#dropInner = dropInner;
    this.#memoryEfficient = memoryEfficient;
  }

  override forward(features: readonly Tensor[], ctx: Context): Tensor {
    const { norm1, conv1, norm2, conv2, dropout } = this;
    const first = (): Tensor => ctx.chain(concat(features, 1), norm1, relu, conv1);
    let y = this.#memoryEfficient ? recompute(first) : first();
    if (norm2 !== null && conv2 !== null) {
      if (this.#dropInner) y = ctx.call(dropout, y);
      y = ctx.chain(y, norm2, relu, conv2);
    }
    return ctx.call(dropout, y);
  }
}

/** Layers that read the input and all layers before them: `[N, C, H, W]` -> `[N, C + layers * k, H, W]`. */
export class DenseBlock extends Module {
  readonly [name: `denselayer${number}`]: DenseLayer;

  constructor(layers: number, inChannels: number, options: DenseOptions = {}) {
    super();
    const { growthRate = 32 } = options;
    for (let i = 0; i < layers; i++) {
      Object.assign(this, { [`denselayer${i + 1}`]: new DenseLayer(inChannels + i * growthRate, options) });
    }
  }

  get layers(): readonly DenseLayer[] {
    return Object.values(this).filter((value) => value instanceof DenseLayer);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const features = [x];
    for (const layer of this.layers) features.push(ctx.call(layer, [...features]));
    return concat(features, 1);
  }
}

/** Between blocks: batch-norm, ReLU, 1x1 convolution, 2x2 average pooling. `[N, C, H, W]` -> `[N, O, H/2, W/2]`. */
export class Transition extends Sequential {
  constructor(inChannels: number, outChannels: number, { dropRate = 0 }: Pick<DenseOptions, "dropRate"> = {}) {
    super({
      norm: new BatchNorm2d(inChannels),
      relu,
      conv: convolution(inChannels, outChannels, 1),
      ...(dropRate > 0 ? { dropout: new Dropout(dropRate) } : {}),
      pool: new AvgPool2d({ kernelSize: 2 }),
    });
  }
}

export interface DenseNetOptions extends ModelOptions, Omit<DenseOptions, "dropInner"> {
  /** Layers of each block. Default 6, 12, 24, 16 (DenseNet-121). */
  readonly blocks?: readonly number[];
  /** Channels before the first block. Default 2k. */
  readonly initChannels?: number;
}

/** DenseNet-BC for ImageNet: `[N, 3, 224, 224]` -> `[N, classes]`. Transitions halve the channels. */
export class DenseNet extends Module {
  readonly features: Sequential;
  readonly pool = new GlobalAvgPool();
  readonly classifier: Linear;

  constructor({ numClasses = 1000, inChannels = 3, blocks = [6, 12, 24, 16], ...options }: DenseNetOptions = {}) {
    super();
    const { growthRate = 32, initChannels = 2 * growthRate } = options;
    const stem = new Conv2d(inChannels, initChannels, { kernelSize: 7, stride: 2, padding: 3, bias: false });
    const { layers, channels } = denseBlocks(blocks, initChannels, { compression: 0.5, ...options });
    this.features = new Sequential({
      conv0: initialised(stem, kaimingNormal()),
      norm0: new BatchNorm2d(initChannels),
      relu0: relu,
      pool0: new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 }),
      ...layers,
      [`norm${blocks.length + 1}`]: new BatchNorm2d(channels),
    });
    this.classifier = linear(channels, numClasses);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, relu, this.pool, this.classifier);
  }
}

/** PyTorch's initialisation of the weight; the bias is zero. */
function linear(from: number, to: number): Linear {
  const layer = new Linear(from, to);
  return initialised(layer, layer.weight.init);
}

interface Blocks extends DenseOptions {
  /** Share of the channels that a transition lets through. */
  readonly compression: number;
  readonly dropTransitions?: boolean;
}

/** Blocks with transitions between them, under torchvision's names, and the channels behind the last. */
function denseBlocks(
  blocks: readonly number[],
  inChannels: number,
  { compression, dropTransitions = false, ...options }: Blocks,
): { readonly layers: Readonly<Record<string, Layer>>; readonly channels: number } {
  const { growthRate = 32, dropRate = 0 } = options;
  const layers: Record<string, Layer> = {};
  let channels = inChannels;
  for (const [i, count] of blocks.entries()) {
    layers[`denseblock${i + 1}`] = new DenseBlock(count, channels, options);
    channels += count * growthRate;
    if (i === blocks.length - 1) break;
    const kept = Math.floor(channels * compression);
    layers[`transition${i + 1}`] = new Transition(channels, kept, { dropRate: dropTransitions ? dropRate : 0 });
    channels = kept;
  }
  return { layers, channels };
}

export interface CifarDenseNetOptions extends ModelOptions, Pick<DenseOptions, "dropRate" | "memoryEfficient"> {
  /** Bottlenecks and compression by half (DenseNet-BC). Default false. */
  readonly bc?: boolean;
}

/**
 * DenseNet of L layers for 32x32 images, in three blocks at 32, 16 and 8 pixels: `[N, 3, 32, 32]` -> `[N, classes]`. With `dropRate`
 * (0.2 in the paper, where images are not augmented) there is dropout behind every convolution but the first.
 * @throws ArgumentError for a depth that three equal blocks do not give
 */
export class CifarDenseNet extends Module {
  readonly features: Sequential;
  readonly pool = new GlobalAvgPool();
  readonly classifier: Linear;

  constructor(
    depth: number,
    growthRate: number,
    { numClasses = 10, inChannels = 3, bc = false, dropRate = 0, memoryEfficient = false }: CifarDenseNetOptions = {},
  ) {
    super();
    // The first convolution, two transitions and the classifier; a bottleneck counts as a layer.
    const perBlock = (depth - 4) / (bc ? 6 : 3);
    if (!(Number.isInteger(perBlock) && perBlock > 0)) {
      const form = bc ? "6n + 4" : "3n + 4";
      throw new ArgumentError(`CifarDenseNet: depth is ${depth}; it needs ${form}, for three blocks of n layers`, {
        depth,
      });
    }
    const initChannels = bc ? 2 * growthRate : 16;
    const { layers, channels } = denseBlocks([perBlock, perBlock, perBlock], initChannels, {
      growthRate,
      bottleneck: bc ? 4 : 0,
      compression: bc ? 0.5 : 1,
      dropRate,
      dropInner: true,
      dropTransitions: true,
      memoryEfficient,
    });
    this.features = new Sequential({
      conv0: convolution(inChannels, initChannels, 3),
      ...layers,
      norm4: new BatchNorm2d(channels),
    });
    this.classifier = linear(channels, numClasses);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, relu, this.pool, this.classifier);
  }
}

/**
 * The name that an entry of torchvision's published DenseNet files has in the network: those were written when a layer's parts were called
 * `norm.1`, `conv.1`. Other names stay as they are.
 */
export function upgradeDenseNetKeys(name: string): string {
  return name.replace(/(\.denselayer\d+\.(?:norm|conv))\.([12]\.)/, "$1$2");
}

const huang2017 = "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, CVPR 2017";

/** Table 3: errors with one crop and with ten. */
const onImagenet = (one: readonly [number, number], ten: readonly [number, number]): readonly PublishedError[] =>
  [[one, "validation, single crop 224"] as const, [ten, "validation, 10 crops 224"] as const].map(
    ([[top1, top5], protocol]) => ({
      dataset: "imagenet",
      top1,
      top5,
      protocol,
      source: "Huang et al. 2017, table 3",
    }),
  );

/** Table 2. "+": augmented by crops and mirroring. */
const onCifar = (rows: readonly (readonly ["cifar10" | "cifar100", number, string])[]): readonly PublishedError[] =>
  rows.map(([dataset, top1, protocol]) => ({
    dataset,
    top1,
    protocol: `test, ${protocol}`,
    source: "Huang et al. 2017, table 2",
  }));

const augmented = "augmented by crops and mirroring";
const plain = "not augmented, dropout 0.2";

const onImages = {
  rename: upgradeDenseNetKeys,
  citation: huang2017,
  input: [3, 224, 224],
  numClasses: 1000,
  head: "classifier",
  preprocessing: imagenet,
  recipe: densenetRecipe,
} as const;

const onTinyImages = {
  citation: huang2017,
  input: [3, 32, 32],
  numClasses: 10,
  head: "classifier",
  preprocessing: {},
  recipe: densenetCifarRecipe,
} as const;

/** The table's part of this paper. */
export const densenetModels = {
  densenet40_12_cifar: {
    ...onTinyImages,
    summary: "DenseNet of 40 layers for 32x32 images, growth rate 12, no bottlenecks",
    build: (options?: CifarDenseNetOptions) => new CifarDenseNet(40, 12, options),
    published: onCifar([
      ["cifar10", 7.0, plain],
      ["cifar10", 5.24, augmented],
      ["cifar100", 27.55, plain],
      ["cifar100", 24.42, augmented],
    ]),
  },
  densenet_bc100_12_cifar: {
    ...onTinyImages,
    summary: "DenseNet-BC of 100 layers for 32x32 images, growth rate 12",
    build: (options?: CifarDenseNetOptions) => new CifarDenseNet(100, 12, { bc: true, ...options }),
    published: onCifar([
      ["cifar10", 5.92, plain],
      ["cifar10", 4.51, augmented],
      ["cifar100", 24.15, plain],
      ["cifar100", 22.27, augmented],
    ]),
  },
  densenet_bc190_40_cifar: {
    ...onTinyImages,
    summary: "DenseNet-BC of 190 layers for 32x32 images, growth rate 40",
    build: (options?: CifarDenseNetOptions) => new CifarDenseNet(190, 40, { bc: true, ...options }),
    published: onCifar([
      ["cifar10", 3.46, augmented],
      ["cifar100", 17.18, augmented],
    ]),
  },
  densenet121: {
    ...onImages,
    summary: "DenseNet-121: blocks of 6, 12, 24, 16 layers, growth rate 32 (torchvision)",
    build: (options?: DenseNetOptions) => new DenseNet(options),
    published: onImagenet([25.02, 7.71], [23.61, 6.66]),
    weights: [torchvisionWeights({ file: "densenet121-a639ec97", accuracy: [74.434, 91.972] })],
  },
  densenet161: {
    ...onImages,
    summary: "DenseNet-161: blocks of 6, 12, 36, 24 layers, growth rate 48 (torchvision)",
    build: (options?: DenseNetOptions) => new DenseNet({ growthRate: 48, blocks: [6, 12, 36, 24], ...options }),
    weights: [torchvisionWeights({ file: "densenet161-8d451a50", accuracy: [77.138, 93.56] })],
  },
  densenet169: {
    ...onImages,
    summary: "DenseNet-169: blocks of 6, 12, 32, 32 layers, growth rate 32 (torchvision)",
    build: (options?: DenseNetOptions) => new DenseNet({ blocks: [6, 12, 32, 32], ...options }),
    published: onImagenet([23.8, 6.85], [22.08, 5.92]),
    weights: [torchvisionWeights({ file: "densenet169-b2777c0a", accuracy: [75.6, 92.806] })],
  },
  densenet201: {
    ...onImages,
    summary: "DenseNet-201: blocks of 6, 12, 48, 32 layers, growth rate 32 (torchvision)",
    build: (options?: DenseNetOptions) => new DenseNet({ blocks: [6, 12, 48, 32], ...options }),
    published: onImagenet([22.58, 6.34], [21.46, 5.54]),
    weights: [torchvisionWeights({ file: "densenet201-c1103571", accuracy: [76.896, 93.37] })],
  },
  densenet264: {
    ...onImages,
    summary: "DenseNet-264: blocks of 6, 12, 64, 48 layers, growth rate 32",
    build: (options?: DenseNetOptions) => new DenseNet({ blocks: [6, 12, 64, 48], ...options }),
    published: onImagenet([22.15, 6.12], [20.8, 5.29]),
  },
} as const satisfies ModelTable;
