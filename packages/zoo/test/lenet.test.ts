import { createHash } from "node:crypto";
import { hostTensor, input, type Shape, sizeOf, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, LeNet1, leastInputSize, lenet1LossPerSample, type ModelName } from "../src/index.js";
import { digitBitmaps } from "../src/models/lenet-bitmaps.js";
import { callsOf, logitsShape } from "./trace.js";

/** Values for every entry of the state from a fixed formula. */
function feedsOf(name: ModelName, image: Shape): Map<string, ReturnType<typeof hostTensor>> {
  const model = createModel(name);
  const { params, buffers } = model.initialState({ seed: 1 });
  const flat = [
    ...Object.entries(params ?? {}).map(([k, v]) => [`state:params/${k}`, v]),
    ...Object.entries(buffers ?? {}).map(([k, v]) => [`state:buffers/${k}`, v]),
  ];
  const pixels = Float32Array.from({ length: sizeOf(image) }, (_, i) => ((i * 37) % 101) / 101 - 0.3);
  return new Map([...flat, ["x", hostTensor(pixels, image)]] as [string, ReturnType<typeof hostTensor>][]);
}

describe("lenet1, as published in 1990", () => {
  const calls = callsOf(createModel("lenet1"), [1, 28, 28]).slice(0, 5);

  it("has the paper's maps", () => {
    expect(calls).toEqual([
      ["h1", [4, 24, 24]],
      ["h2", [4, 12, 12]],
      ["h3", [12, 8, 8]],
      ["h4", [12, 4, 4]],
      ["output", [10]],
    ]);
  });

  it("has the paper's 98,442 connections and 4,635 units, its constant one and the pixels among them", () => {
    const units = calls.map(([, shape]) => sizeOf(shape));
    expect(units.reduce((sum, count) => sum + count, 784 + 1)).toBe(4635);
    // What a map's units read, over all maps, and a bias each: 5x5 pixels, 2x2 pixels, 20 kernels in all, 2x2 pixels, the last map.
    const perPosition = [4 * 26, 4 * 5, 20 * 25 + 12, 12 * 5, 10 * 193];
    const positions = [24 ** 2, 12 ** 2, 8 ** 2, 4 ** 2, 1];
    expect(units).toEqual(positions.map((count, i) => count * ([4, 4, 12, 12, 10][i] as number)));
    expect(positions.reduce((sum, count, i) => sum + count * (perPosition[i] as number), 0)).toBe(98442);
    expect(createModel("lenet1").h3.weight.shape).toEqual([20, 5, 5]);
  });

  it("keeps the halves of H2 and H3 apart", () => {
    const { h3 } = createModel("lenet1");
    const x = input("x", { shape: [1, 4, 5, 5], dtype: "float32" });
    const { output } = traceModule(h3, x);
    const reached = Array.from({ length: 4 }, (_, map) => {
      const pixels = new Float32Array(100).fill(1, map * 25, (map + 1) * 25);
      const feeds = new Map([
        ["state:params/weight", hostTensor(new Float32Array(500).fill(1), [20, 5, 5])],
        ["state:params/bias", hostTensor(new Float32Array(12), [12])],
        ["x", hostTensor(pixels, [1, 4, 5, 5])],
      ]);
      return [...toNumbersOf(evaluate([output], feeds)[0])].map((value) => value / 25).join("");
    });
    expect(reached).toEqual(["111011000000", "011111000000", "000000111011", "000000011111"]);
  });

  it("is trained towards 1 for the right class and -1 for the others", () => {
    const output = input("output", { shape: [2, 3], dtype: "float32" });
    const labels = input("labels", { shape: [2], dtype: "int32" });
    const feeds = new Map([
      ["output", hostTensor(Float32Array.of(-1, 1, -1, 0.5, 0, -1), [2, 3])],
      ["labels", hostTensor(Int32Array.of(1, 0), [2])],
    ]);
    const [losses] = evaluate([lenet1LossPerSample(output, labels)], feeds);
    expect([...toNumbersOf(losses)]).toEqual([0, 0.5 * (0.25 + 1)]);
  });

  it("can be built for other channels, classes and sizes, from 16 pixels on", () => {
    expect(logitsShape("lenet1", { inChannels: 3, numClasses: 7, inputSize: 32 })).toEqual([2, 7]);
    expect(leastInputSize("lenet1")).toBe(16);
    expect(() => new LeNet1({ inputSize: 15 })).toThrow(
      "lenet1: images of [15, 15] leave 1 pixels along one side for h4; its window covers 2",
    );
  });

  it("refuses images of another size than it was built for", () => {
    const images = input("x", { shape: [4, 1, 36, 36], dtype: "float32" });
    expect(() => traceModule(createModel("lenet1"), images)).toThrow(/input has 432 features.* 192/);
  });
});

