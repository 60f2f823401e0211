import type { Tensor } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import { LeNet5, LeNet5Modern, lenet5LossPerSample } from "./lenet.js";
import { CifarResNet } from "./resnet-cifar.js";

export interface ModelOptions {
  readonly numClasses?: number;
  readonly inChannels?: number;
}

/** How a paper (or common practice) trains the model, as data. */
export interface Recipe {
  readonly batchSize: number;
  readonly epochs: number;
  readonly optimizer: "sgd" | "adam";
  readonly lr: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** Epochs after which the learning rate is multiplied by `gamma`. */
  readonly milestones?: readonly number[];
  readonly gamma?: number;
}

/** What the pixels are before the first layer. Left out: normalised by the training set's mean and standard deviation. */
export interface Preprocessing {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Black pixels added on every side. */
  readonly pad?: number;
}

export interface ModelEntry {
  /** One line. */
  readonly summary: string;
  readonly citation: string;
  /** What the model takes: channels, height, width. */
  readonly input: readonly [number, number, number];
  readonly numClasses: number;
  readonly build: (options?: ModelOptions) => Module;
  /** The model's own loss of each sample, from its output and the labels. Left out: cross-entropy. */
  readonly lossPerSample?: (output: Tensor, labels: Tensor) => Tensor;
  readonly preprocessing: Preprocessing;
  readonly recipe: Recipe;
}

const lecun1998 =
  "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998";
const he2016 = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016";

/** Every model, by name. A literal table: listing it builds nothing. */
export const models = {
  lenet5: {
    summary: "LeNet-5 as published: connection table, trainable subsampling, scaled tanh, RBF output",
    citation: lecun1998,
    input: [1, 32, 32],
    numClasses: 10,
    build: (options?: ModelOptions) => new LeNet5(options),
    lossPerSample: lenet5LossPerSample,
    // The paper's input: background -0.1, ink 1.175, so that mean and variance are about 0 and 1; 28x28 digits centred in 32x32.
    preprocessing: { mean: [0.1 / 1.275], std: [1 / 1.275], pad: 2 },
    // The paper trains one sample at a time with a diagonal second-order method; this is plain momentum instead.
    recipe: { batchSize: 32, epochs: 5, optimizer: "sgd", lr: 0.002, momentum: 0.9, milestones: [3, 4], gamma: 0.3 },
  },
  lenet5_modern: {
    summary: "LeNet-5 as it is built today: ReLU, max pooling, softmax",
    citation: lecun1998,
    input: [1, 28, 28],
    numClasses: 10,
    build: (options?: ModelOptions) => new LeNet5Modern(options),
    preprocessing: {},
    recipe: {
      batchSize: 64,
      epochs: 5,
      optimizer: "sgd",
      lr: 0.02,
      momentum: 0.9,
      weightDecay: 5e-4,
      milestones: [3, 4],
      gamma: 0.2,
    },
  },
  resnet20_cifar: {
    summary: "ResNet-20 for 32x32 images, shortcut option A",
    citation: he2016,
    input: [3, 32, 32],
    numClasses: 10,
    build: (options?: ModelOptions) => new CifarResNet(3, options),
    preprocessing: {},
    recipe: {
      batchSize: 128,
      epochs: 164,
      optimizer: "sgd",
      lr: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
      milestones: [82, 123],
      gamma: 0.1,
    },
  },
} as const satisfies Readonly<Record<string, ModelEntry>>;

export type ModelName = keyof typeof models;
