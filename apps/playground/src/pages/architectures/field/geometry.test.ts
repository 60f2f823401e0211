import { describe, expect, it } from "vitest";
import { fieldAt, placeAt, reachesOut } from "./geometry.js";

// A 7x7 convolution with stride 2 and padding 3: the first output pixel looks at the first input pixel.
const stem = { size: [7, 7], stride: [2, 2], start: [0, 0] } as const;
// 5 wide and 3 high, without padding.
const flat = { size: [3, 5], stride: [1, 1], start: [1, 2] } as const;

describe("a receptive field", () => {
  it("lies around its centre", () => {
    expect(fieldAt(stem, [0, 0])).toEqual({ x: -3, y: -3, width: 7, height: 7 });
    expect(fieldAt(stem, [2, 5])).toEqual({ x: 7, y: 1, width: 7, height: 7 });
    expect(fieldAt(flat, [0, 0])).toEqual({ x: 0, y: 0, width: 5, height: 3 });
  });

  it("is found by an input pixel, within the map", () => {
    expect(placeAt(stem, [112, 112], [10, 21])).toEqual([5, 11]);
    expect(placeAt(stem, [112, 112], [-5, 400])).toEqual([0, 111]);
    // One value for the whole image.
    expect(placeAt({ size: [9, 9], stride: [0, 0], start: [4, 4] }, [1, 1], [8, 8])).toEqual([0, 0]);
  });

  it("may see padding", () => {
    expect(reachesOut(fieldAt(stem, [0, 0]), [224, 224])).toBe(true);
    expect(reachesOut(fieldAt(flat, [0, 0]), [224, 224])).toBe(false);
    expect(reachesOut(fieldAt(flat, [0, 3]), [3, 7])).toBe(true);
  });
});
