import { summary } from "@ocelli/inspect";
import { inventory } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { type BasicBlock, CifarResNet, createModel, type ModelName, PlainBlock } from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

const depths = [20, 32, 44, 56, 110, 1202];

describe("the networks for CIFAR-10", () => {
  it("have the parameters of table 6: 0.27, 0.46, 0.66, 0.85, 1.7 and 19.4 million", () => {
    const millions = depths.map((depth) => counts[`resnet${depth}_cifar` as ModelName] / 1e6);
    expect(millions.map((count, i) => count.toFixed(i < 4 ? 2 : 1))).toEqual([
      "0.27",
      "0.46",
      "0.66",
      "0.85",
      "1.7",
      "19.4",
    ]);
  });

  it("have 6n + 2 layers with weights, shortcuts or not", () => {
    for (const depth of depths) {
      for (const name of [`resnet${depth}_cifar`, `plain${depth}_cifar`]) {
        if (name.startsWith("plain") && depth > 56) continue;
        const weights = [
          ...createModel(name as ModelName)
            .parameters()
            .values(),
        ].filter(({ shape }) => shape.length > 1);
        expect(weights).toHaveLength(depth);
      }
    }
  });

  it("work on maps of 32, 16 and 8 with 16, 32 and 64 channels", () => {
    const shapes = new Map(
      callsOf(createModel("resnet20_cifar"), [3, 32, 32]).map(([path, shape]) => [path, shape.join("x")]),
    );
    expect(["conv1", "layer1", "layer2", "layer3", "pool", ""].map((path) => shapes.get(path))).toEqual([
      "16x32x32",
      "16x32x32",
      "32x16x16",
      "64x8x8",
      "64",
      "10",
    ]);
  });

  it("cost as many multiply-adds as the sum over table 6's layers: every 3x3 but those that enter a stage costs the same", () => {
    const conv = 9 * 16 * 16 * 32 * 32;
    const cost = (n: number): number => 27 * 16 * 1024 + (6 * n - 2) * conv + 2 * (conv / 2) + 640;
    expect(cost(3)).toBe(40_551_040);
    for (const [name, n] of [
      ["resnet20_cifar", 3],
      ["plain56_cifar", 9],
      ["resnet110_cifar", 18],
    ] as const)
      expect(summary(createModel(name), [3, 32, 32]).totals.macs).toBe(cost(n));
  });

  it("name their state as the published checkpoints do", () => {
    const keys = [...inventory(createModel("resnet20_cifar")).slots.keys()];
    expect(keys.slice(0, 12)).toEqual([
      "conv1.weight",
      ...["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map((leaf) => `bn1.${leaf}`),
      "layer1.0.conv1.weight",
      ...["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map((leaf) => `layer1.0.bn1.${leaf}`),
    ]);
    expect(keys.slice(-2)).toEqual(["linear.weight", "linear.bias"]);
    expect(keys.filter((key) => key.includes("downsample"))).toEqual([]);
    expect(keys).toHaveLength(19 * 6 + 2);
  });

  it("can be built for other channels, classes, sizes, and of other blocks", () => {
    expect(logitsShape("resnet20_cifar", { inChannels: 1, numClasses: 7, inputSize: 28 })).toEqual([2, 7]);
    const indices: number[] = [];
    const model = new CifarResNet(2, {
      block: ({ inChannels, outChannels, stride, index }) => {
        indices.push(index);
        return new PlainBlock(inChannels, outChannels, { stride });
      },
    });
    expect(indices).toEqual([0, 1, 2, 3, 4, 5]);
    expect(summary(model, [3, 32, 32]).totals.parameters).toBe(
      summary(new CifarResNet(2), [3, 32, 32]).totals.parameters,
    );
  });

  it("start from normal weights with variance 2 / fan-in", () => {
    const model = createModel("resnet20_cifar");
    expect(startOf((model.layer2[0] as BasicBlock).conv1.weight)).toBeCloseTo(Math.sqrt(2 / (9 * 16)), 7);
    expect(startOf(model.linear.weight)).toBeCloseTo(Math.sqrt(2 / 64), 7);
  });

  it("refuse what is no number of blocks", () => {
    expect(() => new CifarResNet(1.5)).toThrow("CifarResNet: n is 1.5; it needs an integer >= 1, for 6n + 2 layers");
  });
});
