import { input, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, StochasticBlock, StochasticResNet, shortcutA } from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, logitsShape } from "./trace.js";

const spec = { shape: [2, 2, 4, 4], dtype: "float32" } as const;
const pixels = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i * 3.1));

describe("ResNets with stochastic depth", () => {
  it("have the parameters of those without", () => {
    expect(counts.resnet110_stochastic_cifar).toBe(counts.resnet110_cifar);
    expect(counts.resnet1202_stochastic_cifar).toBe(19_421_274);
  });

  it("keep blocks with probabilities that fall from 1 to a half", () => {
    const survival = (model: StochasticResNet): number[] =>
      [model.layer1, model.layer2, model.layer3].flatMap((stage) =>
        stage.layers.map((block) => (block as StochasticBlock).residual.survival),
      );
    const values = survival(createModel("resnet110_stochastic_cifar"));
    expect(values).toHaveLength(54);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(1 - (0.5 * (i + 1)) / 54, 12);
    expect(survival(createModel("resnet1202_stochastic_cifar"))).toHaveLength(600);
    expect(survival(new StochasticResNet(1, { last: 0.1 })).map((value) => value.toFixed(1))).toEqual([
      "0.7",
      "0.4",
      "0.1",
    ]);
  });

  it("leave relu(shortcut) of a dropped block, and its statistics as they were", () => {
    const block = new StochasticBlock(2, 4, { stride: 2, survival: 0.5 });
    const x = input("x", spec);
    const { output, updates } = traceModule(block, x, { training: true });
    const wanted = shortcutA(x, 4, 2);
    const outcomes = Array.from({ length: 40 }, (_, seed) => {
      const feeds = new Map<string, Float64Array>([
        ["x", pixels],
        ["key", Float64Array.of(seed, 1)],
      ]);
      for (const [name, { shape }] of Object.entries(block.stateSpecs())) {
        const size = shape.reduce((a, b) => a * b, 1);
        feeds.set(
          `state:${name}`,
          Float64Array.from({ length: size }, (_, i) => 0.5 + ((i * 5) % 7) / 7),
        );
      }
      const results = evaluate([output as Tensor, wanted, ...Object.values(updates)], feeds).map((value) => [...value]);
      const [y, shortcut, ...after] = results as [number[], number[], ...number[][]];
      const dropped = y.every((value, i) => value === Math.max(0, shortcut[i] as number));
      const before = Object.keys(updates).map((name) => [...(feeds.get(`state:${name}`) as Float64Array)]);
      if (dropped) expect(after).toEqual(before);
      else expect(after).not.toEqual(before);
      return dropped;
    });
    expect(new Set(outcomes)).toEqual(new Set([true, false]));
  });

  it("compute every block in training: what is built never depends on chance", () => {
    const blocks = (training: boolean): number =>
      callsOf(createModel("resnet110_stochastic_cifar"), [3, 32, 32], { training }).filter(([path]) =>
        path.endsWith("conv2"),
      ).length;
    expect([blocks(true), blocks(false)]).toEqual([54, 54]);
  });

  it("can be built for other channels, classes and sizes", () => {
    expect(logitsShape("resnet110_stochastic_cifar", { inChannels: 1, numClasses: 100, inputSize: 28 })).toEqual([
      2, 100,
    ]);
  });

  it("refuse what is no probability", () => {
    expect(() => new StochasticResNet(3, { last: -1 })).toThrow("linearDecay: last is -1; it needs a number in 0..1");
  });
});
