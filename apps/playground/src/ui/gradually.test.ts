import { expect, it } from "vitest";
import { type Drawing, drawnOf, follow, piecesOf } from "./gradually.js";

const next = <Part>(drawing: Drawing<Part>): Drawing<Part> => ({ ...drawing, done: drawing.done + 1 });

it("comes part by part at first", () => {
  const first = follow<string>(undefined, ["a", "b", "c"], 1);
  expect(drawnOf(first)).toEqual(["a"]);
  expect(drawnOf(next(first))).toEqual(["a", "b"]);
  expect(drawnOf(next(next(first)))).toEqual(["a", "b", "c"]);
});

it("keeps what was drawn until the turn of its place, and nothing that has none", () => {
  const before = next(next(follow<string>(undefined, ["a", "b", "c"], 1)));
  const now = follow(before, ["A", "B"], 1);
  expect(drawnOf(now)).toEqual(["A", "b"]);
  expect(drawnOf(next(now))).toEqual(["A", "B"]);
  const changedAgain = follow(now, ["x", "y", "z", "w"], 1);
  expect(drawnOf(changedAgain)).toEqual(["x", "b"]);
});

it("goes on with the same parts, and begins anew with another subject", () => {
  const parts = ["a", "b"];
  const drawing = next(follow<string>(undefined, parts, 1));
  expect(follow(drawing, parts, 1)).toBe(drawing);
  expect(drawnOf(follow(drawing, ["x", "y"], 2))).toEqual(["x"]);
});

it("cuts lists into pieces", () => {
  expect(piecesOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(piecesOf([], 2)).toEqual([]);
});
