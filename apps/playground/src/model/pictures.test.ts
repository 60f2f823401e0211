import { expect, test } from "vitest";
import { divergingPicture, gradientPicture, greyPicture, heatOverlay, imagePicture, rangeOf } from "./pictures.js";

const pixel = ({ rgba }: { readonly rgba: Uint8ClampedArray }, i: number) => [...rgba.subarray(4 * i, 4 * i + 4)];
const lightness = ([red = 0, green = 0, blue = 0]: number[]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

test("planes become pixels, grey ones in three channels", () => {
  expect(pixel(imagePicture([1, 2, 3, 4, 5, 6], [3, 1, 2]), 1)).toEqual([2, 4, 6, 255]);
  expect(pixel(imagePicture([9, 8], [1, 1, 2]), 0)).toEqual([9, 9, 9, 255]);
});

test("grey goes from the least to the greatest; a constant map is black", () => {
  const picture = greyPicture([-1, 0, 3], [1, 3]);
  expect(pixel(picture, 0)).toEqual([0, 0, 0, 255]);
  expect(pixel(picture, 1)).toEqual([64, 64, 64, 255]);
  expect(pixel(picture, 2)).toEqual([255, 255, 255, 255]);
  expect(pixel(greyPicture([5, 5], [1, 2]), 1)).toEqual([0, 0, 0, 255]);
});

test("numbers that are none do not count in a range", () => {
  expect(rangeOf([Number.NaN, 2, -1, Infinity, -Infinity])).toEqual({ min: -1, max: 2 });
  expect(rangeOf([])).toEqual({ min: 0, max: 0 });
});

test("lightness of the heat is in the order of the values", () => {
  const values = Array.from({ length: 40 }, (_, i) => i);
  const black = imagePicture(new Uint8Array(40), [1, 1, 40]);
  const light = values.map((i) => lightness(pixel(heatOverlay(black, values, 1), i)));
  expect(light).toEqual([...light].sort((a, b) => a - b));
  expect(light.at(-1)).toBeGreaterThan(200);
});

test("the diverging map has its ground at 0, orange above and blue below", () => {
  const picture = divergingPicture([-2, 0, 2], [1, 3], false);
  const [below, zero, above] = [0, 1, 2].map((i) => pixel(picture, i)) as [number[], number[], number[]];
  expect(zero).toEqual([250, 249, 246, 255]);
  expect(above[0]).toBeGreaterThan(above[2] as number);
  expect(below[2]).toBeGreaterThan(below[0] as number);
});

test("gradients lie around grey", () => {
  const picture = gradientPicture([0, -4, 2], [1, 1, 3]);
  expect([0, 1, 2].map((i) => pixel(picture, i)[0])).toEqual([128, 1, 192]);
});

test("an overlay of no opacity is the image, and hot pixels are covered more than cold ones", () => {
  const image = imagePicture([10, 10, 200, 200, 30, 30], [3, 1, 2]);
  expect(heatOverlay(image, [0, 1], 0).rgba).toEqual(image.rgba);
  const half = heatOverlay(image, [0, 1], 0.5);
  const change = (i: number) =>
    pixel(half, i).reduce((sum, value, k) => sum + Math.abs(value - (pixel(image, i)[k] as number)), 0);
  expect(change(1)).toBeGreaterThan(change(0));
});
