import { constant, hostTensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import fixtures from "../../fixtures/augment.json" with { type: "json" };
import { imagesOf, testImages } from "../../test/augment.js";
import { centerCrop } from "./crop.js";
import { randomResizedCrop, resized } from "./resized-crop.js";

describe("randomResizedCrop", () => {
  it("stretches as torchvision does with antialiasing", async () => {
    await using device = await reference();
    const images = constant(hostTensor(Uint8Array.from(fixtures.image), [1, ...fixtures.shape]));
    const cases = fixtures.cases.filter(({ name }) => name === "resized");
    expect(cases.length).toBe(4);
    for (const { options, output, shape } of cases) {
      const { size, ...box } = options as unknown as { size: [number, number] } & Record<string, number>;
      const at = (name: string) => constant(hostTensor([box[name] as number]));
      const boxes = { top: at("top"), left: at("left"), height: at("height"), width: at("width") };
      const [out] = await device.run([resized(images, boxes, size)]);
      expect(out?.shape).toEqual([1, ...shape]);
      expect(Math.max(...output.map((value, i) => Math.abs(value - 255 * (out?.data[i] as number))))).toBeLessThan(
        0.06,
      );
    }
  });

  it("keeps whole images for scale 1 and takes others' central part when nothing fits", async () => {
    await using device = await reference();
    const images = testImages([3, 2, 8, 8]);
    const whole = await imagesOf(device, randomResizedCrop({ size: 8, scale: [1, 1], ratio: [1, 1] }), images);
    expect(whole.data.every((value, i) => Math.abs(255 * value - (images.data[i] as number)) < 1e-3)).toBe(true);
    const wide = testImages([2, 1, 4, 40]);
    const central = await imagesOf(device, randomResizedCrop({ size: 4, scale: [1, 1], ratio: [1, 1] }), wide);
    const expected = await imagesOf(device, centerCrop({ size: 4 }), wide);
    expect(central.data.every((value, i) => Math.abs(255 * value - (expected.data[i] as number)) < 1e-3)).toBe(true);
  });

  it("takes parts of every area and form in range", async () => {
    await using device = await reference();
    // Pixels that hold their own column or row: a part's first and last tell its sides.
    const [n, side] = [120, 32];
    const ramp = Uint8Array.from({ length: n * 2 * side * side }, (_, i) =>
      Math.floor(i / side ** 2) % 2 === 0 ? i % side : Math.floor(i / side) % side,
    );
    const crop = randomResizedCrop({ size: side, scale: [0.2, 0.9], ratio: [0.5, 2] });
    const out = await imagesOf(device, crop, hostTensor(ramp, [n, 2, side, side]));
    const pixel = (i: number, c: number, y: number, x: number) =>
      255 * (out.data[((i * 2 + c) * side + y) * side + x] as number);
    const mid = side / 2;
    const boxes = Array.from({ length: n }, (_, i) => {
      // Inner pixels, because the edges repeat.
      const width = ((pixel(i, 0, mid, 24) - pixel(i, 0, mid, 8)) / 16) * side;
      const height = ((pixel(i, 1, 24, mid) - pixel(i, 1, 8, mid)) / 16) * side;
      return { share: (width * height) / side ** 2, ratio: width / height };
    });
    const shares = boxes.map(({ share }) => share).sort((a, b) => a - b);
    const ratios = boxes.map(({ ratio }) => ratio).sort((a, b) => a - b);
    expect(shares[0]).toBeGreaterThan(0.17);
    expect(shares[0]).toBeLessThan(0.25);
    expect(shares[n - 1]).toBeGreaterThan(0.8);
    expect(shares[n - 1]).toBeLessThan(0.94);
    expect(ratios[0]).toBeGreaterThan(0.46);
    expect(ratios[0]).toBeLessThan(0.6);
    expect(ratios[n - 1]).toBeGreaterThan(1.6);
    expect(ratios[n - 1]).toBeLessThan(2.2);
  });

  it("takes the centre in evaluation", async () => {
    await using device = await reference();
    const images = testImages([2, 3, 9, 12]);
    const options = { training: false };
    expect(await imagesOf(device, randomResizedCrop({ size: [9, 12] }), images, options)).toEqual(images);
    const centre = await imagesOf(device, centerCrop({ size: 8 }), images);
    expect(await imagesOf(device, randomResizedCrop({ size: 8 }), images, options)).toEqual(centre);
  });
});
