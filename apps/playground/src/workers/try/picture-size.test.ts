import { expect, test } from "vitest";
import { pictureSize } from "./picture-size.js";

const png = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x75, 0x40, 0, 0, 1, 2];
/** Segments of 4 and 6 bytes before the frame, as cameras write them; a table (C4) is no frame. */
const jpeg = [
  0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 2, 0xff, 0xc4, 0, 6, 1, 2, 3, 4, 0xff, 0xc2, 0, 17, 8, 0x2f, 0xd0, 0x3f, 0xc0, 3,
];

test("the size of PNG and JPEG files stands at their beginning", () => {
  expect(pictureSize(Uint8Array.from(png))).toEqual({ width: 30_016, height: 258 });
  expect(pictureSize(Uint8Array.from(jpeg))).toEqual({ width: 16_320, height: 12_240 });
});

test("of files that are cut off, damaged or something else, nothing is known", () => {
  for (let length = 0; length < 24; length++)
    expect(pictureSize(Uint8Array.from(jpeg.slice(0, length))), `${length} bytes`).toBeUndefined();
  expect(pictureSize(Uint8Array.from(png.slice(0, 23)))).toBeUndefined();
  expect(pictureSize(Uint8Array.from([0xff, 0xd8, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]))).toBeUndefined();
  expect(pictureSize(new TextEncoder().encode("no picture at all, but long enough to be one"))).toBeUndefined();
});
