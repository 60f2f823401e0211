import { input, sizeOf } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { type Conv2d, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import {
  BasicBlock,
  Bottleneck,
  createModel,
  type ModelName,
  modelEntry,
  PlainBlock,
  ResNet,
  type ResNetOptions,
  shortcutA,
} from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, startOf } from "./trace.js";

/** Shapes of the layers' outputs by path. */
const shapesOf = (model: ResNet, image: readonly number[]): Readonly<Record<string, string>> =>
  Object.fromEntries(callsOf(model, image).map(([path, shape]) => [path, shape.join("x")]));

const macs = (model: ResNet): number => summary(model, [3, 224, 224]).totals.macs;

/** Multiply-adds of a convolution whose output is a square of `size`. */
const conv = (kernel: number, from: number, to: number, size: number): number => kernel ** 2 * from * to * size ** 2;

type Four = readonly [number, number, number, number];
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const stem = conv(7, 3, 64, 112);

/** Table 1 with two 3x3 a block; the projections of option B are apart. */
const basic = (blocks: Four): number =>
  stem + total(blocks.map((n, i) => (2 * n - (i > 0 ? 0.5 : 0)) * conv(3, 64, 64, 56))) + 512 * 1000;

/** Table 1 with bottlenecks. Of a stage's first block, the 1x1 works on the larger map unless it has the stride. */
const bottleneck = (blocks: Four, strideIn: "1x1" | "3x3"): number =>
  stem +
  2048 * 1000 +
  total(
    blocks.map((n, i) => {
      const [planes, size] = [64 * 2 ** i, 56 / 2 ** i];
      const from = i === 0 ? 64 : 2 * planes;
      const first = conv(1, from, planes, i > 0 && strideIn === "3x3" ? 2 * size : size);
      const rest = (n - 1) * conv(1, 4 * planes, planes, size);
      const shared = n * (conv(3, planes, planes, size) + conv(1, planes, 4 * planes, size));
      return first + rest + shared + conv(1, from, 4 * planes, size);
    }),
  );

describe("parameters", () => {
  it("are those that torchvision prints", () => {
    const printed = [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808];
    expect([18, 34, 50, 101, 152].map((depth) => counts[`resnet${depth}` as ModelName])).toEqual(printed);
  });

  it("of options B and C grow by their projections", () => {
    const count = (shortcut: "A" | "B" | "C"): number =>
      summary(new ResNet(BasicBlock, [3, 4, 6, 3], { shortcut }), [3, 64, 64]).totals.parameters;
    const projection = (from: number, to: number): number => from * to + 2 * to;
    const across = projection(64, 128) + projection(128, 256) + projection(256, 512);
    expect(count("A")).toBe(counts.plain34);
    expect(count("B")).toBe(counts.plain34 + across);
    const along =
      3 * projection(64, 64) + 3 * projection(128, 128) + 5 * projection(256, 256) + 2 * projection(512, 512);
    expect(count("C")).toBe(counts.plain34 + across + along);
  });
});

