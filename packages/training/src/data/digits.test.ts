import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { digitFamilies } from "./digit-strokes.js";
import { digits } from "./digits.js";
import { classCounts } from "./split.js";
import { channelStatistics } from "./statistics.js";
import { subset } from "./subset.js";

const hashOf = (...parts: ArrayLike<number>[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(Uint8Array.from(part));
  return hash.digest("hex");
};

describe("strokes", () => {
  test("the glyphs of a family have the same strokes", () => {
    expect(digitFamilies.length).toBe(10);
    for (const family of digitFamilies.flat()) {
      const shapes = family.map((glyph) => glyph.map((stroke) => stroke.length).join(" "));
      expect(new Set(shapes).size).toBe(1);
      for (const stroke of family.flat()) {
        expect(stroke.length % 2).toBe(0);
        expect(stroke.length).toBeGreaterThanOrEqual(4);
        expect(stroke.every((v) => v >= 0 && v <= 100)).toBe(true);
      }
    }
  });
});

describe("digits", () => {
  test("the bytes are pinned", () => {
    const train = digits({ count: 500 });
    const test = digits({ count: 500, split: "test", seed: 12345 });
    expect(hashOf(train.images, train.labels)).toMatchInlineSnapshot(
      `"34e4d776053f2b571772b1b7818a90d0bd24808e60c7b6fde49077060802e537"`,
    );
    expect(hashOf(test.images, test.labels)).toMatchInlineSnapshot(
      `"b80722190c62bf9f93afa34f6110de90fa782cb1d46e37838370ec7c546ab5fa"`,
    );
  });

  test("use no function whose last bit an engine may choose", () => {
    for (const file of ["digits.ts", "digit-pen.ts", "digit-strokes.ts", "generator.ts"]) {
      const source = readFileSync(new URL(file, import.meta.url), "utf8");
      const used = new Set([...source.matchAll(/Math\.(\w+)/g)].map((match) => match[1]));
      for (const name of used) expect(["floor", "imul", "max", "min", "sqrt"]).toContain(name);
    }
  });

  test("have the promised shape, classes and balance", () => {
    const set = digits({ count: 1000 });
    expect(set).toMatchObject({ name: "digits train", count: 1000, shape: [1, 28, 28] });
    expect(classCounts(set)).toEqual(new Array(10).fill(100));
    expect(classCounts(digits({ count: 7 })).reduce((a, b) => a + b)).toBe(7);
    expect(digits({ count: 0 }).count).toBe(0);
    const { mean, std } = channelStatistics(set);
    // MNIST: 0.1307 and 0.3081.
    expect(mean[0]).toBeGreaterThan(0.09);
    expect(mean[0]).toBeLessThan(0.16);
    expect(std[0]).toBeGreaterThan(0.22);
    expect(std[0]).toBeLessThan(0.34);
  });

  test("a larger count begins with the smaller one; seeds and splits differ", () => {
    const hundred = digits({ count: 100 });
    expect(hashOf(subset(digits({ count: 155 }), { to: 100 }).images)).toBe(hashOf(hundred.images));
    const others = [
      digits({ count: 100, seed: 1 }),
      digits({ count: 100, split: "test" }),
      digits({ count: 100, seed: 2 ** 32 }),
    ];
    expect(new Set([hundred, ...others].map((set) => hashOf(set.images))).size).toBe(4);
  });

  test("no image comes twice, none is empty, none leaves the canvas", () => {
    const { images, count } = digits({ count: 2000, split: "test" });
    const seen = new Set<string>();
    let rim = 0;
    for (let i = 0; i < count; i++) {
      const image = images.subarray(i * 784, (i + 1) * 784);
      seen.add(hashOf(image));
      expect(image.reduce((sum, v) => sum + (v > 128 ? 1 : 0), 0)).toBeGreaterThan(12);
      for (let x = 0; x < 28; x++) {
        for (const at of [x, 27 * 28 + x, 28 * x, 28 * x + 27]) if ((image[at] as number) > 128) rim++;
      }
    }
    expect(seen.size).toBe(count);
    expect(rim / count).toBeLessThan(0.05);
  });

  test("refuse counts and seeds out of range", () => {
    for (const count of [-1, 0.5, Number.NaN, 2 ** 40]) expect(() => digits({ count })).toThrow("digits: count");
    expect(() => digits({ seed: 0.5 })).toThrow("digits: seed");
  });
});

describe("difficulty", () => {
  const train = digits({ count: 1500 });
  const held = digits({ count: 500, split: "test" });

  test("the mean image of each class tells most digits, but far from all", () => {
    const means = Array.from({ length: 10 }, () => new Float64Array(784));
    for (let i = 0; i < train.count; i++) {
      const mean = means[train.labels[i] as number] as Float64Array;
      for (let p = 0; p < 784; p++) mean[p] = (mean[p] as number) + (train.images[i * 784 + p] as number) / 150;
    }
    let right = 0;
    for (let i = 0; i < held.count; i++) {
      const distances = means.map((mean) => {
        let sum = 0;
        for (let p = 0; p < 784; p++) sum += ((held.images[i * 784 + p] as number) - (mean[p] as number)) ** 2;
        return sum;
      });
      if (distances.indexOf(Math.min(...distances)) === held.labels[i]) right++;
    }
    expect(right / held.count).toBeGreaterThan(0.6);
    expect(right / held.count).toBeLessThan(0.9);
  });
});
