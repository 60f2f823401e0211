import { summary } from "@ocelli/inspect";
import { describe, expect, it } from "vitest";
import { createModel, ZfNet } from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

describe("zfnet", () => {
  it("has the maps of figure 3: 110, 55, 26, 13 and 6 pixels", () => {
    const calls = callsOf(createModel("zfnet"), [3, 224, 224]);
    expect(calls.slice(0, 11)).toEqual([
      ["conv1", [96, 110, 110]],
      ["pool1", [96, 55, 55]],
      ["norm1", [96, 55, 55]],
      ["conv2", [256, 26, 26]],
      ["pool2", [256, 13, 13]],
      ["norm2", [256, 13, 13]],
      ["conv3", [384, 13, 13]],
      ["conv4", [384, 13, 13]],
      ["conv5", [256, 13, 13]],
      ["pool5", [256, 6, 6]],
      ["flatten", [9216]],
    ]);
  });

  it("widens the last three convolutions to 512, 1024 and 512", () => {
    const { conv3, conv4, conv5, fc6 } = createModel("zfnet512");
    expect([conv3, conv4, conv5].map(({ outChannels }) => outChannels)).toEqual([512, 1024, 512]);
    expect(fc6.inFeatures).toBe(18432);
  });

  it.each([
    ["zfnet", 384, 384, 256],
    ["zfnet512", 512, 1024, 512],
  ] as const)("%s: multiply-adds by figure 3", (name, third, fourth, fifth) => {
    const last = 9 * 13 ** 2 * (256 * third + third * fourth + fourth * fifth);
    const classifier = 36 * fifth * 4096 + 4096 * 4096 + 4096 * 1000;
    const macs = 110 ** 2 * 96 * 147 + 26 ** 2 * 256 * 2400 + last + classifier;
    expect(summary(createModel(name), [3, 224, 224]).totals.macs).toBe(macs);
  });

  it("starts from N(0, 0.01) and biases of 0", () => {
    const { conv1, conv2, fc8 } = createModel("zfnet");
    expect(startOf(conv1.weight)).toBeCloseTo(0.01, 9);
    expect([conv1, conv2, fc8].map(({ bias }) => startOf(bias))).toEqual([0, 0, 0]);
  });

  it("can be built for other channels, classes and sizes", () => {
    for (const name of ["zfnet", "zfnet512"] as const)
      expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 64 })).toEqual([2, 7]);
  });

  it("says which layer an image is too small for", () => {
    expect(() => new ZfNet([384, 384, 256], { inputSize: 12 })).toThrow(
      "zfnet: images of [12, 12] leave 2 pixels along one side for conv2; its window covers 5",
    );
  });
});
