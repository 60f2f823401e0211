import { expect, test } from "vitest";
import { originText } from "./describe.js";

const origin = { network: "1", title: "LeNet-5 on Digits", taken: 8, of: 10, headOnly: false };

test("what was taken and what is new is said in words", () => {
  expect(originText({ ...origin, fresh: ["fc.weight", "fc.bias"] })).toBe(
    "8 of 10 tensors from “LeNet-5 on Digits”; new: fc.weight, fc.bias.",
  );
  expect(originText({ ...origin, taken: 10, fresh: [], headOnly: true })).toBe(
    "all 10 tensors from “LeNet-5 on Digits”. The head alone learns, the rest stays as it is.",
  );
  const fresh = Array.from({ length: 7 }, (_, i) => `layer${i}.weight`);
  expect(originText({ ...origin, taken: 3, fresh })).toMatch(/new: layer0\.weight, .*layer3\.weight and 3 more\.$/);
});
