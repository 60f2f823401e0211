import { summary } from "@ocelli/inspect";
import { Dropout } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, type WideBlock, WideResNet } from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

describe("wide ResNets", () => {
  it("have the parameters that the paper and torchvision print: 11.0, 36.5 and 8.9 million, and two exact ones", () => {
    const millions = [counts.wrn_16_8, counts.wrn_28_10, counts.wrn_40_4].map((count) => (count / 1e6).toFixed(1));
    expect(millions).toEqual(["11.0", "36.5", "8.9"]);
    expect([counts.wide_resnet50_2, counts.wide_resnet101_2]).toEqual([68_883_240, 126_886_696]);
  });

  it("have depth - 3 convolutions outside the shortcuts: the paper counts the three projections instead", () => {
    for (const [name, depth] of [
      ["wrn_16_8", 16],
      ["wrn_28_10", 28],
      ["wrn_40_4", 40],
    ] as const) {
      const convolutions = [...createModel(name).parameters()].filter(([, { shape }]) => shape.length === 4);
      expect(convolutions).toHaveLength(depth);
      expect(convolutions.filter(([key]) => key.includes("downsample"))).toHaveLength(3);
    }
  });

  it("cost a width of k squared, but for the first layers", () => {
    const square = 32 * 32;
    // In units of a 3x3 from 16k to 16k channels at 32x32, which those of all stages cost; entering a stage costs half of it.
    const cost = (n: number, k: number): number =>
      square * (27 * 16 + 9 * 16 * 16 * k + 16 * 16 * k) + square * (16 * k) ** 2 * (9 * (6 * n - 2) + 2 / 2) + 640 * k;
    expect(cost(4, 10)).toBe(5_243_328_768);
    for (const [name, n, k] of [
      ["wrn_16_8", 2, 8],
      ["wrn_28_10", 4, 10],
      ["wrn_40_4", 6, 4],
    ] as const)
      expect(summary(createModel(name), [3, 32, 32]).totals.macs).toBe(cost(n, k));
    expect(summary(createModel("wide_resnet50_2"), [3, 224, 224]).totals.macs).toBe(11_398_021_120);
  });

  it("have maps of 32, 16 and 8 with 16k, 32k and 64k channels", () => {
    const shapes = new Map(
      callsOf(createModel("wrn_16_8"), [3, 32, 32]).map(([path, shape]) => [path, shape.join("x")]),
    );
    expect(["conv1", "layer1", "layer2", "layer3", "avgpool"].map((path) => shapes.get(path))).toEqual([
      "16x32x32",
      "128x32x32",
      "256x16x16",
      "512x8x8",
      "512",
    ]);
  });

  it("drop activations between the convolutions of each block", () => {
    const model = createModel("wrn_16_8");
    const dropouts = [...model.modules()].filter(([, layer]) => layer instanceof Dropout);
    expect(dropouts.map(([path]) => path)).toEqual(
      [1, 2, 3].flatMap((stage) => [0, 1].map((block) => `layer${stage}.${block}.dropout`)),
    );
    const order = callsOf(model, [3, 32, 32]).map(([path]) => path);
    const inside = order.filter((path) => path.startsWith("layer1.0.")).map((path) => path.slice("layer1.0.".length));
    expect(inside).toEqual(["bn1", "conv1", "bn2", "dropout", "conv2", "downsample"]);
    expect((model.layer1[0] as WideBlock).dropout.p).toBe(0.3);
    expect((new WideResNet({ depth: 10, widen: 2, dropout: 0 }).layer1[0] as WideBlock).dropout.p).toBe(0);
  });

  it("of torchvision have 3x3 convolutions twice as wide", () => {
    const shapes = new Map(
      callsOf(createModel("wide_resnet50_2"), [3, 64, 64]).map(([path, shape]) => [path, shape[0]]),
    );
    expect([shapes.get("layer4.2.conv2"), shapes.get("layer4.2")]).toEqual([1024, 2048]);
  });

  it("start from normal weights with variance 2 / fan-out", () => {
    const model = new WideResNet({ depth: 10, widen: 2 });
    expect(startOf((model.layer2[0] as WideBlock).conv1.weight)).toBeCloseTo(Math.sqrt(2 / (9 * 64)), 7);
  });

  it("can be built for other channels, classes and sizes", () => {
    expect(logitsShape("wrn_16_8", { inChannels: 1, numClasses: 7, inputSize: 20 })).toEqual([2, 7]);
    expect(logitsShape("wide_resnet50_2", { inChannels: 1, numClasses: 7, inputSize: 64 })).toEqual([2, 7]);
  });

  it("refuse a depth that no blocks make", () => {
    expect(() => new WideResNet({ depth: 20, widen: 4 })).toThrow(
      "WideResNet: depth is 20 and widen 4; it needs a depth of 6n + 4 (10, 16, 22, ...) and an integer >= 1",
    );
    expect(() => new WideResNet({ depth: 16, widen: 0.5 })).toThrow("widen 0.5");
  });
});
