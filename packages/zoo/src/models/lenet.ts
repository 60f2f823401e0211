/**
 * LeCun, Bottou, Bengio, Haffner: "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998, and the network
 * before it: LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel: "Handwritten Digit Recognition with a Back-Propagation Network",
 * NIPS 2, 1990, which the former calls LeNet-1.
 */
import {
  ArgumentError,
  add,
  avgPool2d,
  classTargets,
  concat,
  constant,
  conv2d,
  full,
  gather,
  hostTensor,
  mul,
  neg,
  rbfLossPerSample,
  reshape,
  sizeOf,
  sub,
  sum,
  type Tensor,
  tanh,
} from "@ocelli/core";
import {
  Buffer,
  type Context,
  Conv2d,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  Parameter,
  ReLU,
  Sequential,
  uniform,
  zeros,
} from "@ocelli/layers";
import { ownLoss } from "../auxiliary.js";
import { type ModelOptions, type ModelTable, sizeOfInput } from "../entry.js";
import { initialised } from "../initialise.js";
import { mapSize } from "../map-size.js";
import { lenet1Recipe, lenet5Recipe, lenetRecipe } from "../recipes.js";
import { digitBitmaps } from "./lenet-bitmaps.js";

/** Units of layer S2 that each unit of C3 reads (Table I): 60 connections. */
const connections: readonly (readonly number[])[] = [
  [0, 1, 2],
  [1, 2, 3],
  [2, 3, 4],
  [3, 4, 5],
  [0, 4, 5],
  [0, 1, 5],
  [0, 1, 2, 3],
  [1, 2, 3, 4],
  [2, 3, 4, 5],
  [0, 3, 4, 5],
  [0, 1, 4, 5],
  [0, 1, 2, 5],
  [0, 1, 3, 4],
  [1, 2, 4, 5],
  [0, 2, 3, 5],
  [0, 1, 2, 3, 4, 5],
];

/** The squashing function of appendix A: 1.7159 tanh(2/3 x), which maps +-1 to +-1. */
const squash = (x: Tensor): Tensor => mul(1.7159, tanh(mul(2 / 3, x)));

/** Keeps the number of images: maps of another size are then the next layer's error, not more images. */
const flat = (x: Tensor): Tensor => reshape(x, [x.shape[0] as number, sizeOf(x.shape.slice(1))]);

/** Initial weights are uniform in +-2.4 / fan-in (section II.B of appendix A). */
const fanIn = (count: number) => uniform(-2.4 / count, 2.4 / count);

/** Adds the four pixels of each 2x2 block, times a trainable coefficient, plus a bias; one of each a map. */
export class Subsampling extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number) {
    super();
    this.weight = new Parameter([channels], fanIn(4));
    this.bias = new Parameter([channels], zeros);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const spread = (vector: Tensor): Tensor => reshape(vector, [1, vector.shape[0] as number, 1, 1]);
    const sums = mul(avgPool2d(x, { kernelSize: 2 }), 4);
    return add(mul(sums, spread(ctx.get(this.weight))), spread(ctx.get(this.bias)));
  }
}

