import { describe, expect, test } from "vitest";
import { type ImageDataset, imageDataset } from "./dataset.js";
import { classCounts } from "./split.js";
import { channelStatistics } from "./statistics.js";
import { subset } from "./subset.js";

/** Four images [2, 1, 2]; byte = 10 * image + position. */
function small(): ImageDataset {
  const images = Uint8Array.from({ length: 16 }, (_, i) => 10 * Math.floor(i / 4) + (i % 4));
  const labels = Uint8Array.of(0, 1, 2, 1);
  return imageDataset({ name: "small", images, labels, shape: [2, 1, 2], classes: ["a", "b", "c"] });
}

describe("imageDataset", () => {
  test("counts its images", () => {
    expect(small().count).toBe(4);
    expect(classCounts(small())).toEqual([1, 2, 1]);
  });

  test("refuses parts that do not fit", () => {
    const parts = { name: "x", images: new Uint8Array(7), labels: new Uint8Array(2), classes: ["a"] };
    expect(() => imageDataset({ ...parts, shape: [1, 2, 2] })).toThrow(
      "images hold 7 bytes; 2 labels of shape [1, 2, 2] need 8",
    );
    expect(() => imageDataset({ ...parts, shape: [1, 0, 2] })).toThrow("three positive integers");
    const labels = Int32Array.of(0, -1);
    expect(() => imageDataset({ ...parts, images: new Uint8Array(8), labels, shape: [1, 2, 2] })).toThrow(
      "label -1 of image 1 is outside the 1 classes",
    );
  });
});

describe("subset", () => {
  test("of a range shares memory", () => {
    const whole = small();
    const part = subset(whole, { from: 1, to: 3 });
    expect([...part.images]).toEqual([10, 11, 12, 13, 20, 21, 22, 23]);
    expect([...part.labels]).toEqual([1, 2]);
    expect(part.count).toBe(2);
    expect(part.images.buffer).toBe(whole.images.buffer);
    expect(subset(whole, { from: 3 }).count).toBe(1);
    expect(subset(whole, { to: 0 }).count).toBe(0);
  });

  test("of indices copies, in their order", () => {
    const part = subset(small(), [3, 0, 3]);
    expect([...part.images]).toEqual([30, 31, 32, 33, 0, 1, 2, 3, 30, 31, 32, 33]);
    expect([...part.labels]).toEqual([1, 0, 1]);
    expect(subset(small(), new Int32Array(0)).count).toBe(0);
  });

  test("refuses what is outside", () => {
    for (const range of [{ from: -1 }, { to: 5 }, { from: 3, to: 2 }, { from: 0.5 }]) {
      expect(() => subset(small(), range)).toThrow("is not within the 4 images of small");
    }
    for (const index of [-1, 4, 0.5, Number.NaN]) expect(() => subset(small(), [index])).toThrow(`index ${index}`);
  });
});

describe("channelStatistics", () => {
  test("gives mean and standard deviation of pixels / 255", () => {
    const images = Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51);
    const set = imageDataset({ name: "s", images, labels: new Uint8Array(2), shape: [2, 1, 2], classes: ["a"] });
    const { mean, std } = channelStatistics(set);
    expect(mean).toEqual([0.5, 0.2]);
    expect(std).toEqual([0.5, 0]);
  });

  test("agrees with the definition", () => {
    const images = Uint8Array.from({ length: 3 * 5 * 7 * 11 }, (_, i) => (i * 97 + (i >> 3)) % 256);
    const set = imageDataset({ name: "s", images, labels: new Uint8Array(11), shape: [3, 5, 7], classes: ["a"] });
    const { mean, std } = channelStatistics(set);
    for (let c = 0; c < 3; c++) {
      const values = [...images].filter((_, i) => Math.floor(i / 35) % 3 === c).map((v) => v / 255);
      const m = values.reduce((a, b) => a + b) / values.length;
      const v = values.reduce((a, b) => a + (b - m) ** 2, 0) / values.length;
      expect(mean[c]).toBeCloseTo(m, 12);
      expect(std[c]).toBeCloseTo(Math.sqrt(v), 12);
    }
  });

  test("needs images", () => {
    expect(() => channelStatistics(subset(small(), { to: 0 }))).toThrow("small has no images");
  });
});
