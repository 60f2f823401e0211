import { input, type Shape, type Tensor } from "@ocelli/core";
import { type LayerRow, summary } from "@ocelli/inspect";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import {
  type AuxiliaryOutput,
  checkTrainingSize,
  createModel,
  GoogLeNet2014,
  Inception,
  leastInputSize,
  NaiveInception,
} from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

/** Multiply-adds of each of a network's own fields. */
function costs(rows: readonly LayerRow[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { path, macs } of rows) {
    const [field = ""] = path.split(".");
    sums.set(field, (sums.get(field) ?? 0) + macs);
  }
  return sums;
}

const shapeOf = (module: NaiveInception | Inception): Shape =>
  (traceModule(module, input("x", { shape: [1, 256, 28, 28], dtype: "float32" })).output as Tensor).shape;

describe("the modules at 28x28x256, as the course compares them", () => {
  const filters = { conv1x1: 128, conv3x3: 192, conv5x5: 96 };

  it("naive: 672 channels out, 854,196,224 multiply-adds", () => {
    const naive = new NaiveInception(256, filters);
    expect(shapeOf(naive)).toEqual([1, 672, 28, 28]);
    expect(summary(naive, [256, 28, 28]).totals.macs).toBe(854_196_224);
  });

  it("reduced: 480 channels out, 271,351,808; with the 3x3 branch once more the slide's 358 M", () => {
    const reduced = new Inception(256, { ...filters, reduce3x3: 64, reduce5x5: 64, poolProject: 64 });
    expect(shapeOf(reduced)).toEqual([1, 480, 28, 28]);
    const { totals, rows } = summary(reduced, [256, 28, 28]);
    expect(totals.macs).toBe(271_351_808);
    const branch = rows.find(({ path }) => path === "conv3x3")?.macs as number;
    expect(branch).toBe(86_704_128);
    expect(Math.round((totals.macs + branch) / 1e6)).toBe(358);
  });
});

// The fields that end a row of table 1, and the row's output.
const outputs: readonly (readonly [string, Shape])[] = [
  ["conv1", [64, 112, 112]],
  ["pool1", [64, 56, 56]],
  ["conv2", [192, 56, 56]],
  ["pool2", [192, 28, 28]],
  ["inception3a", [256, 28, 28]],
  ["inception3b", [480, 28, 28]],
  ["pool3", [480, 14, 14]],
  ["inception4a", [512, 14, 14]],
  ["inception4b", [512, 14, 14]],
  ["inception4c", [512, 14, 14]],
  ["inception4d", [528, 14, 14]],
  ["inception4e", [832, 14, 14]],
  ["pool4", [832, 7, 7]],
  ["inception5a", [832, 7, 7]],
  ["inception5b", [1024, 7, 7]],
  ["pool5", [1024]],
  ["fc", [1000]],
];

