import { expect, test } from "vitest";
import { fileName } from "./file-name.js";

test.each([
  ["LeNet-5 on digits", "lenet-5-on-digits"],
  ["  Größe / ../ ✓ ", "gro-e"],
  ["数字", "network"],
])("%s becomes a file's name", (title, name) => {
  expect(fileName(title)).toBe(name);
});
