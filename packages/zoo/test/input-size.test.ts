import { ArgumentError, concat, ShapeError, type Tensor } from "@ocelli/core";
import { AvgPool2d, type Context, Conv2d, Flatten, GlobalAvgPool, Linear, Module, Sequential } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import type { ModelEntry, ModelOptions } from "../src/entry.js";
import { createModel, leastInputSize, modelEntry, modelNames } from "../src/index.js";
import { checkSize, leastSquare, sizedEntry } from "../src/input-size.js";

/** A network whose auxiliary classifier reads a 5x5 map after a stride of 4: images of 20 in training, of 8 in evaluation. */
class WithAuxiliary extends Module<Tensor, Tensor | { logits: Tensor; aux: Tensor }> {
  readonly stem: Conv2d;
  readonly deep = new Conv2d(4, 4, { kernelSize: 2 });
  readonly pool = new GlobalAvgPool();
  readonly aux = new Conv2d(4, 10, { kernelSize: 5 });
  readonly fc: Linear;

  constructor({ numClasses = 10, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.stem = new Conv2d(inChannels, 4, { kernelSize: 4, stride: 4 });
    this.fc = new Linear(4, numClasses);
  }

  override forward(x: Tensor, ctx: Context) {
    const y = ctx.call(this.stem, x);
    const logits = ctx.chain(y, this.deep, this.pool, this.fc);
    return ctx.training ? { logits, aux: ctx.chain(y, this.aux, this.pool) } : logits;
  }
}

/** Ends in a layer for a 2x2 map, whatever it is built for: 7x7 pooling with stride 5 gives one of images of 12 to 16. */
const fixed = () => new Sequential(new AvgPool2d({ kernelSize: 7, stride: 5 }), new Flatten(), new Linear(3 * 4, 10));

const entryOf = (build: ModelEntry["build"], input: ModelEntry["input"]): ModelEntry => ({
  ...modelEntry("lenet5"),
  build,
  input,
});
const withAuxiliary = entryOf((options) => new WithAuxiliary(options), [3, 32, 32]);

describe("checkSize", () => {
  it("says which layer ran out and the least size that works", () => {
    expect(() => checkSize("net", withAuxiliary, { inputSize: 8 })).not.toThrow();
    expect(() => checkSize("net", withAuxiliary, { inputSize: [8, 7] })).toThrow(
      /^net: 8x7 images are too small; the least is 8x8\n {2}conv2d: the kernel covers 2x2 pixels; .*\n {4}at deep {3}input float32\[2, 4, 2, 1\], weight /,
    );
    expect(() => checkSize("net", withAuxiliary, { inputSize: 3 })).toThrow(/4x4 pixels.*\n {4}at stem /);
  });

  it("asks for more in training, where there is more", () => {
    expect(() => checkSize("net", withAuxiliary, { inputSize: 20 }, { training: true })).not.toThrow();
    expect(() => checkSize("net", withAuxiliary, { inputSize: 19 }, { training: true })).toThrow(
      /^net: 19x19 images are too small to train on; the least is 20x20\n.*\n {4}at aux /,
    );
    expect(leastSquare(sizedEntry(withAuxiliary, {}, true), 32)).toBe(20);
  });

  it("does not call images too small that are too large", () => {
    const entry = entryOf(fixed, [3, 16, 16]);
    expect(() => checkSize("net", entry, { inputSize: [12, 16] })).not.toThrow();
    expect(() => checkSize("net", entry, { inputSize: 17 })).toThrow(
      /^net: 17x17 images do not fit; 16x16 do\n {2}Linear: input has 27 features; the layer was made for 12/,
    );
    expect(() => checkSize("net", entry, { inputSize: 11 })).toThrow(/too small; the least is 12x12/);
  });

  it("leaves the faults of other options as they are, and those that nobody foresaw", () => {
    expect(() => checkSize("net", withAuxiliary, { inputSize: 32, numClasses: -1 })).toThrow(
      /^Linear: outFeatures is -1/,
    );
    const broken = entryOf(() => {
      throw new TypeError("a slip");
    }, [3, 8, 8]);
    expect(() => checkSize("net", broken, { inputSize: 8 })).toThrow(TypeError);
  });
});

describe("createModel with an inputSize", () => {
  it.each([0, -4, 2.5, Number.NaN, [28] as never, [0, 28] as const])("%j is none", (inputSize) => {
    expect(() => createModel("resnet20_cifar", { inputSize })).toThrow(ArgumentError);
  });

  it("builds for it", () => {
    expect(createModel("resnet20_cifar", { inputSize: 8, inChannels: 1, numClasses: 3 }).stateSpecs()).toEqual(
      createModel("resnet20_cifar", { inChannels: 1, numClasses: 3 }).stateSpecs(),
    );
  });

  it("says which layer ran out of a large network, soon", () => {
    expect(() => createModel("inception_v3", { inputSize: 32 })).toThrow(
      /^inception_v3: 32x32 images are too small; the least is 75x75\n {2}conv2d: .*\n {4}at Mixed_6a\./,
    );
  });

  it.each(modelNames)("%s takes its own size", (name) => {
    const [, height, width] = modelEntry(name).input;
    expect(() => createModel(name, { inputSize: [height, width] })).not.toThrow();
  });
});

describe("leastInputSize", () => {
  // What torchvision's weights state as `min_size`.
  it.each([
    ["alexnet", 63],
    ["vgg11", 32],
    ["vgg19_bn", 32],
    ["googlenet", 15],
    ["inception_v3", 75],
    ["resnet18", 1],
    ["resnet152", 1],
    ["resnext50_32x4d", 1],
    ["wide_resnet101_2", 1],
    ["squeezenet1_0", 21],
    ["squeezenet1_1", 17],
    ["densenet121", 29],
    ["densenet161", 29],
  ] as const)("of %s: %i, as torchvision has it", (name, least) => {
    expect(leastInputSize(name)).toBe(least);
  });

  it("of a model as it is", () => {
    expect(leastInputSize(new WithAuxiliary())).toBe(8);
    expect(leastInputSize(new WithAuxiliary({ inChannels: 1 }), { inChannels: 1, training: true })).toBe(20);
    // Only even sizes fit, and only one.
    expect(leastInputSize(new Halves(), { most: 24 })).toBe(2);
    expect(leastInputSize(new Halves(), { most: 23 })).toBe(2);
    expect(leastInputSize(fixed(), { most: 400 })).toBe(12);
    expect(() => leastInputSize(new WithAuxiliary(), { most: 7 })).toThrow(ShapeError);
    expect(() => leastInputSize(new WithAuxiliary(), { most: 7 })).toThrow(
      "leastInputSize: WithAuxiliary takes no square image of up to 7 pixels",
    );
  });
});

/** Joins a map with its half: sizes have to be even. */
class Halves extends Module {
  readonly pool = new AvgPool2d({ kernelSize: 1, stride: 2 });
  readonly down = new AvgPool2d({ kernelSize: 2 });

  override forward(x: Tensor, ctx: Context): Tensor {
    return concat([ctx.call(this.pool, x), ctx.call(this.down, x)], 1);
  }
}
