import { type Shape, sizeOf } from "@ocelli/core";
import { summary } from "@ocelli/inspect";
import { describe, expect, it } from "vitest";
import { createModel, leastInputSize, VGG, vggConfigurations } from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

const image: Shape = [3, 224, 224];
const classifier = 25088 * 4096 + 4096 * 4096 + 4096 * 1000;

/** Multiply-adds of five stages of 3x3 convolutions; the last of a stage may be 1x1. */
function macs(depths: readonly number[], lastIsPointwise = false): number {
  const widths = [64, 128, 256, 512, 512];
  return depths.reduce((total, depth, i) => {
    const [into, maps, side] = [widths[i - 1] ?? 3, widths[i] as number, 224 / 2 ** i];
    const last = lastIsPointwise && i >= 2 ? maps * maps : 9 * maps * maps;
    const more = depth === 1 ? 0 : 9 * maps * maps * (depth - 2) + last;
    return total + side * side * (9 * into * maps + more);
  }, classifier);
}

describe("multiply-adds", () => {
  it.each([
    ["vgg11", macs([1, 1, 2, 2, 2]), 7_609_090_048],
    ["vgg13", macs([2, 2, 2, 2, 2]), 11_308_466_176],
    ["vgg16", macs([2, 2, 3, 3, 3]), 15_470_264_320],
    ["vgg16_c", macs([2, 2, 3, 3, 3], true), 11_770_888_192],
    ["vgg19", macs([2, 2, 4, 4, 4]), 19_632_062_464],
  ] as const)("%s: %i", (name, byTable, known) => {
    expect(byTable).toBe(known);
    expect(summary(createModel(name), image).totals.macs).toBe(known);
  });
});

describe("vgg16 in the course's table", () => {
  const { rows } = summary(createModel("vgg16"), image);

  it("has 15,237,608 activations: the input and what each convolution, pooling and linear layer gives; 61 MB", () => {
    const listed = rows.filter(({ type }) => ["Conv2d", "MaxPool2d", "Linear"].includes(type));
    const shapes = listed.map(({ outputShape }) => outputShape as Shape);
    expect(listed).toHaveLength(13 + 5 + 3);
    const activations = [image, ...shapes].reduce((sum, shape) => sum + sizeOf(shape), 0);
    expect(activations).toBe(15_237_608);
    expect(Math.round((4 * activations) / 1e6)).toBe(61);
  });

  it("has 138,344,128 weights without biases", () => {
    const weights = [...createModel("vgg16").parameters()].filter(([name]) => name.endsWith("weight"));
    expect(weights.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)).toBe(138_344_128);
  });

  it("halves the map after each stage: 224, 112, 56, 28, 14 and 7 pixels", () => {
    const pooled = rows.filter(({ type }) => type === "MaxPool2d").map(({ outputShape }) => outputShape);
    expect(pooled).toEqual([
      [64, 112, 112],
      [128, 56, 56],
      [256, 28, 28],
      [512, 14, 14],
      [512, 7, 7],
    ]);
  });
});

describe("table 1", () => {
  it("has 11, 11, 13, 16, 16 and 19 layers with weights", () => {
    const configurations = Object.keys(vggConfigurations) as (keyof typeof vggConfigurations)[];
    const depths = configurations.map(
      (name) => [...new VGG(name).parameters().keys()].filter((key) => key.endsWith("weight")).length,
    );
    expect(depths).toEqual([11, 11, 13, 16, 16, 19]);
  });

  it("A-LRN normalises behind the first ReLU", () => {
    const calls = callsOf(createModel("vgg11_lrn"), [3, 32, 32]).slice(0, 4);
    expect(calls.map(([path]) => path)).toEqual(["features.0", "features.1", "features.2", "features.3"]);
    const rows = summary(createModel("vgg11_lrn"), [3, 32, 32]).rows.slice(0, 4);
    expect(rows.map(({ type }) => type)).toEqual(["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"]);
  });

  it("C ends its last three stages with 1x1 convolutions", () => {
    const kernels = [...createModel("vgg16_c").parameters()].flatMap(([name, { shape }]) =>
      name.startsWith("features") && shape.length === 4 ? [shape[3]] : [],
    );
    expect(kernels).toEqual([3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]);
  });
});

describe("initialisation", () => {
  it("is torchvision's: He et al. by fan-out, N(0, 0.01) for linear layers, biases of 0", () => {
    const parameters = createModel("vgg11").parameters();
    expect(startOf(parameters.get("features.0.weight") ?? null)).toBeCloseTo(Math.sqrt(2 / (64 * 9)), 7);
    expect(startOf(parameters.get("classifier.6.weight") ?? null)).toBeCloseTo(0.01, 9);
    expect(startOf(parameters.get("features.0.bias") ?? null)).toBe(0);
    expect(startOf(parameters.get("classifier.0.bias") ?? null)).toBe(0);
  });

  it("is Glorot's for the two that torchvision lacks", () => {
    const parameters = createModel("vgg16_c").parameters();
    expect(startOf(parameters.get("features.0.weight") ?? null)).toBeCloseTo(Math.sqrt(6 / (27 + 64 * 9)), 7);
  });
});

describe("options", () => {
  it.each(["vgg11", "vgg11_lrn", "vgg16_c", "vgg13_bn"] as const)("%s: channels, classes, sizes", (name) => {
    expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 50 })).toEqual([2, 7]);
  });

  it("takes images from torchvision's least size on, and says where smaller ones end", () => {
    expect(leastInputSize("vgg19_bn")).toBe(32);
    expect(() => createModel("vgg16", { inputSize: 31 })).toThrow(
      /vgg16: 31x31 images are too small; the least is 32x32\n(?:.*\n)*.*at features\.30/,
    );
  });
});
