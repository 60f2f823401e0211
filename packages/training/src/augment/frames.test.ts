import { ArgumentError, randomKey } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import fixtures from "../../fixtures/augment.json" with { type: "json" };
import type { Framing, Size } from "./frame.js";
import { centerFrame, frames, makeFrame, randomResizedCropFrame, scaleJitterFrame, stretchFrame } from "./frames.js";

const pictures: readonly Size[] = [
  [480, 640],
  [640, 480],
  [33, 500],
  [500, 33],
  [1, 1],
];

/** The crop lies in what it is cut from. */
function expectInside({ resize, crop }: Framing, picture: Size): void {
  const [h, w] = resize ?? picture;
  for (const value of Object.values(crop)) expect(Number.isInteger(value)).toBe(true);
  expect(Math.min(crop.top, crop.left)).toBeGreaterThanOrEqual(0);
  expect(Math.min(crop.height, crop.width)).toBeGreaterThanOrEqual(1);
  expect(crop.top + crop.height).toBeLessThanOrEqual(h);
  expect(crop.left + crop.width).toBeLessThanOrEqual(w);
}

describe("frames", () => {
  it("lie in pictures of every form, and depend on the key alone", () => {
    const all = [
      randomResizedCropFrame({ size: 32 }),
      scaleJitterFrame({ size: [24, 32], shorter: [32, 48] }),
      centerFrame({ size: [24, 32] }),
      stretchFrame({ size: 32 }),
    ];
    for (const frame of all) {
      for (const picture of pictures)
        for (let i = 0; i < 50; i++) {
          const placed = frame.place(picture, randomKey(1, i));
          expectInside(placed, picture);
          expect(frame.place(picture, randomKey(1, i))).toEqual(placed);
        }
      const again = makeFrame(JSON.parse(JSON.stringify({ name: frame.name, options: frame.options })));
      expect(again.options).toEqual(frame.options);
      expect(again.size).toEqual(frame.size);
      expect(again.place([70, 90], randomKey(3))).toEqual(frame.place([70, 90], randomKey(3)));
    }
    expect(all.map(({ name }) => name)).toEqual(Object.keys(frames));
  });

  it("place the centre where torchvision does", () => {
    for (const [h, w, resize, size, rh, rw, top, left] of fixtures.centers as number[][]) {
      const placed = centerFrame({ size: size as number, resize }).place([h as number, w as number], randomKey(0));
      expect(placed).toEqual({ resize: [rh, rw], crop: { top, left, height: size, width: size } });
    }
    expect(centerFrame({ size: 224 }).options).toEqual({ size: [224, 224], resize: 256 });
  });

  it("draw area, form and place over their whole range", () => {
    const frame = randomResizedCropFrame({ size: 32, scale: [0.25, 1], ratio: [0.5, 2] });
    const [h, w] = [300, 400];
    const boxes = Array.from({ length: 2000 }, (_, i) => frame.place([h, w], randomKey(2, i)).crop);
    const shares = boxes.map(({ height, width }) => (height * width) / (h * w));
    const ratios = boxes.map(({ height, width }) => width / height);
    expect(Math.min(...shares)).toBeCloseTo(0.25, 1);
    expect(Math.max(...shares)).toBeGreaterThan(0.9);
    expect(Math.min(...ratios)).toBeGreaterThan(0.49);
    expect(Math.min(...ratios)).toBeLessThan(0.55);
    expect(Math.max(...ratios)).toBeLessThan(2.02);
    expect(Math.max(...ratios)).toBeGreaterThan(1.9);
    // Every place in the free room is alike probable.
    const tops = boxes.filter(({ height }) => height < h - 20).map(({ top, height }) => (top + 0.5) / (h - height + 1));
    expect(tops.reduce((a, b) => a + b) / tops.length).toBeCloseTo(0.5, 1);
  });

  it("take the largest central part when no try fits", () => {
    const frame = randomResizedCropFrame({ size: 32, scale: [1, 1], ratio: [3 / 4, 4 / 3] });
    expect(frame.place([30, 900], randomKey(0)).crop).toEqual({ top: 0, left: 430, height: 30, width: 40 });
    expect(frame.place([901, 30], randomKey(0)).crop).toEqual({ top: 430, left: 0, height: 40, width: 30 });
  });

  it("jitter the scale over its range", () => {
    const frame = scaleJitterFrame({ size: 224, shorter: [256, 260] });
    const sides = Array.from({ length: 200 }, (_, i) => frame.place([500, 375], randomKey(4, i)).resize?.[1]);
    expect([...new Set(sides)].sort()).toEqual([256, 257, 258, 259, 260]);
  });

  it("say what is wrong with their options", () => {
    expect(() => scaleJitterFrame({ size: 224, shorter: [200, 300] })).toThrow(
      "scaleJitter frame: shorter is 200; it needs a whole number of at least 224",
    );
    expect(() => centerFrame({ size: 224, resize: 100 })).toThrow("resize is 100");
    expect(() => randomResizedCropFrame({ size: 224, scale: [0.5, 0.1] })).toThrow("the lower one first");
    expect(() => randomResizedCropFrame({ size: 0 })).toThrow(ArgumentError);
    expect(() => makeFrame({ name: "centre", options: {} })).toThrow(
      'frame: "centre" is unknown; did you mean center?',
    );
  });
});
