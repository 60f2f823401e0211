import { describe, expect, it } from "vitest";
import { ArgumentError, nearMatches } from "./errors.js";
import {
  broadcastShapes,
  inputReceptiveField,
  normalizeAxes,
  padding4,
  pair,
  poolSize,
  receptiveField,
  samePadding,
  stridesOf,
  windowCount,
} from "./shape.js";

describe("shapes", () => {
  it("broadcast as NumPy's do", () => {
    expect(broadcastShapes([2, 1, 3], [4, 1], "t")).toEqual([2, 4, 3]);
    expect(broadcastShapes([], [0, 1], "t")).toEqual([0, 1]);
    expect(broadcastShapes([1], [0], "t")).toEqual([0]);
    expect(() => broadcastShapes([2], [3], "t")).toThrow("2 against 3 in dimension -1");
    expect(() => broadcastShapes([2, 1], [3, 1], "t")).toThrow("2 against 3 in dimension -2");
    expect(() => broadcastShapes([0], [3], "t")).toThrow("0 against 3");
  });

  it("have row-major strides and normal axes", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(normalizeAxes([-1, 0], 3, "t")).toEqual([0, 2]);
    expect(normalizeAxes(undefined, 2, "t")).toEqual([0, 1]);
    expect(() => normalizeAxes([0, -2], 2, "t")).toThrow(ArgumentError);
    expect(() => normalizeAxes(0.5, 2, "t")).toThrow("axis 0.5");
  });
});

describe("windows", () => {
  it("are counted as PyTorch counts them", () => {
    expect(windowCount(224, 7, 2, 3, 3)).toBe(112);
    expect(windowCount(10, 3, 1, 0, 0, 4)).toBe(2);
    expect([false, true].map((ceil) => poolSize(6, 3, 2, 0, 0, 1, ceil))).toEqual([2, 3]);
    // The last window would start in the trailing padding.
    expect(poolSize(4, 2, 3, 1, 1, 1, true)).toBe(2);
    expect(poolSize(5, 2, 3, 1, 1, 1, true)).toBe(2);
  });

  it("keep their size with the padding called same", () => {
    for (const [size, kernel, stride, dilation] of [
      [5, 3, 1, 1],
      [6, 4, 2, 1],
      [7, 3, 2, 2],
      [3, 1, 4, 1],
    ] as const) {
      const [before, after] = samePadding(size, kernel, stride, dilation);
      expect(windowCount(size, kernel, stride, before, after, dilation)).toBe(Math.ceil(size / stride));
      expect(after - before === 0 || after - before === 1).toBe(true);
    }
  });

  it("add up to a receptive field", () => {
    let field = receptiveField(inputReceptiveField, { kernel: 7, stride: 2, before: 3 });
    field = receptiveField(field, { kernel: 3, stride: 2, before: 1 });
    expect(field).toEqual({ size: 11, jump: 4, start: 0 });
    expect(receptiveField(inputReceptiveField, { kernel: 3, stride: 1, before: 0, dilation: 2 })).toEqual({
      size: 5,
      jump: 1,
      start: 2,
    });
  });

  it("take one, two or four numbers", () => {
    expect([pair(2, "k", "t"), pair([1, 2], "k", "t"), padding4([1, 2], "t"), padding4(3, "t")]).toEqual([
      [2, 2],
      [1, 2],
      [1, 1, 2, 2],
      [3, 3, 3, 3],
    ]);
    expect(() => pair([1, 2, 3] as never, "kernelSize", "t")).toThrow(
      "t: kernelSize is [1,2,3]; it needs one or two integers >= 1",
    );
    expect(() => padding4([1, 2, 3] as never, "t")).toThrow(ArgumentError);
  });
});

describe("nearMatches", () => {
  it("finds typing errors, other places of one name, and prefixes; not strangers", () => {
    const names = ["layer1.0.conv1.weight", "layer1.0.conv2.weight", "fc.weight", "fc.bias"];
    expect(nearMatches("layer1.0.conv3.weight", names).slice(0, 2)).toEqual([
      "layer1.0.conv1.weight",
      "layer1.0.conv2.weight",
    ]);
    expect(nearMatches("fc.wieght", names)).toEqual(["fc.weight"]);
    expect(nearMatches("module.fc.bias", names)).toEqual(["fc.bias"]);
    expect(nearMatches("step", names)).toEqual([]);
  });
});