describe("multiply-adds at 224", () => {
  it("as published agree with table 1: 1.8, 3.6, 3.8, 7.6 and 11.3 billion", () => {
    const exact = {
      resnet18_2015: 1_794_805_760,
      resnet34_2015: 3_644_493_824,
      resnet50_2015: 3_857_973_248,
      resnet101_2015: 7_570_194_432,
      resnet152_2015: 11_282_415_616,
    } as const;
    const names = Object.keys(exact) as (keyof typeof exact)[];
    expect(Object.fromEntries(names.map((name) => [name, macs(createModel(name))]))).toEqual(exact);
    // The paper cuts 3.86 off to 3.8, and rounds the others.
    expect(names.map((name) => exact[name] / 1e9).map((g) => Math.round(g * 10) / 10)).toEqual([
      1.8, 3.6, 3.9, 7.6, 11.3,
    ]);
    expect(Math.floor(exact.resnet50_2015 / 1e8)).toBe(38);
    expect(exact.resnet18_2015).toBe(basic([2, 2, 2, 2]));
    expect(exact.resnet34_2015).toBe(basic([3, 4, 6, 3]));
    expect(exact.resnet50_2015).toBe(bottleneck([3, 4, 6, 3], "1x1"));
    expect(exact.resnet101_2015).toBe(bottleneck([3, 4, 23, 3], "1x1"));
    expect(exact.resnet152_2015).toBe(bottleneck([3, 8, 36, 3], "1x1"));
  });

  it("of the plain networks are those of shortcut A", () => {
    expect(macs(createModel("plain18"))).toBe(basic([2, 2, 2, 2]));
    expect(macs(createModel("plain34"))).toBe(basic([3, 4, 6, 3]));
  });

  it("in torchvision's form have the projections, and the stride in the 3x3", () => {
    const projections = conv(1, 64, 128, 28) + conv(1, 128, 256, 14) + conv(1, 256, 512, 7);
    expect(macs(createModel("resnet18"))).toBe(basic([2, 2, 2, 2]) + projections);
    expect(macs(createModel("resnet34"))).toBe(basic([3, 4, 6, 3]) + projections);
    expect(macs(createModel("resnet50"))).toBe(4_089_184_256);
    expect(bottleneck([3, 4, 6, 3], "3x3")).toBe(4_089_184_256);
    expect(macs(createModel("resnet101"))).toBe(bottleneck([3, 4, 23, 3], "3x3"));
    expect(macs(createModel("resnet152"))).toBe(bottleneck([3, 8, 36, 3], "3x3"));
  });

  it("agree with the 4,111,514,624 of tools that also count 2 an element of batch-norm and 50 for each mean of 49 pixels", () => {
    const { rows } = summary(createModel("resnet50"), [3, 224, 224]);
    const normalised = rows
      .filter(({ type }) => type === "BatchNorm2d")
      .map(({ outputShape }) => sizeOf(outputShape ?? []));
    expect(4_089_184_256 + 2 * total(normalised) + 50 * 2048).toBe(4_111_514_624);
  });
});

describe("maps", () => {
  it.each(["resnet18", "resnet50", "resnet50_2015", "plain34"] as const)("of %s are table 1's", (name) => {
    const shapes = shapesOf(createModel(name), [3, 224, 224]);
    const k = name.startsWith("resnet50") ? 4 : 1;
    expect(
      ["conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", ""].map((path) => shapes[path]),
    ).toEqual([
      "64x112x112",
      "64x56x56",
      `${64 * k}x56x56`,
      `${128 * k}x28x28`,
      `${256 * k}x14x14`,
      `${512 * k}x7x7`,
      `${512 * k}`,
      "1000",
    ]);
  });

  it("shrink in the first 1x1 as published, in the 3x3 with torchvision", () => {
    expect(shapesOf(createModel("resnet50_2015"), [3, 224, 224])["layer2.0.conv1"]).toBe("128x28x28");
    const torchvision = shapesOf(createModel("resnet50"), [3, 224, 224]);
    expect([torchvision["layer2.0.conv1"], torchvision["layer2.0.conv2"]]).toEqual(["128x56x56", "128x28x28"]);
  });

  it("follow other channels, classes and sizes", () => {
    const model = createModel("resnet18", { inChannels: 1, numClasses: 7, inputSize: [64, 96] });
    const shapes = shapesOf(model, [1, 64, 96]);
    expect([shapes.layer4, shapes[""]]).toEqual(["512x2x3", "7"]);
  });
});

