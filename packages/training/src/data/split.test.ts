import { describe, expect, test } from "vitest";
import { type ImageDataset, imageDataset } from "./dataset.js";
import type { ImageSource } from "./source.js";
import { classWeights, split, splitIndices } from "./split.js";
import { measureStatistics } from "./statistics.js";
import { subset } from "./subset.js";

const classes = ["a", "b", "c"];

/** Class 0 nine times as often as class 1; class 2 once. */
function uneven(): ImageDataset {
  const labels = Int32Array.from({ length: 111 }, (_, i) => (i === 50 ? 2 : i % 11 === 0 ? 1 : 0));
  const images = Uint8Array.from({ length: 222 }, (_, i) => i >> 1);
  return imageDataset({ name: "uneven", images, labels, shape: [1, 1, 2], classes });
}

/** The same as a source; `broken` cannot be read. */
function sourceOf(set: ImageDataset, broken: readonly number[] = []): ImageSource {
  const { images: _, ...rest } = set;
  return {
    ...rest,
    read: async ({ indices }) => ({
      images: subset(set, indices).images,
      broken: [...indices.keys()].filter((place) => broken.includes(indices[place] as number)),
    }),
  };
}

const countsOf = ({ labels }: { labels: ArrayLike<number> }) =>
  classes.map((_, c) => Array.from(labels).filter((label) => label === c).length);

describe("split", () => {
  test("takes the same share of every class, and each image once", () => {
    const set = uneven();
    const { train, validation } = splitIndices(set, { validation: 0.2, seed: 1 });
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...set.labels.keys()]);
    expect([...validation]).toEqual([...validation].sort((a, b) => a - b));
    const parts = split(set, { validation: 0.2, seed: 1 });
    expect(countsOf(parts.validation)).toEqual([20, 2, 0]);
    expect(countsOf(parts.train)).toEqual([79, 9, 1]);
    expect(parts.validation).toMatchObject({ count: 22, classes, shape: [1, 1, 2] });
    expect(parts.validation.images[2]).toBe(validation[1]);
  });

  test("is a function of the seed", () => {
    const of = (seed: number, stratified = true) =>
      splitIndices(uneven(), { validation: 0.3, seed, stratified }).validation;
    expect(of(4)).toEqual(of(4));
    expect(of(4)).not.toEqual(of(5));
    expect(of(4)).not.toEqual(of(4, false));
    expect(of(4, false).length).toBe(33);
    expect([
      ...splitIndices({ name: "n", labels: new Uint8Array(9) }, { validation: 0.34 }).validation,
    ]).toMatchInlineSnapshot(`
      [
        0,
        1,
        3,
      ]
    `);
  });

  test("leaves no class of two images out of either part", () => {
    const labels = Int32Array.of(0, 0, 1, 1, 1);
    for (const validation of [0.01, 0.99]) {
      const parts = splitIndices({ name: "few", labels }, { validation });
      for (const part of [parts.train, parts.validation])
        expect(new Set([...part].map((i) => labels[i]))).toEqual(new Set([0, 1]));
    }
  });

  test("splits sources alike", async () => {
    const set = uneven();
    const [memory, files] = [split(set, { validation: 0.1 }), split(sourceOf(set), { validation: 0.1 })];
    expect([...files.validation.labels]).toEqual([...memory.validation.labels]);
    const { images } = await files.validation.read({ indices: Int32Array.of(3, 0) });
    expect([...images]).toEqual([...subset(memory.validation, [3, 0]).images]);
    expect(files.train.count).toBe(memory.train.count);
  });

  test("refuses shares that leave nothing", () => {
    for (const validation of [0, 1, -0.5, Number.NaN])
      expect(() => split(uneven(), { validation })).toThrow(`validation is ${validation}; it needs a share above 0`);
    expect(() => split(uneven(), { validation: 0.1, seed: 0.5 })).toThrow("seed is 0.5");
    expect(() => splitIndices({ name: "one", labels: Int32Array.of(0, 1) }, { validation: 0.5 })).toThrow(
      "one has too few images (2) to set 0.5 of them apart",
    );
  });
});

describe("subset of a source", () => {
  test("reads the images at its positions, in its order", async () => {
    const part = subset(sourceOf(uneven()), [100, 50, 7, 50]);
    expect([...part.labels]).toEqual([0, 2, 0, 2]);
    expect([...(await part.read({ indices: Int32Array.of(2, 0) })).images]).toEqual([7, 7, 100, 100]);
    const range = subset(subset(sourceOf(uneven()), { from: 10, to: 20 }), { from: 2 });
    expect(range.count).toBe(8);
    expect([...(await range.read({ indices: Int32Array.of(0, 7) })).images]).toEqual([12, 12, 19, 19]);
    expect(() => subset(part, [4])).toThrow("index 4 is not within the 4 images of uneven");
    expect(() => subset(part, { to: 5 })).toThrow("range 0..5 is not within the 4 images");
  });
});

describe("classWeights", () => {
  test("make the classes weigh alike", () => {
    const weights = classWeights(uneven());
    expect(weights).toEqual([99, 11, 1].map((count) => 111 / (3 * count)));
    expect(classWeights({ labels: Int32Array.of(0, 0, 2), classes })).toEqual([0.75, 0, 1.5]);
  });
});

describe("measureStatistics", () => {
  test("are those of the images read", async () => {
    const set = uneven();
    const whole = await measureStatistics(set);
    expect(await measureStatistics(sourceOf(set))).toEqual(whole);
    const broken = [...set.labels.keys()].filter((i) => i !== 51);
    expect(await measureStatistics(sourceOf(set, broken))).toEqual({ mean: [0.2], std: [0] });
  });

  test("of a sample are a function of the seed, and tell how far they are", async () => {
    const source = sourceOf(uneven());
    const seen: number[] = [];
    const one = await measureStatistics(source, { samples: 70, seed: 3, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([64, 70]);
    expect(await measureStatistics(source, { samples: 70, seed: 3 })).toEqual(one);
    expect(await measureStatistics(source, { samples: 70, seed: 4 })).not.toEqual(one);
  });

  test("need images", async () => {
    const all = [...uneven().labels.keys()];
    await expect(measureStatistics(sourceOf(uneven(), all))).rejects.toThrow(
      "none of 111 pictures of uneven can be read",
    );
    await expect(measureStatistics(subset(sourceOf(uneven()), []))).rejects.toThrow("uneven has no images");
    await expect(measureStatistics(sourceOf(uneven()), { samples: 0 })).rejects.toThrow("samples is 0");
    const stop = AbortSignal.abort(new Error("enough"));
    await expect(measureStatistics(sourceOf(uneven()), { signal: stop })).rejects.toThrow("enough");
  });
});
