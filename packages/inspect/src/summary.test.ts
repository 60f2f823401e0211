import { relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatSummary, summary, summaryCsv } from "./index.js";

const lenet = (): Sequential =>
  new Sequential(
    new Conv2d(1, 6, { kernelSize: 5, padding: 2 }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(6, 16, { kernelSize: 5 }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(16, 120, { kernelSize: 5 }),
    new ReLU(),
  );

describe("summary", () => {
  const result = summary(lenet(), [1, 28, 28]);

  it("has a row a layer, with its shape, parameters and multiply-adds", () => {
    expect(result.rows.map(({ path, type }) => `${path} ${type}`)).toEqual([
      "0 Conv2d",
      "1 ReLU",
      "2 MaxPool2d",
      "3 Conv2d",
      "4 ReLU",
      "5 MaxPool2d",
      "6 Conv2d",
      "7 ReLU",
    ]);
    expect(result.rows.map((row) => row.outputShape)).toEqual([
      [6, 28, 28],
      [6, 28, 28],
      [6, 14, 14],
      [16, 10, 10],
      [16, 10, 10],
      [16, 5, 5],
      [120, 1, 1],
      [120, 1, 1],
    ]);
    expect(result.rows.map((row) => row.parameters)).toEqual([156, 0, 0, 2416, 0, 0, 48120, 0]);
    expect(result.rows.map((row) => row.macs)).toEqual([6 * 25 * 784, 0, 0, 16 * 150 * 100, 0, 0, 120 * 400, 0]);
  });

  it("follows the receptive field", () => {
    expect(result.rows.map((row) => row.receptiveField?.[0])).toEqual([5, 5, 6, 14, 14, 16, 32, 32]);
  });

  it("adds up", () => {
    expect(result.totals.parameters).toBe(156 + 2416 + 48120);
    expect(result.totals.macs).toBe(117600 + 240000 + 48000);
    expect(result.totals.activationBytes).toBe(4 * (2 * 4704 + 1176 + 2 * 1600 + 400 + 240));
  });

  it("prints a table and CSV", () => {
    expect(formatSummary(result)).toMatchSnapshot();
    const lines = summaryCsv(result).trimEnd().split("\n");
    expect(lines[0]).toBe("layer,type,output,parameters,multiply_adds,activation_bytes,receptive_field");
    expect(lines[1]).toBe("0,Conv2d,6x28x28,156,117600,18816,5x5");
    expect(lines).toHaveLength(9);
  });

  it("counts a shared module once, and a module's own operations with it", () => {
    class Twice extends Module {
      readonly conv = new Conv2d(4, 4, { kernelSize: 3, padding: 1 });
      readonly bn = new BatchNorm2d(4);
      override forward(x: Tensor, ctx: Context): Tensor {
        return relu(ctx.call(this.bn, ctx.call(this.conv, ctx.call(this.conv, x))));
      }
    }
    const { rows, totals } = summary(new Twice(), [4, 8, 8]);
    expect(rows.map((row) => row.parameters)).toEqual([148, 0, 8]);
    expect(totals.parameters).toBe(156);
    expect(totals.bufferValues).toBeGreaterThanOrEqual(8);
    expect(totals.macs).toBe(2 * 64 * 4 * 36);
    expect(rows.map((row) => row.receptiveField?.[1])).toEqual([3, 5, 5]);
  });

  it("sees everything after global pooling, and nothing as a map after a linear layer", () => {
    const model = new Sequential(new Conv2d(3, 8, { kernelSize: 3, stride: 2 }), new GlobalAvgPool({ keepDims: true }));
    expect(summary(model, [3, 17, 9]).rows[1]?.receptiveField?.[0]).toBe(17);
    expect(summary(new Sequential(new Linear(9, 2)), [3, 17, 9]).rows[0]?.outputShape).toEqual([3, 17, 2]);
  });

  it("names an input that does not fit, with the layer", () => {
    expect(() => summary(lenet(), [3, 28, 28])).toThrow(/conv2d: input has 3 channels; .* needs 1[\s\S]*at 0/);
    expect(() => summary(lenet(), [28, 28])).toThrow(/needs \[C, H, W\]/);
  });
});

describe("units", () => {
  it("round to three digits", () => {
    expect([0, 999, 1000, 61706, 999_999, 25_557_032, 4_111_514_624].map(formatCount)).toEqual([
      "0",
      "999",
      "1.00 K",
      "61.7 K",
      "1.00 M",
      "25.6 M",
      "4.11 G",
    ]);
    expect([0, 1023, 1024, 18816, 102_228_128].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.00 KiB",
      "18.4 KiB",
      "97.5 MiB",
    ]);
  });
});
