import { crossEntropy, gradients, input, sizeOf, type Tensor } from "@ocelli/core";
import { optimize, peakBytes, primitives } from "@ocelli/core/backend";
import { prepare } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { type Module, type TapRecord, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { CifarDenseNet, createModel, DenseNet, modelEntry, upgradeDenseNetKeys } from "../src/index.js";

/** Loss and gradients, of the last parameters first, and new buffers: what a training step computes. */
function trainingGraph(model: Module, shape: readonly number[]): Tensor[] {
  const state = Object.fromEntries(
    Object.entries(model.stateSpecs()).map(([name, spec]) => [name, input(`state:${name}`, spec)]),
  );
  const { output, updates } = traceModule(model, input("x", { shape, dtype: "float32" }), { state, training: true });
  const loss = crossEntropy(output, input("labels", { shape: [shape[0] as number], dtype: "int32" }));
  const params = Object.keys(state).filter((name) => name.startsWith("params/"));
  const targets = params.reverse().map((name) => state[name] as Tensor);
  const all = [loss, ...Object.values(updates), ...gradients(loss, targets)];
  return optimize(all, { supports: (op) => Object.values<unknown>(primitives).includes(op) });
}

function feedsFor(model: Module, shape: readonly number[]): Map<string, Float64Array> {
  const values = (size: number, seed: number): Float64Array =>
    Float64Array.from({ length: size }, (_, i) => Math.sin(1 + (i + 1) * (seed + 1.37) * 12.9898));
  const feeds = new Map([
    ["x", values(sizeOf(shape), 0.5)],
    ["labels", Float64Array.from({ length: shape[0] as number }, (_, i) => i)],
    ["key", Float64Array.of(3, 4)],
  ]);
  for (const [i, [name, spec]] of Object.entries(model.stateSpecs()).entries()) {
    feeds.set(
      `state:${name}`,
      values(sizeOf(spec.shape), i).map((v) => (/norm/.test(name) ? 1 + v / 2 : v / 3)),
    );
  }
  return feeds;
}

describe("DenseNet", () => {
  it("has the feature maps of the paper's table 1", () => {
    const maps: string[] = [];
    const taps = ({ path, output }: TapRecord): void => {
      if (/^features\.\w+$/.test(path) && !/^features\.norm/.test(path))
        maps.push((output as Tensor).shape.slice(1).join("x"));
    };
    traceModule(createModel("densenet121"), input("x", { shape: [1, 3, 224, 224], dtype: "float32" }), { taps });
    const blocks = ["256x56x56", "128x28x28", "512x28x28", "256x14x14", "1024x14x14", "512x7x7", "1024x7x7"];
    expect(maps).toEqual(["64x112x112", "64x56x56", ...blocks]);
  });

  it.each([
    ["densenet121", 32, [6, 12, 24, 16], 2.83],
    ["densenet161", 48, [6, 12, 36, 24], 7.73],
    ["densenet169", 32, [6, 12, 32, 32], 3.36],
    ["densenet201", 32, [6, 12, 48, 32], 4.29],
  ] as const)("%s: multiply-adds by the paper's table", (name, k, blocks, rounded) => {
    let [side, channels, macs] = [56, 2 * k, 112 ** 2 * 2 * k * 147];
    for (const [i, layers] of blocks.entries()) {
      for (let layer = 0; layer < layers; layer++) {
        macs += side ** 2 * (channels * 4 * k + 4 * k * k * 9);
        channels += k;
      }
      if (i === 3) break;
      macs += (side ** 2 * channels ** 2) / 2;
      [side, channels] = [side / 2, channels / 2];
    }
    macs += channels * 1000;
    expect(summary(createModel(name), [3, 224, 224]).totals.macs).toBe(macs);
    // What torchvision documents, in G.
    expect(Math.round(macs / 1e7) / 100).toBe(rounded);
  });

  it("computes the same with frugal memory, bit for bit: loss, statistics and every gradient", () => {
    const shape = [2, 3, 32, 32];
    const build = (memoryEfficient: boolean): DenseNet =>
      new DenseNet({ growthRate: 2, blocks: [2, 3], numClasses: 3, dropRate: 0.3, memoryEfficient });
    const run = (model: DenseNet): number[][] =>
      prepare(trainingGraph(model, shape))
        .run(feedsFor(model, shape))
        .map((values) => Array.from(values));
    expect(run(build(true))).toEqual(run(build(false)));
  });

  it("trains DenseNet-121 in a fraction of the memory", () => {
    const peak = (memoryEfficient: boolean): number =>
      peakBytes(
        trainingGraph(modelEntry("densenet121").build({ memoryEfficient } as object) as Module, [8, 3, 224, 224]),
      );
    const [plain, frugal] = [peak(false), peak(true)];
    expect(frugal / plain).toBeLessThan(0.42);
    // Nothing but gradients sees a difference.
    const least = (model: DenseNet): number =>
      peakBytes([traceModule(model, input("x", { shape: [8, 3, 224, 224], dtype: "float32" })).output]);
    expect(least(new DenseNet({ memoryEfficient: true }))).toBe(least(new DenseNet()));
  });

  it("drops behind every convolution but the first, in the networks for small images", () => {
    const draws = (model: Module, side: number): number => {
      const seen = new Set([
        traceModule(model, input("x", { shape: [2, 3, side, side], dtype: "float32" }), { training: true }).output.node,
      ]);
      for (const node of seen) for (const { node: before } of node.inputs) seen.add(before);
      return [...seen].filter(({ op }) => op.name === "randomBits").length;
    };
    expect(draws(new CifarDenseNet(40, 12, { dropRate: 0.2 }), 32)).toBe(36 + 2);
    expect(draws(new CifarDenseNet(100, 12, { dropRate: 0.2, bc: true }), 32)).toBe(96 + 2);
    expect(draws(new DenseNet({ dropRate: 0.2 }), 64)).toBe(58);
    expect(draws(new CifarDenseNet(40, 12), 32)).toBe(0);
  });

  it("takes other channels, classes and sizes, and refuses depths that do not divide", () => {
    const x = input("x", { shape: [2, 1, 96, 64], dtype: "float32" });
    expect(traceModule(createModel("densenet169", { inChannels: 1, numClasses: 7 }), x).output.shape).toEqual([2, 7]);
    expect(traceModule(createModel("densenet40_12_cifar", { inChannels: 1, numClasses: 7 }), x).output.shape).toEqual([
      2, 7,
    ]);
    expect(() => new CifarDenseNet(41, 12)).toThrow(
      "CifarDenseNet: depth is 41; it needs 3n + 4, for three blocks of n layers",
    );
    expect(() => new CifarDenseNet(40, 12, { bc: true })).not.toThrow();
    expect(() => new CifarDenseNet(43, 12, { bc: true })).toThrow(/needs 6n \+ 4/);
  });
});

describe("upgradeDenseNetKeys", () => {
  it("gives the entries of old files their names in the network, and leaves all others", () => {
    const old = "features.denseblock2.denselayer11";
    expect(upgradeDenseNetKeys(`${old}.norm.1.running_mean`)).toBe(`${old}.norm1.running_mean`);
    expect(upgradeDenseNetKeys(`${old}.conv.2.weight`)).toBe(`${old}.conv2.weight`);
    const model = new DenseNet();
    const names = [...model.parameters().keys(), ...model.buffers().keys()];
    expect(names.map(upgradeDenseNetKeys)).toEqual(names);
    // Back and forth.
    const asOld = names.map((name) => name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, "$1.$2"));
    expect(asOld).not.toEqual(names);
    expect(asOld.map(upgradeDenseNetKeys)).toEqual(names);
    expect(upgradeDenseNetKeys("layer1.0.conv.1.weight")).toBe("layer1.0.conv.1.weight");
  });
});