describe("googlenet_2014", () => {
  it("has the output sizes of table 1", () => {
    const calls = new Map(callsOf(new GoogLeNet2014(), [3, 224, 224]));
    for (const [field, shape] of outputs) expect(calls.get(field), field).toEqual(shape);
  });

  it("with the separable first layer costs what table 1 prints, but for two of its rows", () => {
    const { rows } = summary(new GoogLeNet2014({ separableStem: true }), [3, 224, 224]);
    const millions = (...fields: readonly string[]): number =>
      Math.round(fields.reduce((sum, field) => sum + (costs(rows).get(field) as number), 0) / 1e6);
    expect(millions("conv1")).toBe(34);
    expect(millions("conv2_reduce", "conv2")).toBe(360);
    expect(["3a", "3b", "4b", "4c", "4d", "4e", "5b"].map((row) => millions(`inception${row}`))).toEqual([
      128, 304, 88, 100, 119, 170, 71,
    ]);
    expect(millions("fc")).toBe(1);
    // The table has 73 and 54: the first is cut off, not rounded; the second does not follow from its own filters.
    expect([millions("inception4a"), millions("inception5a")]).toEqual([74, 51]);
    // Section 5: 1.5 billion multiply-adds.
    const total = rows.reduce((sum, { macs }) => sum + macs, 0);
    expect((total / 1e9).toFixed(1)).toBe("1.5");
  });

  it("has the first layer's 2.7 K weights only with the separable one", () => {
    const weights = (options: { separableStem?: boolean }): number =>
      [...new GoogLeNet2014(options).parameters()]
        .filter(([name]) => name.startsWith("conv1.") && name.endsWith("weight"))
        .reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(weights({ separableStem: true })).toBe(2712);
    expect(weights({})).toBe(64 * 147);
  });

  it("classifies from 4a and 4d, too, in training: 4x4x128, then 1024 units", () => {
    const calls = new Map(callsOf(new GoogLeNet2014(), [3, 224, 224], { training: true }));
    for (const [head, channels] of [
      ["aux1", 512],
      ["aux2", 528],
    ] as const) {
      expect(calls.get(`${head}.pool`)).toEqual([channels, 4, 4]);
      expect(calls.get(`${head}.conv`)).toEqual([128, 4, 4]);
      expect(calls.get(`${head}.fc1`)).toEqual([1024]);
      expect(calls.get(head)).toEqual([1000]);
    }
    const model = new GoogLeNet2014();
    expect([model.dropout.p, model.aux1.dropout.p, model.aux2.dropout.p]).toEqual([0.4, 0.7, 0.7]);
  });

  it("starts from a variance of 1/fan-in and biases of 0.2, the classifiers' 0", () => {
    const { conv1, inception3a, aux1, fc } = new GoogLeNet2014();
    expect(startOf(conv1.parameters().get("weight") ?? null)).toBeCloseTo(Math.sqrt(3 / 147), 6);
    expect(startOf(inception3a.conv5x5.weight)).toBeCloseTo(Math.sqrt(3 / (25 * 16)), 6);
    expect(startOf(inception3a.conv5x5.bias)).toBeCloseTo(0.2, 6);
    expect([startOf(aux1.fc2.bias), startOf(fc.bias)]).toEqual([0, 0]);
  });

  it("takes images from 79x79 on, since its auxiliary classifiers pool 5x5", () => {
    expect(leastInputSize("googlenet_2014")).toBe(79);
    expect(() => new GoogLeNet2014({ inputSize: 78 })).toThrow(/AuxiliaryClassifier.*4.*pool.*5/);
    expect(() => createModel("googlenet_2014", { inputSize: 64 })).toThrow(
      "googlenet_2014: 64x64 images are too small; the least is 79x79",
    );
  });
});

describe("googlenet", () => {
  it("has the paper's output sizes, though its poolings and 5x5 convolutions differ", () => {
    const calls = new Map(callsOf(createModel("googlenet"), [3, 224, 224]));
    const renamed: Readonly<Record<string, string>> = { conv2: "conv3", pool5: "avgpool" };
    for (const [field, shape] of outputs) {
      expect(calls.get(renamed[field] ?? field.replace("pool", "maxpool")), field).toEqual(shape);
    }
  });

  it("starts from N(0, 0.01), as torchvision does", () => {
    const { conv1, aux1, fc } = createModel("googlenet");
    const starts = [conv1.conv.weight, aux1.fc1.weight, fc.weight].map(startOf);
    for (const start of starts) expect(start).toBeCloseTo(0.01, 9);
    expect(conv1.bn.eps).toBe(0.001);
  });

  it("trains on images of any size that it evaluates", () => {
    expect(() => checkTrainingSize("googlenet", { inputSize: 40 })).not.toThrow();
  });
});

describe("both", () => {
  it.each(["googlenet", "googlenet_2014"] as const)("%s: channels, classes, sizes", (name) => {
    expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 96 })).toEqual([2, 7]);
    const x = input("x", { shape: [2, 1, 96, 96], dtype: "float32" });
    const model = createModel(name, { inChannels: 1, numClasses: 7, inputSize: 96 });
    const { logits, aux1, aux2 } = traceModule(model, x, { training: true }).output as AuxiliaryOutput;
    for (const output of [logits, aux1, aux2]) expect(output?.shape).toEqual([2, 7]);
  });
});
