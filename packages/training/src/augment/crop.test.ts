import { hostTensor, ShapeError } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { imagesOf, testImages } from "../../test/augment.js";
import { centerCrop, randomCrop, randomHorizontalFlip, randomVerticalFlip } from "./crop.js";

/** Pixels whose value says where they were: no two of a plane alike. */
function numbered(n: number, c: number, h: number, w: number) {
  return hostTensor(
    Uint8Array.from({ length: n * c * h * w }, (_, i) => (i % (h * w)) + 1),
    [n, c, h, w],
  );
}

describe("crops", () => {
  it("cut a window of the padded image, each image its own, all channels alike", async () => {
    await using device = await reference();
    const [n, h, w, padding, size] = [64, 6, 9, 2, [5, 7] as const];
    const out = await imagesOf(device, randomCrop({ size, padding }), numbered(n, 2, h, w));
    expect(out.shape).toEqual([n, 2, ...size]);
    const at = (i: number, c: number, y: number, x: number) => out.data[((i * 2 + c) * size[0] + y) * size[1] + x];
    const seen = new Set<string>();
    for (let i = 0; i < n; i++) {
      // Row 2 and column 2 lie in the image, whatever the window.
      const first = (at(i, 0, 2, 2) as number) - 1;
      const [top, left] = [Math.floor(first / w) - 2, (first % w) - 2];
      seen.add(`${top},${left}`);
      for (const c of [0, 1])
        for (let y = 0; y < size[0]; y++)
          for (let x = 0; x < size[1]; x++) {
            const [row, column] = [top + y, left + x];
            const inside = row >= 0 && row < h && column >= 0 && column < w;
            expect(at(i, c, y, x)).toBe(inside ? row * w + column + 1 : 0);
          }
      expect(top).toBeGreaterThanOrEqual(-padding);
      expect(top).toBeLessThanOrEqual(h + padding - size[0]);
    }
    // 6 x 7 places.
    expect(seen.size).toBeGreaterThan(25);
  });

  it("keep the images they have to, and take the centre in evaluation", async () => {
    await using device = await reference();
    const images = testImages([3, 2, 8, 11]);
    const same = await imagesOf(device, randomCrop({ size: [8, 11], padding: 3 }), images, { training: false });
    expect(same).toEqual(images);
    const centre = await imagesOf(device, centerCrop({ size: [5, 6] }), images);
    const evaluated = await imagesOf(device, randomCrop({ size: [5, 6] }), images, { training: false });
    const never = await imagesOf(device, randomCrop({ size: [5, 6], p: 0 }), images);
    expect(evaluated).toEqual(centre);
    expect(never).toEqual(centre);
  });

  it("say what does not fit", async () => {
    await using device = await reference();
    await expect(imagesOf(device, centerCrop({ size: 9 }), testImages([1, 1, 8, 11]))).rejects.toThrow(ShapeError);
    await expect(imagesOf(device, randomCrop({ size: 13, padding: 2 }), testImages([1, 1, 8, 11]))).rejects.toThrow(
      "randomCrop: images of 12x15 hold no 13x13",
    );
    expect(() => randomCrop({ size: 2.5 })).toThrow("randomCrop: size is 2.5; it needs a whole number of at least 1");
    expect(() => randomCrop({ size: 8, padding: -1 })).toThrow("padding is -1");
    expect(() => randomCrop({ size: 8, p: "x" as never })).toThrow('p is "x"');
  });
});

describe("flips", () => {
  it("mirror a share of the images along their axis", async () => {
    await using device = await reference();
    const [n, h, w] = [400, 3, 4];
    const images = numbered(n, 1, h, w);
    const plain = [...images.data.slice(0, h * w)];
    const row = (y: number) => plain.slice(y * w, y * w + w);
    const across = [0, 1, 2].flatMap((y) => row(y).reverse());
    const down = [2, 1, 0].flatMap(row);
    for (const [flip, mirrored] of [
      [randomHorizontalFlip({ p: 0.25 }), across],
      [randomVerticalFlip({ p: 0.25 }), down],
    ] as const) {
      const { data, dtype } = await imagesOf(device, flip, images);
      expect(dtype).toBe("uint8");
      const each = Array.from({ length: n }, (_, i) => [...data.slice(i * h * w, (i + 1) * h * w)].join());
      const flipped = each.filter((text) => text === mirrored.join()).length;
      expect(each.filter((text) => text === plain.join()).length).toBe(n - flipped);
      expect(flipped).toBeGreaterThan(60);
      expect(flipped).toBeLessThan(140);
    }
  });
});
