import { hostTensor, input, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { AlexNet2012, createModel, leastInputSize, responseNorm } from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

const classifierMacs = 9216 * 4096 + 4096 * 4096 + 4096 * 1000;

describe("alexnet_2012", () => {
  it("has the paper's layers, in its order, with its maps", () => {
    const calls = callsOf(createModel("alexnet_2012"), [3, 227, 227]);
    expect(calls).toEqual([
      ["conv1", [96, 55, 55]],
      ["norm1", [96, 55, 55]],
      ["pool1", [96, 27, 27]],
      ["conv2", [256, 27, 27]],
      ["norm2", [256, 27, 27]],
      ["pool2", [256, 13, 13]],
      ["conv3", [384, 13, 13]],
      ["conv4", [384, 13, 13]],
      ["conv5", [256, 13, 13]],
      ["pool5", [256, 6, 6]],
      ["flatten", [9216]],
      ["fc6", [4096]],
      ["drop6", [4096]],
      ["fc7", [4096]],
      ["drop7", [4096]],
      ["fc8", [1000]],
      ["", [1000]],
    ]);
  });

  it("has 724,406,816 multiply-adds", () => {
    const convolutions = 55 ** 2 * 96 * 363 + 27 ** 2 * 256 * 1200 + 13 ** 2 * (384 * 2304 + 384 * 1728 + 256 * 1728);
    expect(convolutions + classifierMacs).toBe(724_406_816);
    expect(summary(createModel("alexnet_2012"), [3, 227, 227]).totals.macs).toBe(724_406_816);
  });

  it("starts as the paper says: N(0, 0.01), biases of 1 in conv2, conv4, conv5, fc6 and fc7", () => {
    const { conv1, conv2, conv3, conv4, conv5, fc6, fc7, fc8 } = createModel("alexnet_2012");
    const layers = [conv1, conv2, conv3, conv4, conv5, fc6, fc7, fc8];
    expect(layers.map(({ bias }) => startOf(bias))).toEqual([0, 1, 0, 1, 1, 1, 1, 0]);
    expect(startOf(conv1.weight)).toBeCloseTo(0.01, 9);
    expect(startOf(fc8.weight)).toBeCloseTo(0.01, 9);
  });

  it("keeps its towers apart in conv2, conv4 and conv5", () => {
    const model = createModel("alexnet_2012");
    expect([model.conv2, model.conv3, model.conv4, model.conv5].map(({ groups }) => groups)).toEqual([2, 1, 2, 2]);
    expect(model.conv2.weight.shape).toEqual([256, 48, 5, 5]);
    expect(createModel("alexnet_cs231n").conv2.weight.shape).toEqual([256, 96, 5, 5]);
  });

  it("normalises by the paper's formula, whose alpha is not divided by the number of maps", () => {
    const activity = Array.from({ length: 9 }, (_, i) => 40 * (1 + ((i * 7) % 5)));
    const x = input("x", { shape: [1, 9, 1, 1], dtype: "float32" });
    const { output } = traceModule(responseNorm(), x);
    const [y] = evaluate([output], new Map([["x", hostTensor(Float32Array.from(activity), [1, 9, 1, 1])]]));
    const values = y instanceof Float64Array ? y : toNumbers(y as never);
    for (const [i, a] of activity.entries()) {
      let squares = 0;
      for (let j = Math.max(0, i - 2); j <= Math.min(8, i + 2); j++) squares += (activity[j] as number) ** 2;
      expect(values[i]).toBeCloseTo(a / (2 + 1e-4 * squares) ** 0.75, 4);
    }
  });
});

describe("alexnet_cs231n", () => {
  it("pools before it normalises, as the course's table has it", () => {
    const calls = callsOf(createModel("alexnet_cs231n"), [3, 227, 227]).slice(0, 10);
    expect(calls).toEqual([
      ["conv1", [96, 55, 55]],
      ["pool1", [96, 27, 27]],
      ["norm1", [96, 27, 27]],
      ["conv2", [256, 27, 27]],
      ["pool2", [256, 13, 13]],
      ["norm2", [256, 13, 13]],
      ["conv3", [384, 13, 13]],
      ["conv4", [384, 13, 13]],
      ["conv5", [256, 13, 13]],
      ["pool5", [256, 6, 6]],
    ]);
  });

  it("has twice the multiply-adds where the towers meet", () => {
    const convolutions = 55 ** 2 * 96 * 363 + 27 ** 2 * 256 * 2400 + 13 ** 2 * (384 * 2304 + 384 * 3456 + 256 * 3456);
    expect(summary(createModel("alexnet_cs231n"), [3, 227, 227]).totals.macs).toBe(convolutions + classifierMacs);
  });
});

describe("torchvision's alexnet", () => {
  it("has 714,188,480 multiply-adds", () => {
    const convolutions = 55 ** 2 * 64 * 363 + 27 ** 2 * 192 * 1600 + 13 ** 2 * (384 * 1728 + 256 * 3456 + 256 * 2304);
    expect(convolutions + classifierMacs).toBe(714_188_480);
    expect(summary(createModel("alexnet"), [3, 224, 224]).totals.macs).toBe(714_188_480);
  });

  it("takes images from torchvision's least size on", () => {
    expect(leastInputSize("alexnet")).toBe(63);
    expect(logitsShape("alexnet", { inputSize: 300 })).toEqual([2, 1000]);
  });
});

describe("options", () => {
  it.each(["alexnet_2012", "alexnet_cs231n", "alexnet"] as const)("%s: channels, classes, sizes", (name) => {
    expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 99 })).toEqual([2, 7]);
  });

  it("sizes fc6 for the map that the image leaves", () => {
    expect(new AlexNet2012({ inputSize: [67, 99] }).fc6.inFeatures).toBe(256 * 1 * 2);
  });

  it("says which layer an image is too small for", () => {
    expect(() => new AlexNet2012({ inputSize: 66 })).toThrow(
      "alexnet: images of [66, 66] leave 2 pixels along one side for pool5; its window covers 3",
    );
    expect(() => createModel("alexnet_2012", { inputSize: 66 })).toThrow(
      /alexnet_2012: 66x66 images are too small; the least is 67x67/,
    );
    expect(() => new AlexNet2012({ inputSize: -227 })).toThrow(/inputSize is -227/);
  });
});