describe("shortcuts", () => {
  it("A takes every second pixel and puts zeros on both sides of the channels", () => {
    const x = input("x", { shape: [1, 2, 3, 4], dtype: "float32" });
    const [y] = evaluate([shortcutA(x, 5, 2)], new Map([["x", Float64Array.from({ length: 24 }, (_, i) => i + 1)]]));
    // [1, 5, 2, 2]: one channel before (the smaller half), two after.
    expect([...(y as Float64Array)]).toEqual([0, 0, 0, 0, 1, 3, 9, 11, 13, 15, 21, 23, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(shortcutA(x, 2, 1)).toBe(x);
  });

  it("pass the input where the branch is 0, and a plain block passes nothing", () => {
    const output = (block: BasicBlock | Bottleneck | PlainBlock): number[] => {
      const x = input("x", { shape: [1, 4, 2, 2], dtype: "float32" });
      const feeds = new Map([["x", Float64Array.from({ length: 16 }, (_, i) => i - 5)]]);
      for (const [name, { shape }] of Object.entries(block.stateSpecs()))
        feeds.set(
          `state:${name}`,
          new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(name.endsWith("var") ? 1 : 0),
        );
      return [...(evaluate([traceModule(block, x).output], feeds)[0] as Float64Array)];
    };
    const positive = Array.from({ length: 16 }, (_, i) => Math.max(0, i - 5));
    expect(output(new BasicBlock(4, 4))).toEqual(positive);
    expect(output(new Bottleneck(4, 1))).toEqual(positive);
    expect(output(new PlainBlock(4, 4))).toEqual(new Array(16).fill(0));
  });

  it("of the paper's table: A up to 34 layers, B from 50 on", () => {
    const projections = (name: ModelName): number =>
      [...createModel(name).parameters().keys()].filter((key) => /downsample\.0\.weight$/.test(key)).length;
    expect((["resnet18_2015", "resnet34_2015", "resnet50_2015", "resnet152_2015"] as const).map(projections)).toEqual([
      0, 0, 4, 4,
    ]);
  });
});

describe("first weights", () => {
  const second = (model: ResNet): Conv2d => (model.layer2[0] as BasicBlock).conv1;

  it("have variance 2 / fan-in as published, 2 / fan-out with torchvision", () => {
    // 64 channels to 128.
    expect(startOf(second(createModel("resnet18_2015")).weight)).toBeCloseTo(Math.sqrt(2 / (9 * 64)), 7);
    expect(startOf(second(createModel("resnet18")).weight)).toBeCloseTo(Math.sqrt(2 / (9 * 128)), 7);
    // The classifier: the paper's rule again, and PyTorch's default.
    expect(startOf(createModel("resnet18_2015").fc.weight)).toBeCloseTo(Math.sqrt(2 / 512), 7);
    expect(startOf(createModel("resnet18").fc.weight)).toBeCloseTo(Math.sqrt(1 / 512), 7);
  });
});

describe("options", () => {
  const build = (options: object) => () => new ResNet(BasicBlock, [1, 1, 1, 1], options as ResNetOptions);

  it("that make no sense are refused", () => {
    expect(build({ shortcut: "D" })).toThrow('ResNet: shortcut is "D"; it needs to be "A", "B" or "C"');
    expect(build({ groups: 32, widthPerGroup: 4 })).toThrow(
      "BasicBlock: groups is 32 and widthPerGroup 4; it needs 1 and 64. Groups and widths are for Bottleneck.",
    );
    expect(() => new ResNet(BasicBlock, [1, 1, 0, 1])).toThrow(
      "ResNet: layers are [1, 1, 0, 1]; it needs four counts of blocks, each >= 1",
    );
    expect(() => new ResNet(Bottleneck, [1, 1, 1, 1], { strideIn: "2x2" as "1x1" })).toThrow(
      'Bottleneck: strideIn is "2x2"; it needs to be "1x1" or "3x3"',
    );
  });

  it("name the weights by their hashes", () => {
    for (const name of ["resnet18", "resnet50", "resnet152"] as const) {
      for (const { url, sha256 } of modelEntry(name).weights ?? []) {
        expect(url).toMatch(new RegExp(`/${name}-${sha256}\\.pth$`));
        expect(sha256).toMatch(/^[0-9a-f]{8}$/);
      }
    }
  });
});
