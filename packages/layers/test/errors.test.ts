/** What each layer says to wrong arguments and wrong inputs, and where. */
import { ArgumentError, DTypeError, input, OcelliError, ShapeError, type Spec } from "@ocelli/core";
import * as layers from "@ocelli/layers";
import { type Module, Sequential, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const float = (...shape: number[]): Spec => ({ shape, dtype: "float32" });

type ErrorClass = new (...args: never[]) => OcelliError;
type Forward = readonly [layer: Module, input: Spec, error: ErrorClass, text: string];

const { Conv2d, ConvTranspose2d, Linear, BatchNorm1d, BatchNorm2d } = layers;
const image = float(2, 3, 8, 8);

const wrongInputs: readonly Forward[] = [
  [
    new Conv2d(4, 2, { kernelSize: 3 }),
    image,
    ShapeError,
    "conv2d: input has 3 channels; weight [2, 4, 3, 3] with groups=1 needs 4",
  ],
  [
    new Conv2d(3, 2, { kernelSize: 3 }),
    float(3, 8, 8),
    ShapeError,
    "conv2d: input is [3, 8, 8]; it needs 4 dimensions [N, C, H, W]",
  ],
  [
    new Conv2d(3, 2, { kernelSize: 3, padding: "same" }),
    float(3),
    ShapeError,
    "conv2d: input is [3]; it needs 4 dimensions",
  ],
  [
    new Conv2d(3, 2, { kernelSize: 9 }),
    image,
    ShapeError,
    "conv2d: the kernel covers 9x9 pixels; the input with its padding has 8x8",
  ],
  [
    new Conv2d(3, 2, { kernelSize: 3 }),
    { shape: image.shape, dtype: "uint8" },
    DTypeError,
    "conv2d: operands are uint8 and float32",
  ],
  [
    new ConvTranspose2d(4, 2, { kernelSize: 3 }),
    image,
    ShapeError,
    "ConvTranspose2d: input has 3 channels; the layer was made for 4",
  ],
  [
    new ConvTranspose2d(3, 2, { kernelSize: 3 }),
    float(3, 8),
    ShapeError,
    "ConvTranspose2d: input has 2 dimensions; it needs 4, [N, C, H, W]",
  ],
  [
    new ConvTranspose2d(3, 2, { kernelSize: 1, padding: 4 }),
    image,
    ShapeError,
    "convTranspose2d: the output would be 0x0 pixels",
  ],
  [
    new ConvTranspose2d(3, 2, { kernelSize: 1, padding: 5 }),
    image,
    ShapeError,
    "convTranspose2d: the output would be -2x-2 pixels",
  ],
  [new Linear(5, 2), float(2, 4), ShapeError, "Linear: input has 4 features; the layer was made for 5"],
  [new Linear(5, 2), image, ShapeError, "Linear: input has 8 features; the layer was made for 5 (flatten it first)"],
  [new Linear(5, 2), float(), ShapeError, "Linear: input has 0 features; the layer was made for 5"],
  [new BatchNorm1d(3), image, ShapeError, "BatchNorm1d: input has 4 dimensions; it needs 2 or 3, [N, C] or [N, C, L]"],
  [new BatchNorm2d(3), float(2, 3), ShapeError, "BatchNorm2d: input has 2 dimensions; it needs 4, [N, C, H, W]"],
  [new BatchNorm2d(4), image, ShapeError, "BatchNorm2d: input has 3 channels; the layer was made for 4"],
  [
    new BatchNorm2d(3),
    float(1, 3, 1, 1),
    ShapeError,
    "BatchNorm2d: input has one value a channel; statistics need at least two",
  ],
  [new layers.LocalResponseNorm(3), float(2, 3), ShapeError, "localResponseNorm: input is [2, 3]"],
  [
    new layers.MaxPool2d({ kernelSize: 3 }),
    float(3, 8, 8),
    ShapeError,
    "maxPool2d: input is [3, 8, 8]; it needs 4 dimensions",
  ],
  [
    new layers.MaxPool2d({ kernelSize: 9 }),
    image,
    ShapeError,
    "maxPool2d: the window [9, 9] does not fit into the input [2, 3, 8, 8]",
  ],
  [new layers.AvgPool2d({ kernelSize: 3 }), float(3, 8, 8), ShapeError, "avgPool2d: input is [3, 8, 8]"],
  [
    new layers.AdaptiveAvgPool2d(3),
    float(3, 8),
    ShapeError,
    "AdaptiveAvgPool2d: input has 2 dimensions; it needs 4, [N, C, H, W]",
  ],
  [
    new layers.AdaptiveMaxPool2d(3),
    float(3, 8),
    ShapeError,
    "AdaptiveMaxPool2d: input has 2 dimensions; it needs 4, [N, C, H, W]",
  ],
  [new layers.AdaptiveAvgPool2d(3), float(1, 2, 0, 4), ShapeError, "AdaptiveAvgPool2d: input has no pixels"],
  [
    new layers.GlobalAvgPool(),
    float(3, 8),
    ShapeError,
    "GlobalAvgPool: input has 2 dimensions; it needs 3 or more, [N, C, ...]",
  ],
  [new layers.Dropout2d(), float(3, 8), ShapeError, "Dropout2d: input has 2 dimensions; it needs 4, [N, C, H, W]"],
  [new layers.Flatten(), float(), ShapeError, "Flatten: input has no dimensions"],
  [new layers.Flatten(2), float(3, 8), ArgumentError, "Flatten"],
  [new layers.PReLU(4), image, ShapeError, "PReLU: input has 3 channels; the layer was made for 4"],
  [new layers.Maxout(2), image, ShapeError, "Maxout: input has 3 channels; they do not divide into pieces of 2"],
  [new layers.Softmax(4), image, ArgumentError, "softmax"],
  [new layers.LogSoftmax(-5), image, ArgumentError, "logSoftmax"],
  [
    new layers.Residual(new Conv2d(3, 2, { kernelSize: 1 })),
    image,
    ShapeError,
    "Residual: the body gives [2, 2, 8, 8], the shortcut [2, 3, 8, 8]",
  ],
  [
    new layers.Residual(new layers.AdaptiveAvgPool2d(1)),
    image,
    ShapeError,
    "Residual: the body gives [2, 3, 1, 1], the shortcut [2, 3, 8, 8]",
  ],
  [
    new layers.Concat([(x) => x, new layers.AdaptiveAvgPool2d(1)]),
    image,
    ShapeError,
    "concat: input 1 is [2, 3, 1, 1]; it has to equal [2, 3, 8, 8] except in dimension 1",
  ],
  ...[
    layers.ReLU,
    layers.ReLU6,
    layers.LeakyReLU,
    layers.ELU,
    layers.SELU,
    layers.GELU,
    layers.SiLU,
    layers.Sigmoid,
    layers.Tanh,
    layers.Softplus,
    layers.Softmax,
  ].map((Activation): Forward => [new Activation(), { shape: [2, 3], dtype: "int32" }, DTypeError, "int32"]),
];

describe("wrong inputs", () => {
  for (const [layer, spec, errorClass, text] of wrongInputs) {
    it(`${layer.constructor.name} of ${spec.dtype}[${spec.shape.join(", ")}]`, () => {
      const model = new Sequential({ stem: new Sequential((x) => x, layer) });
      const thrown = caught(() => traceModule(model, input("x", spec), { training: true }));
      expect(thrown).toBeInstanceOf(errorClass);
      expect(thrown.message).toContain(text);
      expect(thrown.message).toContain("\n  at stem.1   ");
    });
  }

  it("at the root have no path to name", () => {
    const thrown = caught(() => traceModule(new Linear(5, 2), input("x", float(2, 4))));
    expect(thrown.message).toBe("Linear: input has 4 features; the layer was made for 5\n  with input float32[2, 4]");
  });
});

type Construct = readonly [text: string, make: () => unknown];

const wrongArguments: readonly Construct[] = [
  ["Conv2d: inChannels is 0; it needs an integer >= 1", () => new Conv2d(0, 2, { kernelSize: 3 })],
  ["Conv2d: outChannels is 1.5", () => new Conv2d(1, 1.5, { kernelSize: 3 })],
  [
    "Conv2d: 6 input and 4 output channels do not both divide into 4 groups",
    () => new Conv2d(6, 4, { kernelSize: 3, groups: 4 }),
  ],
  [
    "Conv2d: 4 input and 6 output channels do not both divide into 4 groups",
    () => new Conv2d(4, 6, { kernelSize: 3, groups: 4 }),
  ],
  ["Conv2d: groups is 0", () => new Conv2d(4, 6, { kernelSize: 3, groups: 0 })],
  ["Conv2d: kernelSize is 0", () => new Conv2d(4, 6, { kernelSize: 0 })],
  ["Conv2d: stride is [1,0]", () => new Conv2d(4, 6, { kernelSize: 3, stride: [1, 0] })],
  ["Conv2d: dilation is -1", () => new Conv2d(4, 6, { kernelSize: 3, dilation: -1 })],
  ["Conv2d: padding is -1", () => new Conv2d(4, 6, { kernelSize: 3, padding: -1 })],
  [
    'Conv2d: padding is "full"; the words are "same" and "valid"',
    () => new Conv2d(4, 6, { kernelSize: 3, padding: "full" as "same" }),
  ],
  [
    "ConvTranspose2d: 3 input and 2 output channels do not both divide into 2 groups",
    () => new ConvTranspose2d(3, 2, { kernelSize: 3, groups: 2 }),
  ],
  [
    "ConvTranspose2d: outputPadding is [2,2]; it has to be less than the stride [2,2]",
    () => new ConvTranspose2d(1, 1, { kernelSize: 3, stride: 2, outputPadding: 2 }),
  ],
  ["Linear: inFeatures is -3", () => new Linear(-3, 1)],
  ["Linear: outFeatures is NaN", () => new Linear(3, Number.NaN)],
  ["BatchNorm1d: features is 0", () => new BatchNorm1d(0)],
  ["BatchNorm2d: eps is -1; it needs a number >= 0", () => new BatchNorm2d(1, { eps: -1 })],
  ["BatchNorm2d: momentum is 2; it needs a number in 0..1", () => new BatchNorm2d(1, { momentum: 2 })],
  ["LocalResponseNorm: size is 0", () => new layers.LocalResponseNorm(0)],
  ["MaxPool2d: kernelSize is 0", () => new layers.MaxPool2d({ kernelSize: 0 })],
  [
    "MaxPool2d: padding [2,2,2,2] is more than half of the kernel [3,3]",
    () => new layers.MaxPool2d({ kernelSize: 3, padding: 2 }),
  ],
  ["AvgPool2d: stride is 0", () => new layers.AvgPool2d({ kernelSize: 2, stride: 0 })],
  ["AdaptiveAvgPool2d: size is 0", () => new layers.AdaptiveAvgPool2d(0)],
  ["AdaptiveMaxPool2d: size is 2.5", () => new layers.AdaptiveMaxPool2d([null, 2.5])],
  ["Dropout: p is 1.5; it needs a number in 0..1", () => new layers.Dropout(1.5)],
  ["Dropout2d: p is -0.1", () => new layers.Dropout2d(-0.1)],
  ["PReLU: count is 0", () => new layers.PReLU(0)],
  ["Softplus: beta is 0", () => new layers.Softplus(0)],
  ["Maxout: pieces is 0", () => new layers.Maxout(0)],
  ["Concat: it needs at least one branch", () => new layers.Concat([])],
];

describe("wrong arguments", () => {
  for (const [text, make] of wrongArguments) {
    it(text, () => {
      const thrown = caught(make);
      expect(thrown).toBeInstanceOf(ArgumentError);
      expect(thrown.message).toContain(text);
    });
  }
});

function caught(run: () => unknown): OcelliError {
  try {
    run();
  } catch (error) {
    if (error instanceof OcelliError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
