/**
 * What a convolutional network has to beat: classifiers of the pixels as a vector. LeCun, Bottou, Bengio, Haffner: "Gradient-Based
 * Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998, compares both with LeNet-5 (section III.C).
 */
import { relu, type Tensor } from "@ocelli/core";
import { type Context, Flatten, kaimingNormal, Linear, Module, zeros } from "@ocelli/layers";
import { type ModelOptions, type ModelTable, sizeOfInput } from "../entry.js";
import { initialised } from "../initialise.js";
import { linearRecipe, mlpRecipe } from "../recipes.js";

const pixelsOf = ({ inChannels = 1, inputSize }: ModelOptions): number => {
  const [height, width] = sizeOfInput(inputSize, 28);
  return inChannels * height * width;
};

/** Softmax regression: one weight for each pixel and class. `[N, C, H, W]` -> `[N, classes]`. It starts from 0: its loss is convex. */
export class LinearClassifier extends Module {
  readonly flatten = new Flatten();
  readonly output: Linear;

  constructor({ numClasses = 10, ...image }: ModelOptions = {}) {
    super();
    this.output = initialised(new Linear(pixelsOf(image), numClasses), zeros);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.flatten, this.output);
  }
}

/** Fully connected layers of the given sizes, with ReLU (the paper's have the scaled tanh). `[N, C, H, W]` -> `[N, classes]`. */
export class Mlp extends Module {
  readonly flatten = new Flatten();
  readonly hidden: readonly Linear[];
  readonly output: Linear;

  constructor(hidden: readonly number[], { numClasses = 10, ...image }: ModelOptions = {}) {
    super();
    const sizes = [pixelsOf(image), ...hidden];
    this.hidden = hidden.map((units, i) => initialised(new Linear(sizes[i] as number, units), kaimingNormal()));
    this.output = initialised(new Linear(sizes.at(-1) as number, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const features = this.hidden.reduce((y, layer) => ctx.chain(y, layer, relu), ctx.call(this.flatten, x));
    return ctx.call(this.output, features);
  }
}

const lecun1998 =
  "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998";

/** The table's part of the baselines. */
export const baselineModels = {
  linear: {
    summary: "Softmax regression: one linear layer on the pixels",
    citation: lecun1998,
    input: [1, 28, 28],
    numClasses: 10,
    head: "output",
    build: (options?: ModelOptions) => new LinearClassifier(options),
    preprocessing: {},
    recipe: linearRecipe,
  },
  mlp: {
    summary: "Multi-layer perceptron, 28x28-300-100-10",
    citation: lecun1998,
    input: [1, 28, 28],
    numClasses: 10,
    head: "output",
    build: (options?: ModelOptions) => new Mlp([300, 100], options),
    preprocessing: {},
    recipe: mlpRecipe,
    published: [
      {
        dataset: "mnist",
        top1: 3.05,
        protocol: "test; with tanh units, without distortions",
        source: "LeCun et al. 1998, figure 9",
      },
    ],
  },
} as const satisfies ModelTable;
