import { expect, test } from "vitest";
import { channelMaps } from "./ranked-maps.js";

const maps = { layer: "conv", shape: [3, 1, 2], values: Float32Array.of(0, 1, 4, 6, -3, 9) };

test("maps in the order of their channels", () => {
  expect(channelMaps(maps, "index")).toEqual([
    { channel: 0, values: Float32Array.of(0, 1), mean: 0.5, min: 0, max: 1 },
    { channel: 1, values: Float32Array.of(4, 6), mean: 5, min: 4, max: 6 },
    { channel: 2, values: Float32Array.of(-3, 9), mean: 3, min: -3, max: 9 },
  ]);
});

test("the largest mean first", () => {
  expect(channelMaps(maps, "strongest").map(({ channel }) => channel)).toEqual([1, 2, 0]);
});
