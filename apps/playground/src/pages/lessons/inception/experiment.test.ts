import { reference } from "@ocelli/core/reference";
import { expect, it } from "vitest";
import { experiment, type Frame, waysToTotal } from "./experiment.js";

const lab = { exact: () => reference(), fast: () => reference() };

it("counts 854 M and 271 M, and finds the one sum that gives the slide's 358 M: the 3x3 branch twice", async () => {
  const { value } = await experiment({ reduce3x3: 64, reduce5x5: 64, poolProject: 64 }, lab).next();
  const { naive, reduced, slide, waysToTotal: ways } = value as Frame;
  expect([naive.macs, naive.channels]).toEqual([854_196_224, 672]);
  expect([reduced.macs, reduced.channels]).toEqual([271_351_808, 480]);
  expect(slide.macs).toBe(reduced.macs);
  expect(ways).toHaveLength(1);
  const [way = []] = ways;
  expect(way.filter(({ paths, times }) => times > paths.length)).toEqual([
    { macs: 86_704_128, paths: ["conv3x3"], times: 2 },
  ]);
  expect(way.reduce((sum, { macs, times }) => sum + macs * times, 0)).toBe(358_055_936);
});

it("follows the sliders, while the slide's module stays", async () => {
  const { value } = await experiment({ reduce3x3: 32, reduce5x5: 16, poolProject: 128 }, lab).next();
  const { reduced, slide } = value as Frame;
  const pixels = 28 * 28;
  expect(reduced.macs).toBe(pixels * (128 * 256 + 32 * 256 + 192 * 9 * 32 + 16 * 256 + 96 * 25 * 16 + 128 * 256));
  expect(reduced.channels).toBe(128 + 192 + 96 + 128);
  expect(slide.macs).toBe(271_351_808);
});

it("finds every sum, or none", () => {
  const terms = [
    { path: "a", filters: 1, macs: 2e6 },
    { path: "b", filters: 1, macs: 3e6 },
  ];
  expect(waysToTotal(terms, 11).map((way) => way.map(({ times }) => times))).toEqual([
    [1, 4],
    [3, 1],
  ]);
  expect(waysToTotal(terms, 6)).toEqual([]);
});
