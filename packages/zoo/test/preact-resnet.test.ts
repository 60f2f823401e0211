import { input, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { type Module, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import {
  CifarPreActResNet,
  createModel,
  type ModelName,
  PreActBlock,
  PreActBottleneck,
  PreActResNet,
} from "../src/index.js";
import { counts } from "./counts/index.js";
import { cifarBottleneckWeights } from "./counts/preact-resnet.js";
import { callsOf, logitsShape } from "./trace.js";

const pixels = Float64Array.from({ length: 16 }, (_, i) => ((i * 7) % 16) - 8);

/** A block's output for 1x4x2x2 pixels; all weights are `weight`, biases 0, batch-norm does nothing. */
function output(block: Module, weight: number): number[] {
  const x = input("x", { shape: [1, 4, 2, 2], dtype: "float32" });
  const { output: y } = traceModule(block, x);
  const feeds = new Map([["x", pixels]]);
  for (const [name, { shape }] of Object.entries(block.stateSpecs())) {
    const value = /running_var$|bn\d\.weight$/.test(name) ? 1 : /conv|downsample/.test(name) ? weight : 0;
    feeds.set(`state:${name}`, new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value));
  }
  return [...(evaluate([y as Tensor], feeds)[0] as Float64Array)];
}

describe("pre-activation blocks", () => {
  it("pass their input on as it is, negative values too", () => {
    expect(output(new PreActBlock(4, 4), 0)).toEqual([...pixels]);
    expect(output(new PreActBottleneck(4, 1), 0)).toEqual([...pixels]);
  });

  it("project the activated input, whether it is activated here or before", () => {
    const projected = (active: (value: number) => number): number[] =>
      // Convolutions of 1 at a single pixel of each map: the 3x3 of stride 2 sees all four, the projection the first of each.
      [0, 1, 2, 3].map((c) => active(pixels[4 * c] as number));
    const relu = (value: number): number => Math.max(0, value);
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const block = (preactivate: boolean): number =>
      output(new PreActBlock(4, 1, { stride: 2, preactivate }), 1)[0] as number;
    const main = (active: (value: number) => number): number => relu(sum([...pixels].map(active)));
    expect(block(true)).toBeCloseTo(main(relu) + sum(projected(relu)), 3);
    expect(block(false)).toBeCloseTo(main((v) => v) + sum(projected((v) => v)), 3);
  });

  it("with shortcut A carry the input as it came", () => {
    const y = output(new PreActBlock(4, 6, { stride: 2, shortcut: "A" }), 0);
    expect(y).toEqual([0, pixels[0], pixels[4], pixels[8], pixels[12], 0]);
  });

  it("of which the first has no batch-norm of its own", () => {
    const model = createModel("preact_resnet18");
    const own = (path: string): boolean => model.modules().has(path);
    expect([own("layer1.0.bn1"), own("layer1.1.bn1"), own("layer2.0.bn1"), own("bn")]).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });
});

describe("the networks", () => {
  it("for CIFAR-10 have 1.7 and 10.2 million weights, as printed; batch-norm, which the paper leaves out, makes it 10.3", () => {
    expect((counts.preact_resnet110_cifar / 1e6).toFixed(1)).toBe("1.7");
    expect((counts.preact_resnet164_cifar / 1e6).toFixed(1)).toBe("1.7");
    expect((cifarBottleneckWeights(111) / 1e6).toFixed(1)).toBe("10.2");
    expect(counts.preact_resnet1001_cifar).toBe(10_327_706);
    expect(counts.preact_resnet110_cifar).toBe(counts.resnet110_cifar);
  });

  it("have the depth of their names", () => {
    const layers = (name: ModelName): number =>
      [...createModel(name).parameters()].filter(([key, { shape }]) => shape.length > 1 && !key.includes("downsample"))
        .length;
    for (const depth of [18, 34, 50, 101, 152, 200]) expect(layers(`preact_resnet${depth}` as ModelName)).toBe(depth);
    for (const depth of [110, 164, 1001]) expect(layers(`preact_resnet${depth}_cifar` as ModelName)).toBe(depth);
  });

  it("cost what the same networks without pre-activation cost", () => {
    const macs = (model: Module, image: readonly number[]): number => summary(model, image).totals.macs;
    for (const depth of [18, 50, 152] as const)
      expect(macs(createModel(`preact_resnet${depth}`), [3, 224, 224])).toBe(
        macs(createModel(`resnet${depth}`), [3, 224, 224]),
      );
    expect(macs(createModel("preact_resnet110_cifar"), [3, 32, 32])).toBe(
      macs(createModel("resnet110_cifar"), [3, 32, 32]),
    );
    // 200 layers: 16 bottlenecks more in the second stage than 152 have, of 1x1, 3x3 and 1x1 at 28x28.
    const block = 784 * (2 * 512 * 128 + 9 * 128 * 128);
    expect(macs(createModel("preact_resnet200"), [3, 224, 224])).toBe(
      macs(createModel("resnet152"), [3, 224, 224]) + 16 * block,
    );
  });

  it("have the maps of the first paper", () => {
    const shapes = (name: ModelName, image: readonly number[]): Map<string, string> =>
      new Map(callsOf(createModel(name), image).map(([path, shape]) => [path, shape.join("x")]));
    const large = shapes("preact_resnet200", [3, 224, 224]);
    expect(["maxpool", "layer1", "layer2", "layer3", "layer4"].map((path) => large.get(path))).toEqual([
      "64x56x56",
      "256x56x56",
      "512x28x28",
      "1024x14x14",
      "2048x7x7",
    ]);
    const small = shapes("preact_resnet164_cifar", [3, 32, 32]);
    expect(["conv1", "layer1", "layer2", "layer3"].map((path) => small.get(path))).toEqual([
      "16x32x32",
      "64x32x32",
      "128x16x16",
      "256x8x8",
    ]);
  });

  it("can be built for other channels, classes and sizes", () => {
    expect(logitsShape("preact_resnet18", { inChannels: 1, numClasses: 7, inputSize: 40 })).toEqual([2, 7]);
    expect(logitsShape("preact_resnet110_cifar", { inChannels: 4, numClasses: 100, inputSize: 48 })).toEqual([2, 100]);
  });

  it("refuse what are no counts of blocks", () => {
    expect(() => new PreActResNet(PreActBlock, [1, 1, 1, 0])).toThrow(
      "PreActResNet: layers are [1, 1, 1, 0]; it needs four counts of blocks, each >= 1",
    );
    expect(() => new CifarPreActResNet(PreActBlock, 0)).toThrow("CifarPreActResNet: n is 0; it needs an integer >= 1");
  });
});
