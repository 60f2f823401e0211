/** What the Inception networks from batch normalisation on are built of. */
import { type Pair, relu, type Tensor } from "@ocelli/core";
import {
  AvgPool2d,
  BatchNorm2d,
  type Context,
  Conv2d,
  type Conv2dOptions,
  type Initializer,
  kaimingNormal,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import { initialised } from "../initialise.js";

export interface BasicConv2dOptions extends Omit<Conv2dOptions, "bias"> {
  /** Default He's: these papers name none, and the authors' own code of the later ones uses it. */
  readonly init?: Initializer;
}

/** Convolution without bias, batch-norm (eps 0.001), ReLU: `[N, C, H, W]` -> `[N, O, H', W']`. */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inChannels: number, outChannels: number, { init = kaimingNormal(), ...options }: BasicConv2dOptions) {
    super();
    this.conv = initialised(new Conv2d(inChannels, outChannels, { ...options, bias: false }), init);
    this.bn = new BatchNorm2d(outChannels, { eps: 0.001 });
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.conv, this.bn, relu);
  }
}

/** Padding that keeps the size at stride 1, for odd kernels. */
export const half = (kernelSize: number | Pair): Pair => {
  const [height, width] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
  return [(height - 1) / 2, (width - 1) / 2];
};

/** One convolution as the papers' figures write it: filters, kernel, and what is not stride 1 with the size kept. */
export type Step = readonly [
  filters: number,
  kernelSize: number | Pair,
  options?: { readonly stride?: number; readonly padding?: number },
];

/** Marked "V" in the figures: no padding. */
export const valid = { padding: 0 } as const;
/** Marked "stride 2, V". */
export const halving = { stride: 2, padding: 0 } as const;

/** {@link BasicConv2d}s one after the other. */
export function convs(inChannels: number, ...steps: readonly Step[]): Sequential {
  const layers = steps.map(([filters, kernelSize, options], i) => {
    const before = steps[i - 1]?.[0] ?? inChannels;
    return new BasicConv2d(before, filters, { kernelSize, padding: half(kernelSize), ...options });
  });
  return new Sequential(...layers);
}

/** 3x3 mean that keeps the size; the border is averaged over what there is, as in the authors' framework. */
export const avgPool3x3 = (): AvgPool2d =>
  new AvgPool2d({ kernelSize: 3, stride: 1, padding: 1, countIncludePad: false });

/** 3x3 maximum, stride 2, without padding. */
export const maxPoolHalving = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2 });

/** So many modules of one kind. */
export const repeat = (count: number, module: () => Module): Sequential =>
  new Sequential(...Array.from({ length: count }, module));
