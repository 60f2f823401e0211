import { broadcastTo, constant, hostTensor, sub, type Tensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import fixtures from "../../fixtures/augment.json" with { type: "json" };
import { imagesOf } from "../../test/augment.js";
import { autoAugmentPolicy } from "./auto-augment.js";
import { brightness, contrast, hue, saturation } from "./color.js";
import { blurred, sharpness } from "./filter.js";
import { autoContrasted, equalized, posterized, solarized } from "./levels.js";
import { intoQuadrilateral } from "./perspective.js";
import { luma, unit } from "./pixels.js";
import { type PolicyOp, policy } from "./policy.js";
import { affineMatrix, warped } from "./warp.js";

interface Options {
  readonly value: number;
  readonly angle: number;
  readonly translate: readonly [number, number];
  readonly scale: number;
  readonly shear: readonly [number, number];
  readonly fill: number;
  readonly corners: readonly (readonly [number, number])[];
  readonly half: number;
  readonly sigma: number;
}

/** A number for the batch's one image. */
const one = (value: number): Tensor => constant(hostTensor([value]));
const radians = (degrees: number): Tensor => one((degrees * Math.PI) / 180);

/** The transforms' own functions, without chance. Levels are uint8, all else floats. */
const functions: Record<string, (levels: Tensor, options: Options, floats: Tensor) => Tensor> = {
  brightness: (_, { value }, x) => brightness(x, one(value)),
  contrast: (_, { value }, x) => contrast(x, one(value)),
  saturation: (_, { value }, x) => saturation(x, one(value)),
  hue: (_, { value }, x) => hue(x, one(value)),
  sharpness: (_, { value }, x) => sharpness(x, one(value)),
  grayscale: (_, __, x) => broadcastTo(luma(x), x.shape),
  posterize: (levels, { value }) => posterized(levels, one(2 ** (8 - value))),
  solarize: (levels, { value }) => solarized(levels, one(value)),
  invert: (_, __, x) => sub(1, x),
  autocontrast: (_, __, x) => autoContrasted(x),
  affine: (_, { angle, translate, scale, shear, fill }, x) => {
    const [shearX, shearY] = shear.map(radians) as [Tensor, Tensor];
    const [moveX, moveY] = translate.map(one) as [Tensor, Tensor];
    const map = affineMatrix({ angle: radians(angle), shearX, shearY, scale: one(scale), x: moveX, y: moveY });
    return warped(x, map, fill);
  },
  perspective: (_, { corners, fill }, x) =>
    intoQuadrilateral(
      x,
      corners.map(([px, py]) => ({ x: one(px), y: one(py) })),
      fill,
    ),
  blur: (_, { half, sigma }, x) => blurred(x, half, one(sigma)),
};

const images = hostTensor(Uint8Array.from(fixtures.image), [1, ...fixtures.shape]);

/** Largest difference, in levels of 255. */
function distance(data: ArrayLike<number>, expected: readonly number[]): number {
  expect(data.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - 255 * (data[i] as number))));
}

describe("beside torchvision 0.14", () => {
  for (const [name, apply] of Object.entries(functions)) {
    it(`${name} is the same`, async () => {
      await using device = await reference();
      const cases = fixtures.cases.filter((entry) => entry.name === name);
      expect(cases.length).toBeGreaterThan(0);
      const levels = constant(images);
      for (const { options, output } of cases) {
        const [out] = await device.run([apply(levels, options as unknown as Options, unit(levels))]);
        // Fixtures are rounded to tenths of a level.
        expect(distance(out?.data ?? [], output), JSON.stringify(options)).toBeLessThan(0.06);
      }
    });
  }

  it("equalize is the same", async () => {
    await using device = await reference();
    const { shape, image, equalized: expected } = fixtures.large;
    const [out] = await device.run([equalized(constant(hostTensor(Uint8Array.from(image), [1, ...shape])))]);
    expect(distance(out?.data ?? [], expected)).toBeLessThan(1e-3);
    expect(
      distance(
        image.map((level) => level / 255),
        expected,
      ),
    ).toBeGreaterThan(20);
  });

  it("a policy's steps are the same, with either sign", async () => {
    await using device = await reference();
    const cases = fixtures.cases.filter(({ name }) => name === "policy");
    const steps = (["imagenet", "cifar10", "svhn"] as const).flatMap((name) => autoAugmentPolicy(name).flat());
    const seen = new Map<string, Set<number>>();
    for (const { options, output } of cases) {
      const { op, level, sign } = options as unknown as { op: PolicyOp; level: number; sign: number };
      const magnitude = magnitudes[op]?.(level / 9);
      // Where a published policy has the step, it has this magnitude.
      const published = steps.filter((step) => step.op === op).map((step) => step.magnitude);
      expect(published.length, op).toBeGreaterThan(0);
      const transform = policy({ subPolicies: [[{ op, magnitude: magnitude as number }]] });
      // Twelve images: each sign is drawn for some.
      const batch = hostTensor(
        Uint8Array.from({ length: 12 * images.data.length }, (_, i) => images.data[i % images.data.length] as number),
        [12, ...fixtures.shape],
      );
      const { data } = await imagesOf(device, transform, batch);
      const size = images.data.length;
      const each = Array.from({ length: 12 }, (_, i) => distance(data.slice(i * size, (i + 1) * size), output));
      expect(Math.min(...each), `${op} ${sign}`).toBeLessThan(0.06);
      const key = `${op} ${level}`;
      seen.set(key, (seen.get(key) ?? new Set()).add(each.findIndex((value) => value < 0.06)));
    }
    expect([...seen].filter(([, places]) => places.size === 2).length).toBe(7);
  });
});

const magnitudes: Partial<Record<PolicyOp, (share: number) => number>> = {
  shearX: (share) => 0.3 * share,
  shearY: (share) => 0.3 * share,
  translateX: (share) => (150 / 331) * share,
  translateY: (share) => (150 / 331) * share,
  rotate: (share) => 30 * share,
  color: (share) => 0.9 * share,
  sharpness: (share) => 0.9 * share,
  posterize: (share) => 8 - Math.round(4 * share),
  solarize: (share) => 255 - 255 * share,
};
