import {
  add,
  arange,
  cast,
  constant,
  DTypeError,
  formatSpec,
  gather,
  greater,
  hostTensor,
  less,
  matmul,
  maximum,
  minimum,
  mul,
  type Operand,
  reshape,
  ShapeError,
  select,
  sub,
  sum,
  type Tensor,
  transpose,
} from "@ocelli/core";
import type { Box, Size } from "./frame.js";

/** `[N, C, H, W]` of a batch. @throws ShapeError */
export function imageShape(images: Tensor, where: string): readonly [number, number, number, number] {
  if (images.shape.length !== 4)
    throw new ShapeError(`${where}: images are ${formatSpec(images)}; they need to be [N, C, H, W]`);
  return images.shape as unknown as readonly [number, number, number, number];
}

/**
 * Pixels as every transform takes them: uint8 0..255 become float32 0..1; floats are in 0..1 already and stay.
 * @throws DTypeError for anything else
 */
export function unit(images: Tensor): Tensor {
  if (images.dtype === "float32") return images;
  if (images.dtype === "uint8") return mul(cast(images, "float32"), 1 / 255);
  throw new DTypeError(`transform: images are ${formatSpec(images)}; they need to be uint8, or float32 in 0..1`);
}

/** Values below 0 and above 1 become 0 and 1. */
export function clamp(images: Tensor): Tensor {
  return minimum(maximum(images, 0), 1);
}

/** Rows of images, each image its own: `[N, C, H, W]` at `[N, H']`, whole numbers in `0..H-1` as float32, gives `[N, C, H', W]`. */
export function rowsAt(images: Tensor, rows: Tensor): Tensor {
  const [n, c, h, w] = imageShape(images, "rowsAt");
  const taken = rows.shape[1] as number;
  const planes = reshape(mul(arange(n * c), h), [n, c, 1]);
  const index = add(planes, reshape(cast(rows, "int32"), [n, 1, taken]));
  return reshape(gather(reshape(images, [n * c * h, w]), reshape(index, [-1])), [n, c, taken, w]);
}

/** Columns of images, each image its own: `[N, C, H, W]` at `[N, W']` gives `[N, C, H, W']`. */
export function columnsAt(images: Tensor, columns: Tensor): Tensor {
  const [n, c, h, w] = imageShape(images, "columnsAt");
  const taken = columns.shape[1] as number;
  // Columns become lines in memory first: taking single pixels one by one costs several times as much.
  const lines = reshape(transpose(images, [0, 3, 1, 2]), [n * w, c * h]);
  const index = add(reshape(mul(arange(n), w), [n, 1]), cast(columns, "int32"));
  return transpose(reshape(gather(lines, reshape(index, [-1])), [n, taken, c, h]), [0, 2, 3, 1]);
}

/** `0, 1, ..., count - 1` as float32, a row for each of `n` images: `[1, count]`, to be broadcast. */
export function positions(count: number): Tensor {
  return reshape(arange(count, "float32"), [1, count]);
}

/** One channel of lightness, ITU-R 601 as in Pillow and torchvision: `[N, 1, H, W]`. Grey images are that already. */
export function luma(images: Tensor): Tensor {
  const channels = images.shape[1] as number;
  if (channels === 1) return images;
  checkColour(images, "luma");
  return sum(mul(images, channelVector([0.2989, 0.587, 0.114])), { axes: 1, keepDims: true });
}

/** @throws ShapeError for images without the three channels red, green and blue */
export function checkColour(images: Tensor, where: string): void {
  const [, channels] = imageShape(images, where);
  if (channels === 3) return;
  throw new ShapeError(`${where}: images are ${formatSpec(images)}; colours need three channels`, { channels });
}

/** Numbers by channel, to be broadcast over images: `[1, C, 1, 1]`. */
export function channelVector(values: readonly number[]): Tensor {
  return reshape(constant(hostTensor(values)), [1, values.length, 1, 1]);
}

/** One number for each image, to be broadcast over images: `[N]` -> `[N, 1, 1, 1]`. */
export function imageVector(values: Tensor): Tensor {
  return reshape(values, [-1, 1, 1, 1]);
}

/** `other + factor * (images - other)` in 0..1: between the two for factors below 1, beyond `images` above. Factor `[N]`. */
export function blended(images: Tensor, other: Operand, factor: Tensor): Tensor {
  return clamp(add(other, mul(imageVector(factor), sub(images, other))));
}

/** Each image times a matrix on either side: rows `[N, H', H]`, columns `[N, W', W]` -> `[N, C, H', W']`. */
export function separable(images: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, c, h, w] = imageShape(images, "separable");
  const [height, width] = [rows.shape[1] as number, columns.shape[1] as number];
  const lines = matmul(reshape(images, [n, c * h, w]), columns, { transposeB: true });
  return matmul(reshape(rows, [-1, 1, height, h]), reshape(lines, [n, c, h, width]));
}

/** true for the pixels of a box: numbers `[N]`, rows `top ... top + height - 1` -> bool `[N, 1, H, W]`. */
export function insideBox(
  { top, left, height, width }: { readonly [Side in keyof Box]: Tensor },
  [h, w]: Size,
): Tensor {
  const along = (start: Tensor, length: Tensor, count: number): Tensor => {
    const past = sub(positions(count), reshape(start, [-1, 1]));
    return select(less(past, 0), 0, cast(less(past, reshape(length, [-1, 1])), "float32"));
  };
  const [rows, columns] = [along(top, height, h), along(left, width, w)];
  return greater(mul(reshape(rows, [-1, 1, h, 1]), reshape(columns, [-1, 1, 1, w])), 0);
}
