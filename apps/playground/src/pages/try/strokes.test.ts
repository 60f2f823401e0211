import { expect, test } from "vitest";
import { digitOf, digitSize, type Stroke } from "./strokes.js";

const bounds = (digit: Uint8Array) => {
  const on = [...digit.keys()].filter((at) => (digit[at] as number) > 0);
  const rows = on.map((at) => Math.floor(at / digitSize));
  const columns = on.map((at) => at % digitSize);
  return {
    height: Math.max(...rows) - Math.min(...rows) + 1,
    width: Math.max(...columns) - Math.min(...columns) + 1,
  };
};

function centre(digit: Uint8Array): readonly [number, number] {
  let [mass, x, y] = [0, 0, 0];
  for (const [at, value] of digit.entries()) {
    mass += value;
    x += value * ((at % digitSize) + 0.5);
    y += value * (Math.floor(at / digitSize) + 0.5);
  }
  return [x / mass, y / mass];
}

/** A seven in a corner of the drawing area, a quarter as large. */
const seven: Stroke[] = [
  [
    [0.05, 0.1],
    [0.22, 0.1],
    [0.12, 0.35],
  ],
];

test("a small drawing in a corner fills 20 pixels, its centre of mass in the middle", () => {
  const digit = digitOf(seven);
  const { height, width } = bounds(digit);
  expect(height).toBeGreaterThanOrEqual(19);
  expect(height).toBeLessThanOrEqual(22);
  expect(width).toBeLessThan(height);
  const [x, y] = centre(digit);
  expect(x).toBeCloseTo(14, 0);
  expect(y).toBeCloseTo(14, 0);
});

test("where and how large it was drawn makes no difference", () => {
  const larger = seven.map((stroke) => stroke.map(([x, y]) => [2 * x + 0.3, 2 * y + 0.2] as const));
  const difference = digitOf(seven).map((value, i) => Math.abs(value - (digitOf(larger)[i] as number)));
  expect(Math.max(...difference)).toBeLessThanOrEqual(1);
});

test("nothing, a dot and a straight line", () => {
  expect(digitOf([]).every((value) => value === 0)).toBe(true);
  expect(digitOf([[]]).every((value) => value === 0)).toBe(true);
  expect(bounds(digitOf([[[0.9, 0.9]]])).height).toBeLessThanOrEqual(4);
  expect(
    bounds(
      digitOf([
        [
          [0.5, 0.1],
          [0.5, 0.9],
        ],
      ]),
    ).width,
  ).toBeLessThanOrEqual(4);
});
