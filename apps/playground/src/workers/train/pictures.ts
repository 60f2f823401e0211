import * as Comlink from "comlink";
import type { Picture } from "./api.js";

type Values = Uint8Array | Float32Array | Float64Array;

/** Planes of pixels 0..255, `[C, H, W]`, as a picture. One channel is grey; of two or more than three, the first. */
export function pictureOf(planes: ArrayLike<number>, shape: readonly number[]): Picture {
  const [channels, height, width] = shape as [number, number, number];
  const size = height * width;
  const rgba = new Uint8ClampedArray(4 * size);
  const [green, blue] = channels === 3 ? [size, 2 * size] : [0, 0];
  for (let i = 0; i < size; i++) {
    rgba[4 * i] = planes[i] as number;
    rgba[4 * i + 1] = planes[i + green] as number;
    rgba[4 * i + 2] = planes[i + blue] as number;
    rgba[4 * i + 3] = 255;
  }
  return { width, height, rgba };
}

/** Numbers as a picture: `low` is black and `high` white. */
export function scaledPicture(
  values: Values,
  shape: readonly number[],
  [low, high]: readonly [number, number],
): Picture {
  const scale = high > low ? 255 / (high - low) : 0;
  // Nothing but one value: middle grey.
  const shift = high > low ? -low * scale : 127.5;
  return pictureOf(
    Float32Array.from(values, (value) => value * scale + shift),
    shape,
  );
}

/** The least and the largest of some values. */
export function rangeOf(values: Iterable<number>): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Hands the pictures' memory over instead of copying it. */
export function handedOver<T>(value: T, pictures: readonly Picture[]): T {
  return Comlink.transfer(
    value as T & object,
    pictures.map(({ rgba }) => rgba.buffer),
  );
}