describe("lenet5, as published", () => {
  it("connects C3 by Table I: a change in one map of S2 reaches exactly the units that list it", () => {
    const model = createModel("lenet5") as unknown as { c3: Parameters<typeof traceModule>[0] };
    const x = input("x", { shape: [1, 6, 14, 14], dtype: "float32" });
    const { output } = traceModule(model.c3 as never, x as never);
    const specs = (model.c3 as unknown as { stateSpecs(): Record<string, { shape: Shape }> }).stateSpecs();
    const ones = Object.entries(specs).map(([key, { shape }]) => {
      const value = key.endsWith("weight") ? 1 : 0;
      return [`state:${key}`, hostTensor(new Float32Array(sizeOf(shape)).fill(value), shape)] as const;
    });
    const reached = Array.from({ length: 6 }, (_, map) => {
      const pixels = new Float32Array(6 * 196);
      pixels.fill(1, map * 196, (map + 1) * 196);
      const [y] = evaluate([output as Tensor], new Map([...ones, ["x", hostTensor(pixels, [1, 6, 14, 14])]]));
      const values = toNumbersOf(y);
      return Array.from({ length: 16 }, (_, unit) => (values[unit * 100] === 25 ? unit : -1)).filter(
        (unit) => unit >= 0,
      );
    });
    expect(reached.map((units) => units.length)).toEqual([10, 10, 10, 10, 10, 10]);
    expect(reached[0]).toEqual([0, 4, 5, 6, 9, 10, 11, 12, 14, 15]);
  });

  it("answers with minus the squared distance to each bitmap", () => {
    const image = [1, 1, 32, 32];
    const model = createModel("lenet5");
    const x = input("x", { shape: image, dtype: "float32" });
    const { output } = traceModule(model, x);
    const [y] = evaluate([output], feedsOf("lenet5", image));
    const values = toNumbersOf(y);
    expect(values).toHaveLength(10);
    for (const value of values) expect(value).toBeLessThan(0);
  });

  it("has ten different bitmaps of 7x12", () => {
    expect(new Set(digitBitmaps.map((bitmap) => bitmap.join(""))).size).toBe(10);
    for (const bitmap of digitBitmaps) expect(bitmap).toHaveLength(84);
    expect(createHash("md5").update(digitBitmaps.flat().join()).digest("hex")).toMatchSnapshot();
  });

  it("refuses images of another size than 32 to 35", () => {
    expect(logitsShape("lenet5", { inputSize: 35 })).toEqual([2, 10]);
    expect(() => createModel("lenet5", { inputSize: 36 })).toThrow(/^lenet5: 36x36 images do not fit; 32x32 do/);
    expect(() => createModel("lenet5", { inputSize: 31 })).toThrow(/are too small; the least is 32x32/);
  });

  it("refuses more classes than it has bitmaps", () => {
    expect(() => createModel("lenet5", { numClasses: 11 })).toThrow(
      /bitmaps for 10 digits. lenet5_modern can be built for any/,
    );
  });
});

function toNumbersOf(value: unknown): Float64Array {
  return value instanceof Float64Array ? value : toNumbers(value as never);
}