/** C3: 5x5 kernels for the 60 pairs of Table I alone, so that what is not connected is no parameter. */
export class TableConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #positions: Int32Array;

  constructor(table: readonly (readonly number[])[], inChannels: number, kernelSize: number) {
    super();
    const count = table.reduce((total, inputs) => total + inputs.length, 0);
    this.weight = new Parameter([count, kernelSize, kernelSize], fanIn((count / table.length) * kernelSize ** 2));
    this.bias = new Parameter([table.length], zeros);
    // For each (output, input), which kernel it has; `count` stands for the empty one.
    this.#positions = new Int32Array(table.length * inChannels).fill(count);
    let next = 0;
    for (const [out, inputs] of table.entries())
      for (const channel of inputs) this.#positions[out * inChannels + channel] = next++;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const kernels = ctx.get(this.weight);
    const [, kh, kw] = kernels.shape as readonly [number, number, number];
    const withEmpty = concat([kernels, full([1, kh, kw], 0)], 0);
    const bias = ctx.get(this.bias);
    const outputs = bias.shape[0] as number;
    const dense = reshape(gather(withEmpty, constant(hostTensor(this.#positions))), [outputs, -1, kh, kw]);
    return add(conv2d(x, dense), reshape(bias, [1, outputs, 1, 1]));
  }
}

/** The output layer: minus the squared distance to each class's fixed 7x12 bitmap. The paper's penalties are these, negated. */
export class RbfOutput extends Module {
  readonly prototypes: Buffer;

  constructor(bitmaps: readonly (readonly number[])[]) {
    super();
    const values = Float32Array.from(bitmaps.flat());
    this.prototypes = new Buffer([bitmaps.length, bitmaps[0]?.length ?? 0], { init: () => values.slice() });
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const prototypes = ctx.get(this.prototypes);
    const [classes, size] = prototypes.shape as readonly [number, number];
    const difference = sub(reshape(x, [x.shape[0] as number, 1, size]), reshape(prototypes, [1, classes, size]));
    return neg(sum(mul(difference, difference), { axes: 2 }));
  }
}

/** Units of layer H2 that each unit of H3 reads (table 1 of 1990): 20 connections, in two halves that do not meet. */
const connections1990: readonly (readonly number[])[] = [
  [0],
  [0, 1],
  [0, 1],
  [1],
  [0, 1],
  [0, 1],
  [2],
  [2, 3],
  [2, 3],
  [3],
  [2, 3],
  [2, 3],
];

/**
 * LeNet-1 as published in 1990: `[N, 1, 28, 28]` -> `[N, 10]`, 2,578 trainable parameters; maps of 24, 12, 8 and 4 pixels. Its 20
 * connections and a coefficient and a bias for each averaged map make exactly the paper's count; the 3,246 often quoted are those of
 * today's version, where H3 reads all maps and averaging has no parameters.
 * @throws ShapeError when an input of `inputSize` leaves no map
 */
export class LeNet1 extends Module {
  readonly h1: Conv2d;
  readonly h2 = new Subsampling(4);
  readonly h3 = new TableConv(connections1990, 4, 5);
  readonly h4 = new Subsampling(12);
  readonly output: Linear;

  constructor({ numClasses = 10, inChannels = 1, inputSize }: ModelOptions = {}) {
    super();
    this.h1 = initialised(new Conv2d(inChannels, 4, { kernelSize: 5 }), fanIn(25 * inChannels));
    const conv = { kernelSize: [5, 5], stride: [1, 1] } as const;
    const halves = { kernelSize: [2, 2], stride: [2, 2] } as const;
    const layers = { h1: conv, h2: halves, h3: conv, h4: halves };
    const [height, width] = mapSize("lenet1", sizeOfInput(inputSize, 28), layers);
    const inputs = 12 * height * width;
    this.output = initialised(new Linear(inputs, numClasses), fanIn(inputs));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const features = ctx.chain(x, this.h1, squash, this.h2, squash, this.h3, squash, this.h4, squash);
    return ctx.chain(flat(features), this.output, squash);
  }
}

/** Half the squared distance to the target, 1 for the right class and -1 for the others: the paper's criterion. */
export function lenet1LossPerSample(output: Tensor, labels: Tensor): Tensor {
  const target = sub(mul(classTargets(output, labels), 2), 1);
  const difference = sub(output, target);
  return mul(0.5, sum(mul(difference, difference), { axes: 1 }));
}

/** LeNet-5 as published: `[N, 1, 32, 32]` -> `[N, 10]`, 60,000 trainable parameters. */
export class LeNet5 extends Module {
  readonly c1 = initialised(new Conv2d(1, 6, { kernelSize: 5 }), fanIn(25));
  readonly s2 = new Subsampling(6);
  readonly c3 = new TableConv(connections, 6, 5);
  readonly s4 = new Subsampling(16);
  readonly c5 = initialised(new Conv2d(16, 120, { kernelSize: 5 }), fanIn(400));
  readonly f6 = initialised(new Linear(120, 84), fanIn(120));
  readonly output: RbfOutput;

  /** @throws ArgumentError for more classes than there are bitmaps, or other than one channel */
  constructor({ numClasses = 10, inChannels = 1 }: ModelOptions = {}) {
    super();
    if (inChannels !== 1 || !(numClasses >= 1 && numClasses <= digitBitmaps.length)) {
      throw new ArgumentError(
        `lenet5: built for ${inChannels} channels and ${numClasses} classes; as published it reads grey images and has bitmaps for ${digitBitmaps.length} digits. lenet5_modern can be built for any number of channels and classes.`,
      );
    }
    this.output = new RbfOutput(digitBitmaps.slice(0, numClasses));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const features = ctx.chain(x, this.c1, squash, this.s2, squash, this.c3, squash, this.s4, squash, this.c5, squash);
    return ctx.chain(flat(features), this.f6, squash, this.output);
  }
}

/** LeNet-5 as it is built today (ReLU, max pooling, softmax): `[N, 1, 28, 28]` -> `[N, classes]`, 61,706 parameters for 10. */
export class LeNet5Modern extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor({ numClasses = 10, inChannels = 1 }: ModelOptions = {}) {
    super();
    this.features = new Sequential(
      new Conv2d(inChannels, 6, { kernelSize: 5, padding: 2 }),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
      new Conv2d(6, 16, { kernelSize: 5 }),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
      new Conv2d(16, 120, { kernelSize: 5 }),
      new ReLU(),
    );
    this.classifier = new Sequential(new Flatten(), new Linear(120, 84), new ReLU(), new Linear(84, numClasses));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.classifier);
  }
}

const lecun1998 =
  "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998";

/** The table's part of these papers. */
export const lenetModels = {
  lenet1: {
    summary: "LeNet-1 as published in 1990: two convolutions by table, trainable averaging, tanh outputs",
    citation:
      "LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel: Handwritten Digit Recognition with a Back-Propagation Network, NIPS 2, 1990",
    input: [1, 28, 28],
    numClasses: 10,
    head: "output",
    build: (options?: ModelOptions) => new LeNet1(options),
    lossPerSample: ownLoss(lenet1LossPerSample),
    ownLoss: "the squared error",
    // The paper's input: grey levels scaled to -1..1.
    preprocessing: { mean: [0.5], std: [0.5] },
    recipe: lenet1Recipe,
    published: [
      {
        dataset: "mnist",
        top1: 1.7,
        protocol: "test, digits scaled down to 16x16",
        source: "LeCun et al. 1998, figure 9",
      },
    ],
  },
  lenet5: {
    summary: "LeNet-5 as published: connection table, trainable subsampling, scaled tanh, RBF output",
    citation: lecun1998,
    input: [1, 32, 32],
    numClasses: 10,
    head: "output",
    build: (options?: ModelOptions) => new LeNet5(options),
    lossPerSample: ownLoss(rbfLossPerSample),
    ownLoss: "the loss of its RBF output layer",
    // The paper's input: background -0.1, ink 1.175, so that mean and variance are about 0 and 1; 28x28 digits centred in 32x32.
    preprocessing: { mean: [0.1 / 1.275], std: [1 / 1.275], pad: 2 },
    recipe: lenet5Recipe,
    published: [
      { dataset: "mnist", top1: 0.95, protocol: "test, without distortions", source: "LeCun et al. 1998, figure 9" },
      { dataset: "mnist", top1: 0.8, protocol: "test, with distortions", source: "LeCun et al. 1998, figure 9" },
    ],
  },
  lenet5_modern: {
    summary: "LeNet-5 as it is built today: ReLU, max pooling, softmax",
    citation: lecun1998,
    input: [1, 28, 28],
    numClasses: 10,
    head: "classifier.3",
    build: (options?: ModelOptions) => new LeNet5Modern(options),
    preprocessing: {},
    recipe: lenetRecipe,
  },
} as const satisfies ModelTable;
