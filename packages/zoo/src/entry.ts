import { type Pair, pair, type Tensor } from "@ocelli/core";
import type { Module } from "@ocelli/layers";

export interface ModelOptions {
  readonly numClasses?: number;
  readonly inChannels?: number;
  /** Height and width of the images, one number for a square. Networks whose classifier reads a whole map are built for it. */
  readonly inputSize?: number | readonly [height: number, width: number];
}

/** What a network with auxiliary classifiers returns in training; in evaluation it returns the logits alone. */
export interface AuxiliaryOutput {
  readonly logits: Tensor;
  /** The auxiliary classifier's logits; `aux1` and `aux2` (nearer to the end) where there are two. */
  readonly aux?: Tensor;
  readonly aux1?: Tensor;
  readonly aux2?: Tensor;
}

export type ModelOutput = Tensor | AuxiliaryOutput;

/** Loss of each sample `[N]` from logits `[N, classes]` and labels, int32 `[N]` or soft, float `[N, classes]`. */
export type PerSampleLoss = (logits: Tensor, labels: Tensor) => Tensor;

/** Any model of the zoo. */
export type ZooModel = Module<Tensor, ModelOutput>;

/** What JSON can hold. */
export type RecipeValue =
  | number
  | boolean
  | string
  | null
  | readonly RecipeValue[]
  | { readonly [name: string]: RecipeValue };

/** A part of a training as data: its name in one of `@ocelli/training`'s tables, and its options there. */
export interface RecipePart<Name extends string = string> {
  readonly name: Name;
  readonly options: { readonly [name: string]: RecipeValue };
}

export type RecipeOptimizer = "sgd" | "adagrad" | "rmsprop" | "adadelta" | "adam" | "adamw" | "nadam" | "lars";

/** How a paper (or common practice) trains the model, as data. */
export interface Recipe {
  readonly batchSize: number;
  readonly epochs: number;
  /** With its learning rate, for batches of `batchSize`. */
  readonly optimizer: RecipePart<RecipeOptimizer> & { readonly options: { readonly lr: number } };
  /** The learning rate over time; lengths are in epochs. */
  readonly schedule: RecipePart;
  /** Biases and the parameters of normalisation do not decay. */
  readonly noDecay?: boolean;
  /** Name of a preset of augmentation. */
  readonly augment?: string;
  readonly labelSmoothing?: number;
  /** Of gradients. */
  readonly clip?: RecipePart;
  /** Running average of the parameters, which is what is evaluated. */
  readonly average?: RecipePart;
  /** How the models of the paper begin; the zoo's do. */
  readonly initialisation?: string;
  /** Where the models of the paper have dropout; the zoo's do. */
  readonly dropout?: string;
  /** "He et al. 2016, section 3.4". */
  readonly source: string;
  /** What these numbers leave out or stand for. */
  readonly note?: string;
}

/** What the pixels are before the first layer. Without mean and std: normalised by the training set's. */
export interface Preprocessing {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Black pixels added on every side. */
  readonly pad?: number;
  /** The shorter side is resized to this, and the middle cut out at the model's input size. Left out: resized to it. */
  readonly resize?: number;
}

/** An error rate in percent, as its source prints it. */
export interface PublishedError {
  readonly dataset: "imagenet" | "cifar10" | "cifar100" | "svhn" | "mnist";
  readonly top1?: number;
  readonly top5?: number;
  /** How it was measured: "validation, single crop 224", "test, mean of 5 runs". */
  readonly protocol: string;
  /** Where it is printed: "He et al. 2016, table 4". */
  readonly source: string;
}

/** A file of trained values. */
export interface WeightsEntry {
  /** Unique within the model: "imagenet1k_v1". */
  readonly name: string;
  readonly url: string;
  /** SHA-256 of the file in hex: all of it, or its beginning where the publisher prints no more. */
  readonly sha256: string;
  readonly bytes?: number;
  /** What the file was trained for, where it differs from the model's defaults. */
  readonly options?: ModelOptions;
  readonly preprocessing: Preprocessing;
  /** Names of the classes in order. */
  readonly classes: "imagenet" | "cifar10" | "digits";
  readonly licence: string;
  /** As the publisher prints it. */
  readonly published: PublishedError;
}

export interface ModelEntry {
  /** One line. */
  readonly summary: string;
  readonly citation: string;
  /** What the model takes: channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly numClasses: number;
  readonly build: (options?: ModelOptions) => ZooModel;
  /** Path of the layer that makes the logits: "fc", "classifier.6". */
  readonly head: string;
  /**
   * The model's own loss of each sample, from its output and the labels. Left out: cross-entropy. Given `base`, that loss of each of its
   * classifiers instead. A method, so that it may take its model's own output.
   */
  lossPerSample?(output: ModelOutput, labels: Tensor, base?: PerSampleLoss): Tensor;
  /** What {@link lossPerSample} is called where it is not the classifiers' cross-entropy: smoothed labels or class weights are not part of it. */
  readonly ownLoss?: string;
  readonly preprocessing: Preprocessing;
  readonly recipe: Recipe;
  /** The name in the model of an entry of published files, where those were written with other names. Any other name stays as it is. */
  readonly rename?: (name: string) => string;
  readonly published?: readonly PublishedError[];
  readonly weights?: readonly WeightsEntry[];
}

export type ModelTable = Readonly<Record<string, ModelEntry>>;

/** Torchvision's ImageNet preprocessing at 224: shorter side to 256, centre crop, mean and deviation of ImageNet's pixels. */
export const imagenet: Preprocessing = { resize: 256, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** As papers before batch normalisation have them: pixels in 0..255 less ImageNet's mean. */
export const imagenetCentred: Preprocessing = {
  resize: 256,
  mean: [0.485, 0.456, 0.406],
  std: [1 / 255, 1 / 255, 1 / 255],
};

/** Height and width from one number or two. @throws ArgumentError unless they are positive integers */
export function sizeOfInput(inputSize: ModelOptions["inputSize"], otherwise: number | Pair): Pair {
  return pair(inputSize ?? otherwise, "inputSize", "model");
}
