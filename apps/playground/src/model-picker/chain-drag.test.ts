import { expect, test } from "vitest";
import { placeAt } from "./chain-drag.js";

// Lines of 40 pixels, the second of 80.
const middles = [20, 80, 140, 180];

test.each([
  ["where it was", 1, 80, 1],
  ["a little up: the line above has its middle there", 1, 25, 1],
  ["above the first", 1, -30, 0],
  ["behind the third", 1, 150, 2],
  ["below all", 1, 900, 3],
  ["the last to the front", 3, 10, 0],
  ["the first behind the second", 0, 100, 1],
])("a line let go comes to stand %s", (_, from, y, to) => {
  expect(placeAt(y, from, middles)).toBe(to);
});
