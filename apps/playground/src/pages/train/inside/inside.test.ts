import { expect, test } from "vitest";
import { barShares } from "./bar-shares.js";
import { confusionPicture, worstConfusions } from "./confusion-picture.js";

test("bars are logarithmic, the largest is whole and the least is seen", () => {
  const [large, middle, small] = barShares([1, 1e-2, 1e-4]) as [number, number, number];
  expect(large).toBe(1);
  expect(small).toBeGreaterThan(0);
  expect(large - middle).toBeCloseTo(middle - small, 12);
});

test("numbers that are alike have bars that are alike, and no number has none", () => {
  const [a, b] = barShares([1, 0.9]) as [number, number];
  expect(a - b).toBeLessThan(0.05);
  expect(barShares([0, Number.NaN, -1])).toEqual([0, 0, 0]);
  expect(barShares([1, 0])).toEqual([1, 0]);
  expect(barShares([])).toEqual([]);
});

test("the picture of a matrix is white where nothing is, and tells right from wrong", () => {
  const rgba = confusionPicture([4, 0, 1, 3], 2);
  const at = (cell: number): number[] => [...rgba.slice(4 * cell, 4 * cell + 3)];
  expect(at(1)).toEqual([255, 255, 255]);
  expect(at(0)).toEqual([15, 107, 107]);
  const [red, green] = at(2) as [number, number];
  expect(red).toBeGreaterThan(green);
});

test("the commonest mistakes come first", () => {
  const matrix = Int32Array.from([5, 1, 0, 7, 2, 0, 0, 3, 9]);
  expect(worstConfusions({ matrix, classes: ["a", "b", "c"] }, 2)).toEqual([
    { shown: "b", taken: "a", count: 7 },
    { shown: "c", taken: "b", count: 3 },
  ]);
});
