import { expect, it } from "vitest";
import { movingMean } from "./statistics.js";

it("averages what is there at first, and then the window", () => {
  expect(movingMean([1, 3, 5, 7], 2)).toEqual([1, 2, 4, 6]);
  expect(movingMean([2, 4], 10)).toEqual([2, 3]);
  expect(movingMean([], 3)).toEqual([]);
});
