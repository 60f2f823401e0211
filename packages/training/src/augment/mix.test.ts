import { crossEntropy, hostTensor, item } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { Flatten, Linear, Sequential } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { imagesOf, testImages } from "../../test/augment.js";
import { sgd } from "../optim/index.js";
import { trainStep } from "../train-step.js";
import { normalize } from "../transform.js";
import { applyTransform } from "./apply.js";
import { compose, oneOf, withProbability } from "./choice.js";
import { randomGrayscale } from "./color.js";
import { randomCrop } from "./crop.js";
import { cutout, randomErasing } from "./erase.js";
import { gaussianNoise } from "./filter.js";
import { randomInvert } from "./levels.js";
import { cutMix, mixup } from "./mix.js";
import { betaQuantiles, normalQuantiles } from "./quantiles.js";

const [n, h, w, classes] = [40, 9, 12, 5];

/** Image i is of one grey, i + 1; its label is i % 5. */
const batch = {
  images: hostTensor(
    Uint8Array.from({ length: n * h * w }, (_, i) => Math.floor(i / (h * w)) + 1),
    [n, 1, h, w],
  ),
  labels: hostTensor(
    Int32Array.from({ length: n }, (_, i) => i % classes),
    [n],
  ),
};

const rowOf = (data: ArrayLike<number>, i: number, size: number): number[] =>
  Array.from({ length: size }, (_, k) => data[i * size + k] as number);

/** The share of its own that an image kept, from its label; the rest is its predecessor's. */
function keptShare(labels: ArrayLike<number>, i: number): number {
  const row = rowOf(labels, i, classes);
  expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  const kept = row[i % classes] as number;
  expect(row[((i + n - 1) % n) % classes]).toBeCloseTo(1 - kept, 5);
  return kept;
}

describe("mixup", () => {
  it("mixes images and labels in the same proportion, each image in its own", async () => {
    await using device = await reference();
    const { images, labels } = await applyTransform(device, mixup({ alpha: 0.4, numClasses: classes }), batch);
    expect(labels.shape).toEqual([n, classes]);
    const shares = Array.from({ length: n }, (_, i) => {
      const kept = keptShare(labels.data, i);
      const expected = kept * (i + 1) + (1 - kept) * (((i + n - 1) % n) + 1);
      for (const value of rowOf(images.data, i, h * w)) expect(255 * value).toBeCloseTo(expected, 3);
      return kept;
    });
    expect(new Set(shares).size).toBeGreaterThan(n / 2);
  });

  it("leaves images alone that are not chosen, and all of them in evaluation", async () => {
    await using device = await reference();
    const { labels } = await applyTransform(device, mixup({ numClasses: classes, p: 0.5, alpha: 1 }), batch);
    const whole = Array.from({ length: n }, (_, i) => keptShare(labels.data, i)).filter((kept) => kept === 1).length;
    expect(whole).toBeGreaterThan(8);
    expect(whole).toBeLessThan(32);
    for (const mix of [mixup, cutMix])
      expect(await applyTransform(device, mix({ numClasses: classes }), batch, { training: false })).toEqual(batch);
  });
});

describe("cutMix", () => {
  it("exchanges a part, and as much of the label", async () => {
    await using device = await reference();
    const { images, labels } = await applyTransform(device, cutMix({ numClasses: classes }), batch);
    const shares = Array.from({ length: n }, (_, i) => {
      const kept = keptShare(labels.data, i);
      const pixels = rowOf(images.data, i, h * w).map((value) => Math.round(255 * value));
      const own = pixels.filter((value) => value === i + 1).length;
      const other = pixels.filter((value) => value === ((i + n - 1) % n) + 1).length;
      expect(own + other).toBe(h * w);
      expect(own / (h * w)).toBeCloseTo(kept, 5);
      return kept;
    });
    expect(Math.min(...shares)).toBeLessThan(0.4);
    expect(new Set(shares).size).toBeGreaterThan(10);
  });
});

describe("erasing", () => {
  /** Rows and columns that hold an erased pixel, and their number. */
  function erased(data: ArrayLike<number>, i: number) {
    const gone = rowOf(data, i, h * w).flatMap((value, k) =>
      value === 0.5 ? [[Math.floor(k / w), k % w] as const] : [],
    );
    const [rows, columns] = [gone.map(([y]) => y), gone.map(([, x]) => x)];
    const extent = (values: number[]) => (values.length === 0 ? 0 : Math.max(...values) - Math.min(...values) + 1);
    expect(gone.length).toBe(extent(rows) * extent(columns));
    return { height: extent(rows), width: extent(columns) };
  }

  it("blanks a rectangle of the given area and form", async () => {
    await using device = await reference();
    const transform = randomErasing({ value: 0.5, p: 0.5, scale: [0.1, 0.3], ratio: [0.5, 1] });
    const { data } = await imagesOf(device, transform, batch.images);
    const boxes = Array.from({ length: n }, (_, i) => erased(data, i)).filter(({ height }) => height > 0);
    expect(boxes.length).toBeGreaterThan(8);
    expect(boxes.length).toBeLessThan(32);
    for (const { height, width } of boxes) {
      // Sides are whole pixels.
      expect(height).toBeLessThanOrEqual(width + 1);
      expect(height * width).toBeGreaterThan(0.06 * h * w);
      expect(height * width).toBeLessThan(0.36 * h * w);
    }
  });

  it("cuts out a square that may stick out", async () => {
    await using device = await reference();
    const { data } = await imagesOf(device, cutout({ size: 4, value: 0.5 }), batch.images);
    const boxes = Array.from({ length: n }, (_, i) => erased(data, i));
    expect(boxes.some(({ height, width }) => height === 4 && width === 4)).toBe(true);
    expect(boxes.some(({ height, width }) => height < 4 || width < 4)).toBe(true);
    expect(Math.max(...boxes.flatMap(({ height, width }) => [height, width]))).toBe(4);
    expect(Math.min(...boxes.flatMap(({ height, width }) => [height, width]))).toBeGreaterThanOrEqual(2);
  });

  it("fills with noise or with one value for each channel", async () => {
    await using device = await reference();
    const images = testImages([4, 3, 8, 8]);
    const noisy = await imagesOf(device, cutout({ size: 20, value: "random" }), images);
    // 768 draws of 256 levels.
    expect(new Set(noisy.data).size).toBeGreaterThan(220);
    const level = Float64Array.from(noisy.data).reduce((sum, value) => sum + value) / noisy.data.length;
    expect(level).toBeCloseTo(0.5, 1);
    const plain = await imagesOf(device, cutout({ size: 20, value: [0.25, 0.5, 0.75] }), images);
    expect([plain.data[0], plain.data[64], plain.data[128]]).toEqual([0.25, 0.5, 0.75]);
    await expect(imagesOf(device, cutout({ size: 2, value: [1, 2] }), images)).rejects.toThrow("2 numbers for 3");
  });
});

