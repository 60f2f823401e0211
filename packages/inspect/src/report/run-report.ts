/** What a report shows, as plain data. Only `title` and `history` are needed: a section without data is left out. */
export interface RunReport {
  /** The page's heading: "resnet20_cifar on cifar10". */
  readonly title: string;
  /** Where the run stands, in a sentence. */
  readonly status?: string | undefined;
  /** Numbers for the top of the page, as they are to be read, beside those that follow from the rest: ["parameters", "272 K"]. */
  readonly figures?: readonly Fact[] | undefined;
  /** What was trained, on what, where: ["device", "onnx-cpu, 2 threads"]. */
  readonly facts?: readonly Fact[] | undefined;
  /** The recipe's parts: ["optimizer", { name: "sgd", options: { lr: 0.1 } }]. */
  readonly parts?: readonly (readonly [title: string, part: Part])[] | undefined;
  /** Finished epochs, in order. */
  readonly history: readonly EpochRecord[];
  /** Steps, in order: all, or some of them. */
  readonly steps?: readonly StepRecord[] | undefined;
  /** What was measured of gradients and activations, in order. */
  readonly statistics?: readonly StatisticsRecord[] | undefined;
  readonly evaluation?: EvaluationRecord | undefined;
  /** A convolution's weight, `[filters, channels, height, width]`. */
  readonly filters?: NamedValues | undefined;
  /** Of each layer: drawn as histograms. */
  readonly weights?: readonly NamedValues[] | undefined;
}

export type Fact = readonly [name: string, value: string];

/** A part of a training as data: its name, and what it was made with. Options may hold further parts. */
export interface Part {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Score {
  /** NaN where it is not known. */
  readonly loss: number;
  /** Share, 0 to 1; NaN where it is not known. */
  readonly accuracy: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly lr: number;
  readonly train: Score;
  readonly validation?: Score | undefined;
  readonly test?: Score | undefined;
  readonly imagesPerSecond?: number | undefined;
  /** Share of the time in which the step waited for data, 0 to 1. */
  readonly waiting?: number | undefined;
}

export interface StepRecord {
  /** Epochs behind the step, with the share of its own: 2.5 is the middle of the third. */
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** L2 norm of all gradients together. */
  readonly gradientNorm?: number | undefined;
}

export interface StatisticsRecord {
  /** As in {@link StepRecord}. */
  readonly epoch: number;
  readonly parameters: readonly ParameterStatistics[];
  readonly activations: readonly ActivationStatistics[];
}

export interface ParameterStatistics {
  readonly name: string;
  /** L2 norm of the gradient. */
  readonly gradient: number;
  /** L2 norm of the parameter. */
  readonly norm: number;
  /** L2 norm of the update, divided by `norm`. */
  readonly update: number;
}

export interface ActivationStatistics {
  /** The module whose output it is. */
  readonly path: string;
  readonly mean: number;
  readonly std: number;
  /** Share of zeros, 0 to 1. */
  readonly zeros: number;
}

export interface EvaluationRecord {
  /** What was tested on, and with which values: "cifar10 test, best checkpoint". */
  readonly name: string;
  /** Number of images. */
  readonly count: number;
  readonly loss: number;
  /** Shares, 0 to 1. */
  readonly top1: number;
  readonly top5?: number | undefined;
  /** Names, in the order of the labels. */
  readonly classes: readonly string[];
  /** Images by true and predicted class, row-major `[classes, classes]`. */
  readonly confusion: ArrayLike<number>;
  /** Of each class. */
  readonly perClass: readonly ClassRecord[];
  /** The worst first. */
  readonly mistakes?: readonly Mistake[] | undefined;
}

export interface ClassRecord {
  /** Shares, 0 to 1; NaN where there is nothing to divide by. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Images of the class. */
  readonly support: number;
}

export interface Mistake {
  /** uint8 planes `[C, H, W]` of one or three channels. */
  readonly pixels: Uint8Array;
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Position among the images. */
  readonly index: number;
  readonly label: number;
  readonly loss: number;
  /** Of the true class. */
  readonly probability: number;
  /** The likeliest classes, the first one first. */
  readonly predicted: readonly { readonly label: number; readonly probability: number }[];
}

export interface NamedValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Interleaved pixels: grey, RGB or RGBA. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

export interface ReportOptions {
  /** Makes a PNG file of a picture. It may make large ones smaller: they are shown no wider than some 130 pixels. */
  readonly encodePng: (picture: Picture) => Promise<Uint8Array>;
}
