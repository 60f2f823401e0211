import type { Shape } from "@ocelli/core";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Concat,
  Conv2d,
  Dropout,
  ELU,
  Flatten,
  GELU,
  GlobalAvgPool,
  LeakyReLU,
  Linear,
  LocalResponseNorm,
  MaxPool2d,
  type Module,
  ReLU,
  Residual,
  Sequential,
  Sigmoid,
  SiLU,
  Tanh,
} from "@ocelli/layers";
import { construct, list, literal, type Written } from "./written.js";

/** A number of a layer: what the editor shows. */
export interface LayerField {
  readonly name: string;
  readonly label: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Default 1: whole numbers. */
  readonly step?: number;
}

type LayerOptions = Readonly<Record<string, number>>;

/** A kind of layer that a chain may have. `options` are complete: see `layerOptions`. */
export interface LayerKind {
  readonly of: string;
  readonly title: string;
  /** Kinds of one group stand together. */
  readonly group: string;
  /** What it is for, in a line. */
  readonly about: string;
  /** `maps`: `[C, H, W]` alone. */
  readonly takes: "maps" | "any";
  readonly fields: readonly LayerField[];
  /** `shape`: of what comes in, one image's. Names in its text are of @ocelli/layers. */
  make(options: LayerOptions, shape: Shape): Written<Module>;
}

type About = Omit<LayerKind, "fields" | "takes"> & Partial<Pick<LayerKind, "fields" | "takes">>;

const kind = ({ fields = [], takes = "any", ...rest }: About): LayerKind => ({ ...rest, fields, takes });

const number = (name: string, label: string, value: number, [min, max, step = 1]: readonly number[]): LayerField => ({
  name,
  label,
  default: value,
  min: min as number,
  max: max as number,
  step,
});

const channels = (value: number): LayerField => number("channels", "Channels", value, [1, 1024]);
const stride = number("stride", "Stride", 1, [1, 4]);
const channelsOf = (shape: Shape): number => shape[0] as number;

interface ConvolutionOptions {
  readonly kernelSize: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly bias?: false;
}

const conv = (from: number, to: number, options: ConvolutionOptions): Written<Module> =>
  construct({ Conv2d }, literal(from), literal(to), literal(options));

/** Convolution without bias, and batch-norm, which has one. */
const normalised = (from: number, to: number, options: ConvolutionOptions): readonly Written<Module>[] => [
  conv(from, to, { ...options, bias: false }),
  construct({ BatchNorm2d }, literal(to)),
];

const relu = (): Written<Module> => construct({ ReLU });
const sequence = (...layers: readonly Written<Module>[]): Written<Module> => construct({ Sequential }, ...layers);

/** `relu(body(x) + shortcut(x))`: He et al. 2015. Where the shape changes, the shortcut is a 1×1 convolution. */
function residual(from: number, to: number, step: number, body: readonly Written<Module>[]): Written<Module> {
  const shortcut =
    from === to && step === 1 ? [] : [sequence(...normalised(from, to, { kernelSize: 1, stride: step }))];
  return sequence(construct({ Residual }, sequence(...body), ...shortcut), relu());
}

const layers = "Layers";
const activations = "Activations";
const normalisation = "Normalisation and regularisation";
const pooling = "Pooling";
const blocks = "Blocks";

