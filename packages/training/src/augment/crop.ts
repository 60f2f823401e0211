import { add, narrow, pad, reshape, ShapeError, select, sub, type Tensor } from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Transform } from "../transform.js";
import { nothing } from "./choice.js";
import type { Size } from "./frame.js";
import { augmentation, chanceOption, numberOption, sizeOption } from "./options.js";
import { columnsAt, imageShape, positions, rowsAt } from "./pixels.js";
import { chance, wholeNumbers } from "./random.js";

export interface RandomCropOptions {
  /** Height and width, or one number for both. */
  readonly size: number | Size;
  /** Black pixels added on every side first. Default 0. */
  readonly padding?: number;
  /** Share of the images that are cut at a random place; the others keep the centre. Default 1. */
  readonly p?: number;
}

/**
 * A part of each image, anywhere in it (He et al. 2016 on CIFAR: `{ size: 32, padding: 4 }`). In evaluation the centre, which is the
 * image itself where it has the size already.
 * @throws ArgumentError; when applied, ShapeError for images that are smaller than `size` with their padding
 */
export function randomCrop({ size: given, padding = 0, p = 1 }: RandomCropOptions): Transform {
  const size = sizeOption("randomCrop", "size", given);
  numberOption("randomCrop", "padding", padding, { integer: true, min: 0 });
  chanceOption("randomCrop", p);
  return {
    name: "randomCrop",
    options: { size, padding, p },
    uncut: nothing,
    apply: (batch, ctx) => {
      const images = surrounded(batch.images, padding);
      if (!ctx.training) return { ...batch, images: centred("randomCrop", images, size) };
      checkFits("randomCrop", images, size);
      return { ...batch, images: croppedAnywhere(images, size, p, ctx) };
    },
  };
}

/** The centre of each image, in training and evaluation. @throws ArgumentError; when applied, ShapeError for smaller images */
export function centerCrop({ size: given }: { readonly size: number | Size }): Transform {
  const size = sizeOption("centerCrop", "size", given);
  return {
    name: "centerCrop",
    options: { size },
    uncut: nothing,
    apply: (batch) => ({ ...batch, images: centred("centerCrop", batch.images, size) }),
  };
}

/** Mirrors left and right in a share `p` (default 0.5) of the images. */
export function randomHorizontalFlip({ p = 0.5 }: { readonly p?: number } = {}): Transform {
  chanceOption("randomHorizontalFlip", p);
  return augmentation("randomHorizontalFlip", { p }, (batch, ctx) => {
    const [n, , , w] = imageShape(batch.images, "randomHorizontalFlip");
    return { ...batch, images: columnsAt(batch.images, mirrored(chance(ctx, n, p), w)) };
  });
}

/** Mirrors top and bottom in a share `p` (default 0.5) of the images. */
export function randomVerticalFlip({ p = 0.5 }: { readonly p?: number } = {}): Transform {
  chanceOption("randomVerticalFlip", p);
  return augmentation("randomVerticalFlip", { p }, (batch, ctx) => {
    const [n, , h] = imageShape(batch.images, "randomVerticalFlip");
    return { ...batch, images: rowsAt(batch.images, mirrored(chance(ctx, n, p), h)) };
  });
}

/** `0 ... count - 1`, or the same backwards where `flip` (bool `[n]`) is true. */
function mirrored(flip: Tensor, count: number): Tensor {
  const forwards = positions(count);
  return select(reshape(flip, [-1, 1]), sub(count - 1, forwards), forwards);
}

function croppedAnywhere(images: Tensor, size: Size, p: number, ctx: Context): Tensor {
  const [n, , h, w] = imageShape(images, "randomCrop");
  const free: Size = [h - size[0], w - size[1]];
  const anywhere = p === 1 ? undefined : chance(ctx, n, p);
  const along = (axis: 0 | 1): Tensor => {
    const random = wholeNumbers(ctx, n, free[axis] + 1);
    const start = anywhere === undefined ? random : select(anywhere, random, middle(free[axis]));
    return add(reshape(start, [n, 1]), positions(size[axis]));
  };
  return columnsAt(rowsAt(images, along(0)), along(1));
}

/** The centre of each image. @throws ShapeError for images that are smaller */
export function centred(where: string, images: Tensor, size: Size): Tensor {
  checkFits(where, images, size);
  const [height, width] = size;
  const [, , h, w] = imageShape(images, where);
  const [top, left] = [middle(h - height), middle(w - width)];
  return narrow(narrow(images, 2, top, top + height), 3, left, left + width);
}

/** Half of what is left over. Halves go to the even number, as in torchvision's crops. */
export function middle(free: number): number {
  const half = Math.floor(free / 2);
  return free % 2 === 0 || half % 2 === 0 ? half : half + 1;
}

function surrounded(images: Tensor, border: number): Tensor {
  const sides = [0, 0, border, border];
  return pad(images, { low: sides, high: sides });
}

function checkFits(where: string, images: Tensor, [height, width]: Size): void {
  const [, , h, w] = imageShape(images, where);
  if (h >= height && w >= width) return;
  throw new ShapeError(
    `${where}: images of ${h}x${w} hold no ${height}x${width}: take a smaller size, or more padding, or resize first`,
    { size: [height, width], image: [h, w] },
  );
}
