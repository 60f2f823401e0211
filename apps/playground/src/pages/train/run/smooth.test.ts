import { expect, test } from "vitest";
import { smoothed } from "./smooth.js";

test("smoothing takes means of each value and what lies behind", () => {
  expect(smoothed([2, 4, 6, 8], 2)).toEqual([2, 3, 5, 7]);
  expect(smoothed([2, 4, 6], 1)).toEqual([2, 4, 6]);
  expect(smoothed([], 3)).toEqual([]);
});
