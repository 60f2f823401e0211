import { describe, expect, it } from "vitest";
import { levelsOf, moveInTree } from "./tree.js";

// input; a block with two layers; output
const boxes = [
  { id: "a", parent: null, plan: null },
  { id: "b", parent: null, plan: 1 },
  { id: "c", parent: "b", plan: null },
  { id: "d", parent: "b", plan: null },
  { id: "e", parent: null, plan: null },
];
const closed = { boxes, shown: [0, 1, 4], open: new Set<number>() };
const open = { boxes, shown: [0, 1, 2, 3, 4], open: new Set([1]) };

describe("keys in the graph", () => {
  it.each([
    ["ArrowDown", 1, closed, { to: 4 }],
    ["ArrowDown", 1, open, { to: 2 }],
    ["ArrowDown", 4, open, undefined],
    ["ArrowUp", 0, open, undefined],
    ["ArrowUp", 4, closed, { to: 1 }],
    ["ArrowRight", 1, closed, { open: 1 }],
    ["ArrowRight", 1, open, { to: 2 }],
    ["ArrowRight", 0, open, undefined],
    ["ArrowLeft", 1, open, { close: 1 }],
    ["ArrowLeft", 3, open, { to: 1 }],
    ["ArrowLeft", 4, open, undefined],
    ["Home", 3, open, { to: 0 }],
    ["End", 0, closed, { to: 4 }],
    ["x", 0, closed, undefined],
    // What is not drawn any more has no keys.
    ["ArrowDown", 2, closed, undefined],
  ] as const)("%s at %i", (key, at, tree, move) => {
    expect(moveInTree(key, at, tree)).toEqual(move);
  });

  it("levels count blocks around", () => {
    expect(levelsOf(boxes)).toEqual([1, 1, 2, 2, 1]);
  });
});
