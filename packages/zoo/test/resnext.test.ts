import { input, sizeOf, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { Bottleneck, CifarResNeXt, createModel } from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

describe("ResNeXt", () => {
  it("has the parameters that the paper and torchvision print: 34.4 and 68.1 million, and three exact ones", () => {
    expect((counts.resnext29_8x64d_cifar / 1e6).toFixed(1)).toBe("34.4");
    // The paper leaves batch-norm out, which would make it 68.2.
    const weights = [...createModel("resnext29_16x64d_cifar").parameters().values()].filter(
      ({ shape }) => shape.length > 1,
    );
    expect((weights.reduce((total, { shape }) => total + sizeOf(shape), 0) / 1e6).toFixed(1)).toBe("68.1");
    expect(counts.resnext29_16x64d_cifar).toBe(68_155_210);
    expect([counts.resnext50_32x4d, counts.resnext101_32x8d, counts.resnext101_64x4d]).toEqual([
      25_028_904, 88_791_336, 83_455_272,
    ]);
  });

  it("costs what table 1 prints: 4.2 billion multiply-adds where ResNet-50 costs 4.1", () => {
    const macs = summary(createModel("resnext50_32x4d"), [3, 224, 224]).totals.macs;
    expect(macs).toBe(4_230_479_872);
    // By the sum over table 1: the stem, the 1x1 from and to the paths, the 3x3 in 32 groups, the projections, the classifier.
    const stage = (n: number, from: number, d: number, size: number): number => {
      const [width, out] = [32 * d, 64 * d];
      const entry = from * width * (from === 64 ? size : 2 * size) ** 2;
      const rest = (n - 1) * out * width + n * (32 * 9 * d * d + width * out) + from * out;
      return entry + rest * size ** 2;
    };
    expect(
      147 * 64 * 112 ** 2 +
        stage(3, 64, 4, 56) +
        stage(4, 256, 8, 28) +
        stage(6, 512, 16, 14) +
        stage(3, 1024, 32, 7) +
        2048000,
    ).toBe(macs);
    expect(summary(createModel("resnet50"), [3, 224, 224]).totals.macs / 1e9).toBeCloseTo(4.1, 1);
  });

  it("adds up paths that do not see each other (figure 3: a and c are equal)", () => {
    const block = new Bottleneck(8, 2, { groups: 4, widthPerGroup: 32 });
    expect(block.conv2.weight.shape).toEqual([4, 1, 3, 3]);
    const x = input("x", { shape: [1, 8, 3, 3], dtype: "float32" });
    const { output } = traceModule(block, x);
    const pixels = Float64Array.from({ length: 72 }, (_, i) => Math.sin(i));
    // Before the last batch-norm and ReLU the block is a sum over paths: with one path's first kernel alone, and with all.
    const branch = (paths: readonly number[]): number[] => {
      const feeds = new Map<string, Float64Array>([["x", pixels]]);
      for (const [name, { shape }] of Object.entries(block.stateSpecs())) {
        const size = shape.reduce((a, b) => a * b, 1);
        const fill = (i: number): number => {
          if (name.endsWith("conv1.weight") && !paths.includes(Math.floor(i / 8))) return 0;
          if (name.includes("conv")) return Math.cos(i + size);
          // A shift that keeps the last ReLU open.
          if (name.endsWith("bn3.bias")) return 1000;
          return /bn\d\.weight|running_var/.test(name) ? 1 : 0;
        };
        feeds.set(
          `state:${name}`,
          Float64Array.from({ length: size }, (_, i) => fill(i)),
        );
      }
      const y = evaluate([output as Tensor], feeds)[0] as Float64Array;
      return [...y].map((value, i) => value - 1000 - (pixels[i] as number));
    };
    const all = branch([0, 1, 2, 3]);
    const single = [0, 1, 2, 3].map((path) => branch([path]));
    expect(single.every((path) => path.some((value) => Math.abs(value) > 0.1))).toBe(true);
    for (const [i, value] of all.entries())
      expect(value).toBeCloseTo(
        single.reduce((sum, path) => sum + (path[i] as number), 0),
        8,
      );
  });

  it("has maps of 256, 512 and 1024 channels for CIFAR, with paths that double", () => {
    const shapes = new Map(
      callsOf(createModel("resnext29_8x64d_cifar"), [3, 32, 32]).map(([path, shape]) => [path, shape.join("x")]),
    );
    expect(
      ["conv1", "layer1.0.conv2", "layer1", "layer2.0.conv1", "layer2", "layer3.2.conv2", "layer3"].map((path) =>
        shapes.get(path),
      ),
    ).toEqual(["64x32x32", "512x32x32", "256x32x32", "1024x32x32", "512x16x16", "2048x8x8", "1024x8x8"]);
  });

  it("starts from normal weights with variance 2 / fan-out", () => {
    const model = createModel("resnext29_8x64d_cifar");
    expect(startOf((model.layer1[0] as Bottleneck).conv2.weight)).toBeCloseTo(Math.sqrt(2 / (9 * 512)), 7);
  });

  it("can be built for other channels, classes and sizes", () => {
    expect(logitsShape("resnext50_32x4d", { inChannels: 1, numClasses: 7, inputSize: 64 })).toEqual([2, 7]);
    expect(logitsShape("resnext29_8x64d_cifar", { inChannels: 1, numClasses: 100, inputSize: 20 })).toEqual([2, 100]);
  });

  it("refuses a depth that no blocks make", () => {
    expect(() => new CifarResNeXt({ cardinality: 8, width: 64, depth: 30 })).toThrow(
      "CifarResNeXt: depth is 30; it needs 9n + 2 (11, 20, 29, ...)",
    );
  });
});