export const layerKinds: readonly LayerKind[] = [
  kind({
    of: "conv",
    title: "Convolution",
    group: layers,
    about: "Slides small windows of weights over the maps.",
    takes: "maps",
    fields: [channels(16), number("kernelSize", "Kernel", 3, [1, 11]), stride, number("padding", "Padding", 1, [0, 5])],
    make: ({ channels: to = 16, kernelSize = 3, stride: step = 1, padding = 1 }, shape) =>
      conv(channelsOf(shape), to, { kernelSize, stride: step, padding }),
  }),
  kind({
    of: "linear",
    title: "Fully connected",
    group: layers,
    about: "Each output is a weighted sum of all inputs. Maps are flattened first.",
    fields: [number("features", "Features", 64, [1, 8192])],
    make: ({ features = 64 }, shape) => {
      const from = shape.reduce((a, b) => a * b, 1);
      const layer = construct({ Linear }, literal(from), literal(features));
      return shape.length === 1 ? layer : sequence(construct({ Flatten }), layer);
    },
  }),
  kind({
    of: "flatten",
    title: "Flatten",
    group: layers,
    about: "Maps become one row of numbers.",
    make: () => construct({ Flatten }),
  }),
  ...(
    [
      ["relu", "ReLU", { ReLU }, "Negative values become 0."],
      ["leaky-relu", "Leaky ReLU", { LeakyReLU }, "Negative values become a hundredth."],
      ["elu", "ELU", { ELU }, "Negative values approach -1 smoothly."],
      ["gelu", "GELU", { GELU }, "A smooth ReLU: x times the normal distribution function."],
      ["silu", "SiLU", { SiLU }, "A smooth ReLU: x times its sigmoid; also called swish."],
      ["sigmoid", "Sigmoid", { Sigmoid }, "Squeezes values into 0 to 1."],
      ["tanh", "Tanh", { Tanh }, "Squeezes values into -1 to 1."],
    ] as const
  ).map(([of, title, named, about]) =>
    kind({ of, title, group: activations, about, make: () => construct<Module>({ ...named }) }),
  ),
  kind({
    of: "batch-norm",
    title: "Batch normalisation",
    group: normalisation,
    about: "Each channel is brought to mean 0 and deviation 1 over the batch.",
    make: (_, shape) =>
      shape.length === 3
        ? construct({ BatchNorm2d }, literal(channelsOf(shape)))
        : construct({ BatchNorm1d }, literal(channelsOf(shape))),
  }),
  kind({
    of: "lrn",
    title: "Local response normalisation",
    group: normalisation,
    about: "Divides by what neighbouring channels show at the same place: AlexNet's.",
    takes: "maps",
    fields: [number("size", "Channels", 5, [1, 31])],
    make: ({ size = 5 }) => construct({ LocalResponseNorm }, literal(size)),
  }),
  kind({
    of: "dropout",
    title: "Dropout",
    group: normalisation,
    about: "In training, sets so many values to 0 by chance.",
    fields: [number("p", "Share", 0.5, [0, 0.95, 0.05])],
    make: ({ p = 0.5 }) => construct({ Dropout }, literal(p)),
  }),
  kind({
    of: "max-pool",
    title: "Max pooling",
    group: pooling,
    about: "The largest value of each window.",
    takes: "maps",
    fields: [number("kernelSize", "Kernel", 2, [2, 5]), number("stride", "Stride", 2, [1, 4])],
    make: ({ kernelSize = 2, stride: step = 2 }) => construct({ MaxPool2d }, literal({ kernelSize, stride: step })),
  }),
  kind({
    of: "avg-pool",
    title: "Average pooling",
    group: pooling,
    about: "The mean of each window.",
    takes: "maps",
    fields: [number("kernelSize", "Kernel", 2, [2, 8]), number("stride", "Stride", 2, [1, 8])],
    make: ({ kernelSize = 2, stride: step = 2 }) => construct({ AvgPool2d }, literal({ kernelSize, stride: step })),
  }),
  kind({
    of: "global-pool",
    title: "Global average pooling",
    group: pooling,
    about: "The mean of each map: one number a channel.",
    takes: "maps",
    make: () => construct({ GlobalAvgPool }),
  }),
  kind({
    of: "residual",
    title: "Residual block",
    group: blocks,
    about: "Two 3×3 convolutions with batch-norm, and a shortcut around them: ResNet's.",
    takes: "maps",
    fields: [channels(32), stride],
    make: ({ channels: to = 32, stride: step = 1 }, shape) => {
      const from = channelsOf(shape);
      return residual(from, to, step, [
        ...normalised(from, to, { kernelSize: 3, stride: step, padding: 1 }),
        relu(),
        ...normalised(to, to, { kernelSize: 3, padding: 1 }),
      ]);
    },
  }),
  kind({
    of: "bottleneck",
    title: "Bottleneck block",
    group: blocks,
    about: "1×1 to fewer channels, 3×3, 1×1 to four times as many, and a shortcut: ResNet-50's.",
    takes: "maps",
    fields: [number("planes", "Inner channels", 16, [1, 512]), stride],
    make: ({ planes = 16, stride: step = 1 }, shape) => {
      const from = channelsOf(shape);
      return residual(from, 4 * planes, step, [
        ...normalised(from, planes, { kernelSize: 1 }),
        relu(),
        ...normalised(planes, planes, { kernelSize: 3, stride: step, padding: 1 }),
        relu(),
        ...normalised(planes, 4 * planes, { kernelSize: 1 }),
      ]);
    },
  }),
  kind({
    of: "inception",
    title: "Inception block",
    group: blocks,
    about: "1×1, 3×3 and 5×5 convolutions side by side, the larger ones behind a 1×1 that reduces channels.",
    takes: "maps",
    fields: [
      number("ones", "1×1 channels", 16, [1, 512]),
      number("threes", "3×3 channels", 24, [1, 512]),
      number("fives", "5×5 channels", 8, [1, 512]),
      number("reduce", "Reduced to", 8, [1, 512]),
    ],
    make: ({ ones = 16, threes = 24, fives = 8, reduce = 8 }, shape) => {
      const from = channelsOf(shape);
      const branch = (kernelSize: number, to: number): Written<Module> =>
        sequence(
          conv(from, reduce, { kernelSize: 1 }),
          relu(),
          conv(reduce, to, { kernelSize, padding: (kernelSize - 1) / 2 }),
          relu(),
        );
      return construct(
        { Concat },
        list([sequence(conv(from, ones, { kernelSize: 1 }), relu()), branch(3, threes), branch(5, fives)]),
      );
    },
  }),
];