describe("choices", () => {
  it("are made for each image", async () => {
    await using device = await reference();
    const invert = randomInvert({ p: 1 });
    const isInverted = (data: ArrayLike<number>, i: number) =>
      Math.round(255 * (data[i * h * w] as number)) === 254 - i;
    const share = async (transform: Parameters<typeof imagesOf>[1]) => {
      const { data } = await imagesOf(device, transform, batch.images);
      return Array.from({ length: n }, (_, i) => isInverted(data, i)).filter(Boolean).length;
    };
    const quarter = await share(withProbability(0.25, invert));
    expect(quarter).toBeGreaterThan(3);
    expect(quarter).toBeLessThan(19);
    const half = await share(oneOf(invert, compose()));
    expect(half).toBeGreaterThan(10);
    expect(half).toBeLessThan(30);
    expect(await share(oneOf(invert))).toBe(n);
    expect(await imagesOf(device, withProbability(1, invert), batch.images, { training: false })).toEqual(batch.images);
  });

  it("mix labels only where a mixing transform was chosen", async () => {
    await using device = await reference();
    const transform = oneOf(compose(), mixup({ alpha: 1, numClasses: classes }));
    const { labels } = await applyTransform(device, transform, batch);
    const whole = Array.from({ length: n }, (_, i) => keptShare(labels.data, i)).filter((kept) => kept === 1).length;
    expect(whole).toBeGreaterThan(8);
    expect(whole).toBeLessThan(32);
  });
});

describe("distributions", () => {
  const mean = (values: Float64Array) => values.reduce((a, b) => a + b) / values.length;
  const variance = (values: Float64Array) => {
    const centre = mean(values);
    return mean(values.map((x) => (x - centre) ** 2));
  };

  it("have the moments and quantiles that they should", () => {
    for (const alpha of [0.2, 0.5, 1, 3, 1000]) {
      const values = betaQuantiles(alpha);
      expect(mean(values)).toBeCloseTo(0.5, 6);
      expect(variance(values)).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 3);
      expect([...values]).toEqual([...values].sort((a, b) => a - b));
    }
    // Of the arcsine distribution.
    expect(betaQuantiles(0.5)[1024]).toBeCloseTo(Math.sin((Math.PI / 2) * 0.25) ** 2, 3);
    const normal = normalQuantiles();
    expect(mean(normal)).toBeCloseTo(0, 6);
    expect(variance(normal)).toBeCloseTo(1, 6);
    expect(normal[Math.floor(4096 * 0.975)]).toBeCloseTo(1.96, 2);
  });

  it("make noise of the given strength", async () => {
    await using device = await reference();
    const grey = hostTensor(new Uint8Array(4 * 3 * 32 * 32).fill(128), [4, 3, 32, 32]);
    const { data } = await imagesOf(device, gaussianNoise({ std: 0.1 }), grey);
    const values = Float64Array.from(data);
    expect(mean(values)).toBeCloseTo(128 / 255, 2);
    expect(Math.sqrt(variance(values))).toBeCloseTo(0.1, 2);
    const colourless = await imagesOf(device, randomGrayscale({ p: 1 }), testImages([1, 3, 4, 4]));
    expect(colourless.data.slice(0, 16)).toEqual(colourless.data.slice(16, 32));
  });
});

describe("a training step", () => {
  it("learns from mixed labels, and augments within its program", async () => {
    await using device = await reference();
    const model = new Sequential(new Flatten(), new Linear(h * w, classes));
    const state = await device.init(model, { seed: 0 });
    const transform = compose(
      randomCrop({ size: [h, w], padding: 1 }),
      mixup({ numClasses: classes }),
      normalize({ mean: [0.05], std: [0.1] }),
    );
    const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.1 }), transform });
    const losses: number[] = [];
    for (let i = 0; i < 15; i++) losses.push(item(await (await step(batch)).loss.read()));
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(Math.min(...losses.slice(-3))).toBeLessThan(losses[0] as number);
    state.dispose();
  });
});
