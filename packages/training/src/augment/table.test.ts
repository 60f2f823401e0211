import { ArgumentError, hostTensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { deterministic, imagesOf, randomTransforms, testImages } from "../../test/augment.js";
import { applyTransform } from "./apply.js";
import * as augment from "./index.js";
import { augmentPresets, makeTransform, transforms } from "./index.js";

// Large enough for equalization to change something.
const size = [20, 22] as const;
const images = testImages([3, 3, ...size]);
const labels = hostTensor(Int32Array.of(1, 9, 4), [3]);
const all = [...deterministic, ...randomTransforms(size)];

describe("every transform", () => {
  it("is in the examples", () => {
    expect([...new Set(all.map(({ name }) => name))].sort()).toEqual(Object.keys(transforms).sort());
  });

  it.each(all.map((transform) => [transform.name, transform] as const))(
    "%s comes back from its data",
    async (_, transform) => {
      await using device = await reference();
      const { name, options } = transform;
      const again = makeTransform(JSON.parse(JSON.stringify({ name, options })));
      expect({ name: again.name, options: again.options }).toEqual({ name, options });
      const [one, other] = [transform, again].map((part) =>
        applyTransform(device, part, { images, labels }, { seed: 3 }),
      );
      expect(await other).toEqual(await one);
    },
  );

  it.each(randomTransforms(size).map((transform) => [transform.name, transform] as const))(
    "%s draws by seed and step, keeps the size, and leaves evaluation alone",
    async (_, transform) => {
      await using device = await reference();
      const drawn = await imagesOf(device, transform, images, { seed: 1 });
      expect(drawn.shape).toEqual(images.shape);
      expect(drawn.data.every(Number.isFinite)).toBe(true);
      expect(await imagesOf(device, transform, images, { seed: 1 })).toEqual(drawn);
      const others = [2, 3, 4, 5].map((seed) => imagesOf(device, transform, images, { seed }));
      const texts = (await Promise.all(others)).map(({ data }) => data.join());
      expect(texts.some((text) => text !== drawn.data.join())).toBe(true);
      const batch = { images, labels };
      expect(await applyTransform(device, transform, batch, { training: false })).toEqual(batch);
    },
  );

  it("says which option is wrong", () => {
    const wrong: [name: string, options: object, message: string][] = [
      ["normalize", {}, "normalize: it needs mean and std"],
      ["normalise", {}, 'transform: "normalise" is unknown; did you mean normalize?'],
      [
        "randomHorizontalFlip",
        { p: 2 },
        "randomHorizontalFlip: p is 2; it needs a number of at least 0 and of at most 1",
      ],
      [
        "randomAffine",
        { degrees: [20, 10] },
        "randomAffine: degrees is [20,10]; it needs two numbers, the lower one first",
      ],
      ["randomAffine", { scale: [0, 1] }, "randomAffine: scale is 0; it needs a number above 0"],
      ["randomTranslate", { translate: 0.5 }, "translate needs two shares"],
      ["randomShear", { shear: 90 }, "shear is 90"],
      ["randomPerspective", { distortion: "much" }, 'distortion is "much"'],
      ["colorJitter", { hue: 0.7 }, "hue is 0.7; it needs a number of at least 0 and of at most 0.5"],
      ["colorJitter", { brightness: [-1, 1] }, "brightness is -1"],
      ["lighting", { eigenvalues: [1, 2] }, "eigenvectors need a row for each channel"],
      ["gaussianBlur", { kernelSize: 4 }, "kernelSize is 4; it needs an odd number"],
      ["gaussianBlur", { kernelSize: 3, sigma: 0 }, "sigma is 0"],
      ["gaussianNoise", {}, "gaussianNoise: std is undefined; it needs a number of at least 0"],
      ["randomPosterize", { bits: 9 }, "bits is 9"],
      ["randomSolarize", { threshold: null }, "threshold is null"],
      ["randomErasing", { scale: [0.5, 2] }, "scale is 2"],
      ["randomErasing", { value: "noise" }, 'value is "noise"'],
      ["cutout", {}, "size is undefined"],
      ["mixup", {}, "mixup: numClasses is undefined; it needs a whole number of at least 1"],
      ["cutMix", { numClasses: 10, alpha: 0 }, "alpha is 0; it needs a number above 0"],
      ["mixup", { numClasses: 10, alpha: 2000 }, "alpha is 2000; it needs a number above 0 and of at most 1000"],
      ["lighting", { eigenvalues: null }, "eigenvectors need a row for each channel"],
      ["compose", { transforms: [{ name: "mixup" }] }, "compose: it needs transforms as { name, options }"],
      ["policy", { subPolicies: [] }, "subPolicies needs at least one list"],
      ["policy", { subPolicies: [[{ op: "turn" }]] }, 'op is "turn"; it needs one of shearX'],
      ["policy", { subPolicies: [[{ op: "rotate" }]] }, "policy: rotate: magnitude is undefined"],
      ["policy", { subPolicies: [[{ op: "invert", magnitude: 3 }]] }, "invert takes no magnitude"],
      ["autoAugment", { policy: "mnist" }, 'policy is "mnist"; it needs one of imagenet, cifar10, svhn'],
      ["randAugment", { m: 31 }, "m is 31"],
      ["compose", { transforms: [3] }, "compose: it needs transforms as { name, options }"],
      ["oneOf", { transforms: [] }, "number of transforms is 0"],
      ["withProbability", { p: 0.5 }, "withProbability: it needs transforms as { name, options }"],
    ];
    for (const [name, options, message] of wrong) {
      const make = () => makeTransform({ name, options: options as never });
      expect(make, name).toThrow(ArgumentError);
      expect(make, name).toThrow(message);
    }
    expect(() => augment.compose(42 as never)).toThrow("part 0 is no transform");
  });

  it("says which images it cannot take", async () => {
    await using device = await reference();
    const grey = testImages([2, 1, 8, 8]);
    await expect(imagesOf(device, augment.lighting(), grey)).rejects.toThrow("images have 1 channels");
    const many = testImages([2, 4, 8, 8]);
    await expect(imagesOf(device, augment.colorJitter({ hue: 0.1 }), many)).rejects.toThrow(
      "colours need three channels",
    );
    const small = augment.oneOf(augment.centerCrop({ size: 4 }), augment.compose());
    await expect(imagesOf(device, small, grey)).rejects.toThrow("they need one size");
    await expect(imagesOf(device, augment.gaussianBlur({ kernelSize: 17 }), grey)).rejects.toThrow("too small");
    const ints = hostTensor(new Int32Array(64), [1, 1, 8, 8]);
    await expect(imagesOf(device, augment.randomInvert(), ints)).rejects.toThrow("they need to be uint8, or float32");
    const flat = hostTensor(new Uint8Array(64), [8, 8]);
    await expect(imagesOf(device, augment.randomHorizontalFlip(), flat)).rejects.toThrow(
      "they need to be [N, C, H, W]",
    );
  });
});

describe("presets", () => {
  const names = Object.keys(augmentPresets) as (keyof typeof augmentPresets)[];

  it.each(names)("%s gives what a model takes, in colour and without", async (name) => {
    await using device = await reference();
    for (const channels of [1, 3]) {
      const statistics = { mean: new Array(channels).fill(0.5), std: new Array(channels).fill(0.25) };
      const { frame, transform } = augmentPresets[name]({ size: 16, channels, numClasses: 10, statistics });
      for (const each of [frame.train, frame.eval]) {
        expect(each.size).toEqual([16, 16]);
        expect(augment.makeFrame({ name: each.name, options: each.options }).options).toEqual(each.options);
      }
      const batch = { images: testImages([3, channels, 16, 16]), labels };
      const trained = await applyTransform(device, makeTransform(JSON.parse(JSON.stringify(transform))), batch);
      expect(trained.images.shape).toEqual([3, channels, 16, 16]);
      expect(trained.images.dtype).toBe("float32");
      const evaluated = await applyTransform(device, transform, batch, { training: false });
      expect(evaluated.labels).toEqual(labels);
      const normalized = (value: number) => (value / 255 - 0.5) / 0.25;
      expect(evaluated.images.data[5]).toBeCloseTo(normalized(batch.images.data[5] as number), 5);
    }
  });
});

describe("principal components", () => {
  it("are those of the pixels' covariance", () => {
    // Pixels along one direction and a little along another, both of length 1.
    const [main, side] = [
      [0.6, 0.8, 0],
      [-0.8, 0.6, 0],
    ] as const;
    const steps = [
      [90, 0],
      [-90, 0],
      [0, 30],
      [0, -30],
    ] as const;
    const pixels = steps.map(([a, b]) => main.map((_, c) => 120 + a * (main[c] as number) + b * (side[c] as number)));
    const images = Uint8Array.from([0, 1, 2].flatMap((c) => pixels.map((pixel) => Math.round(pixel[c] as number))));
    const data = { name: "p", images, labels: Uint8Array.of(0), shape: [3, 2, 2], classes: ["a"], count: 1 } as const;
    const { eigenvalues, eigenvectors } = augment.pcaOfPixels(data);
    expect(eigenvalues[0]).toBeCloseTo((2 * 90 ** 2) / 4 / 255 ** 2, 4);
    expect(eigenvalues[1]).toBeCloseTo((2 * 30 ** 2) / 4 / 255 ** 2, 4);
    expect(eigenvalues[2]).toBeCloseTo(0, 6);
    const first = eigenvectors.map((row) => row[0] as number);
    expect(Math.abs(first.reduce((sum, value, c) => sum + value * (main[c] as number), 0))).toBeCloseTo(1, 4);
    expect(Math.abs(eigenvectors[2]?.[2] ?? 0)).toBeCloseTo(1, 4);
  });
});
