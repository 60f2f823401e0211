import { expect, test } from "vitest";
import { joined } from "./joined.js";

test("what a run does again after it went back replaces what it did before", () => {
  const before = [1, 2, 3, 4].map((step) => ({ step, loss: 0 }));
  expect(joined(before, [{ step: 5, loss: 1 }]).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  expect(joined(before, [{ step: 3, loss: 1 }]).map(({ loss }) => loss)).toEqual([0, 0, 1]);
  expect(joined(before, [])).toBe(before);
});
