/**
 * Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
 * arXiv:1602.07360, 2016; version 1.1 is from its authors' repository.
 */
import { ArgumentError, add, concat, relu, type Tensor } from "@ocelli/core";
import {
  type Context,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  GlobalAvgPool,
  Identity,
  kaimingUniform,
  type Layer,
  MaxPool2d,
  Module,
  normal,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { imagenet, type ModelOptions, type ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";
import { squeezenetRecipe } from "../recipes.js";
import { torchvisionWeights } from "../torchvision.js";

const conv = (into: number, out: number, options: Conv2dOptions): Conv2d =>
  initialised(new Conv2d(into, out, options), kaimingUniform());

/** What is added to a fire module's output: nothing, the input, or the input through a 1x1 convolution. */
export type Bypass = "none" | "simple" | "complex";

export interface FireOptions {
  /** Maps of the 1x1 squeeze layer: s1x1. */
  readonly squeeze: number;
  /** Maps of the 1x1 half of the expand layer: e1x1. */
  readonly expand1x1: number;
  /** Maps of the 3x3 half: e3x3. */
  readonly expand3x3: number;
  /** Default "none". */
  readonly bypass?: Bypass;
}

/**
 * Few maps by 1x1, then many by 1x1 and 3x3 side by side: `[N, C, H, W]` -> `[N, e1x1 + e3x3, H, W]` (figure 1).
 * @throws ArgumentError for a simple bypass between different numbers of channels
 */
export class Fire extends Module {
  readonly squeeze: Conv2d;
  readonly expand1x1: Conv2d;
  readonly expand3x3: Conv2d;
  readonly bypass: Conv2d | Identity | null;

  constructor(inChannels: number, { squeeze, expand1x1, expand3x3, bypass = "none" }: FireOptions) {
    super();
    const outChannels = expand1x1 + expand3x3;
    if (bypass === "simple" && inChannels !== outChannels) {
      throw new ArgumentError(
        `Fire: a simple bypass adds ${inChannels} input channels to ${outChannels} output channels; they need to be as many. A complex one takes any.`,
        { inChannels, outChannels },
      );
    }
    this.squeeze = conv(inChannels, squeeze, { kernelSize: 1 });
    this.expand1x1 = conv(squeeze, expand1x1, { kernelSize: 1 });
    this.expand3x3 = conv(squeeze, expand3x3, { kernelSize: 3, padding: 1 });
    const complex = (): Conv2d => conv(inChannels, outChannels, { kernelSize: 1 });
    this.bypass = { none: () => null, simple: () => new Identity(), complex }[bypass]();
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const squeezed = ctx.chain(x, this.squeeze, relu);
    const y = concat([ctx.chain(squeezed, this.expand1x1, relu), ctx.chain(squeezed, this.expand3x3, relu)], 1);
    return this.bypass === null ? y : add(y, ctx.call(this.bypass, x));
  }
}

/** Maps of fire2 to fire9: squeeze, and each half of expand (table 1). */
const fires: readonly (readonly [squeeze: number, expand: number])[] = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
];

/** Maps and kernel of conv1, and the fire modules that a pooling follows. Version 1.1 pools earlier: 2.4 times fewer multiply-adds. */
const versions = {
  "1.0": { conv1: 96, kernelSize: 7, pooled: [4, 8] },
  "1.1": { conv1: 64, kernelSize: 3, pooled: [3, 5] },
} as const;

const pool = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });

export interface SqueezeNetOptions extends ModelOptions {
  /**
   * Figure 2: "simple" bypasses around fire3, 5, 7 and 9, whose inputs and outputs have as many channels; "complex" ones around the other
   * four besides. State names stay those of the network without.
   */
  readonly bypass?: Bypass;
}

function bypassOf(fire: number, bypass: Bypass): Bypass {
  const keepsChannels = fire % 2 === 1;
  if (bypass === "none" || (bypass === "simple" && !keepsChannels)) return "none";
  return keepsChannels ? "simple" : "complex";
}

/**
 * `[N, 3, H, W]` -> `[N, 1000]`, 1,248,424 parameters (1.0) or 1,235,496 (1.1). State and behaviour are torchvision's. The paper's table
 * of map sizes (111, 55, 27, 13) is that of an input of 227; 224 gives 109, 54, 27 and 13. The logits are means of maps behind a ReLU.
 * A complex bypass has 1x1 convolutions with bias and no ReLU of its own, where the paper says no more than "1x1 convolution"; they come
 * to 1,589,672 parameters, 6.4 MB, where its table 3 prints 7.7 MB.
 */
export class SqueezeNet extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(version: keyof typeof versions, options: SqueezeNetOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, bypass = "none" } = options;
    const { conv1, kernelSize, pooled } = versions[version];
    const layers: Layer[] = [conv(inChannels, conv1, { kernelSize, stride: 2 }), new ReLU(), pool()];
    let channels: number = conv1;
    for (const [i, [squeeze, expand]] of fires.entries()) {
      const number = i + 2;
      const own = bypassOf(number, bypass);
      layers.push(new Fire(channels, { squeeze, expand1x1: expand, expand3x3: expand, bypass: own }));
      if (pooled.some((after) => after === number)) layers.push(pool());
      channels = 2 * expand;
    }
    this.features = new Sequential(...layers);
    this.classifier = new Sequential(
      new Dropout(),
      initialised(new Conv2d(channels, numClasses, { kernelSize: 1 }), normal(0, 0.01)),
      new ReLU(),
      new GlobalAvgPool(),
    );
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.classifier);
  }
}

const common = {
  citation:
    "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, arXiv:1602.07360, 2016",
  input: [3, 224, 224],
  numClasses: 1000,
  head: "classifier.1",
  preprocessing: imagenet,
  recipe: squeezenetRecipe,
} as const;

const published = (top1: number, top5: number) =>
  [
    {
      dataset: "imagenet",
      top1,
      top5,
      protocol: "validation, single crop",
      source: "Iandola et al. 2016, table 3",
    },
  ] as const;

/** The table's part of this paper. */
export const squeezenetModels = {
  squeezenet1_0: {
    ...common,
    summary: "SqueezeNet as published: eight fire modules",
    build: (options?: ModelOptions) => new SqueezeNet("1.0", options),
    published: published(42.5, 19.7),
    weights: [torchvisionWeights({ file: "squeezenet1_0-b66bff10", accuracy: [58.092, 80.42] })],
  },
  squeezenet1_0_simple_bypass: {
    ...common,
    summary: "SqueezeNet with simple bypass around every other fire module",
    build: (options?: ModelOptions) => new SqueezeNet("1.0", { ...options, bypass: "simple" }),
    published: published(39.6, 17.5),
  },
  squeezenet1_0_complex_bypass: {
    ...common,
    summary: "SqueezeNet with simple and complex bypass around all fire modules",
    build: (options?: ModelOptions) => new SqueezeNet("1.0", { ...options, bypass: "complex" }),
    published: published(41.2, 18.0),
  },
  squeezenet1_1: {
    ...common,
    summary: "SqueezeNet 1.1: a smaller first layer and earlier pooling, 2.4 times fewer multiply-adds",
    build: (options?: ModelOptions) => new SqueezeNet("1.1", options),
    weights: [torchvisionWeights({ file: "squeezenet1_1-b8a52dc0", accuracy: [58.178, 80.624] })],
  },
} as const satisfies ModelTable;
