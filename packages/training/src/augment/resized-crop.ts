import {
  abs,
  add,
  arange,
  div,
  equal,
  floor,
  less,
  lessEqual,
  max,
  maximum,
  mul,
  neg,
  type Operand,
  reshape,
  select,
  sub,
  sum,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Transform } from "../transform.js";
import { nothing } from "./choice.js";
import { centred } from "./crop.js";
import type { Box, Size } from "./frame.js";
import { rangeOption, sizeOption } from "./options.js";
import { imageShape, separable, unit } from "./pixels.js";
import { tableAt, wholeNumbers } from "./random.js";

type Pair = readonly [number, number];

export interface ResizedCropShares {
  /** Range of the part's share of the picture's area. Default `[0.08, 1]`. */
  readonly scale?: Pair;
  /** Range of its width to its height. Default `[3/4, 4/3]`. */
  readonly ratio?: Pair;
}

export interface RandomResizedCropOptions extends ResizedCropShares {
  /** Height and width, or one number for both. */
  readonly size: number | Size;
}

/** Draws of area and ratio before the centre is taken, as in torchvision. */
export const tries = 10;

/** @throws ArgumentError */
export function checkedShares(
  where: string,
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: ResizedCropShares,
): Required<ResizedCropShares> {
  return {
    scale: rangeOption(where, "scale", scale, { min: 0, above: true, max: 1 }),
    ratio: rangeOption(where, "ratio", ratio, { min: 0, above: true }),
  };
}

/**
 * A part of random area and shape of each image, stretched to `size` (Szegedy et al. 2015; torchvision's RandomResizedCrop with
 * antialiasing): ten tries; if none fits, the largest central part of a ratio in range. In evaluation the centre of `size`, which is
 * the image itself where it has the size already. Returns float32.
 * @throws ArgumentError; in evaluation, ShapeError for images that are smaller than `size`
 */
export function randomResizedCrop({ size: given, ...shares }: RandomResizedCropOptions): Transform {
  const size = sizeOption("randomResizedCrop", "size", given);
  const { scale, ratio } = checkedShares("randomResizedCrop", shares);
  return {
    name: "randomResizedCrop",
    options: { size, scale, ratio },
    uncut: nothing,
    apply: (batch, ctx) => {
      if (!ctx.training) return { ...batch, images: centred("randomResizedCrop", batch.images, size) };
      const [n, , h, w] = imageShape(batch.images, "randomResizedCrop");
      const boxes = randomBoxes(ctx, n, { image: [h, w], scale, ratio, fallback: centralBox([h, w], ratio) });
      return { ...batch, images: resized(batch.images, boxes, size) };
    },
  };
}

/** The largest central part whose ratio of width to height is in range, as torchvision rounds it. */
export function centralBox([h, w]: Size, [narrowest, widest]: Pair): Box {
  const height = w / h < narrowest ? Math.min(h, Math.round(w / narrowest)) : h;
  const width = w / h > widest ? Math.min(w, Math.round(h * widest)) : w;
  return { top: Math.floor((h - height) / 2), left: Math.floor((w - width) / 2), height, width };
}

/** A box for each image: whole numbers as float32 `[n]`. */
export type Boxes = { readonly [Side in keyof Box]: Tensor };

export interface RandomBoxOptions extends Required<ResizedCropShares> {
  readonly image: Size;
  /** What is taken where no try fits. */
  readonly fallback: Box;
  /** Greatest height and width of a box. Default: the image's. */
  readonly limit?: Size;
}

const steps = 4096;

/**
 * Boxes of random area and form. All tries are drawn at once, and of those the first is taken that fits. Sides are products of two numbers
 * from tables, so that every device rounds them alike.
 */
export function randomBoxes(
  ctx: Context,
  n: number,
  { image: [h, w], scale, ratio, fallback, limit: [highest, widest] = [h, w] }: RandomBoxOptions,
): Boxes {
  const [low, high] = ratio.map(Math.log) as unknown as Pair;
  const middles = Array.from({ length: steps }, (_, i) => (i + 0.5) / steps);
  const roots = middles.map((u) => Math.sqrt(h * w * (scale[0] + (scale[1] - scale[0]) * u)));
  const forms = middles.map((u) => Math.exp((low + (high - low) * u) / 2));
  const root = tableAt(roots.map(short), wholeNumbers(ctx, n * tries, steps));
  const form = wholeNumbers(ctx, n * tries, steps);
  const side = (table: readonly number[]): Tensor =>
    reshape(floor(add(mul(root, tableAt(table.map(short), form)), 0.5)), [n, tries]);
  const widths = side(forms);
  const heights = side(forms.map((value) => 1 / value));

  const order = reshape(arange(tries, "float32"), [1, tries]);
  // Minimum 1: an area of less than half a pixel is no part.
  const ifInside = (lengths: Tensor, most: number, place: Operand): Tensor =>
    select(lessEqual(lengths, most), select(lessEqual(1, lengths), place, tries), tries);
  const fitting = ifInside(widths, widest, ifInside(heights, highest, order));
  const first = neg(max(neg(fitting), { axes: 1, keepDims: true }));
  const none = equal(reshape(first, [n]), tries);
  const chosen = (lengths: Tensor, otherwise: number): Tensor =>
    select(none, otherwise, sum(select(equal(order, first), lengths, 0), { axes: 1 }));
  const [height, width] = [chosen(heights, fallback.height), chosen(widths, fallback.width)];
  const place = (length: Tensor, most: number, otherwise: number): Tensor =>
    select(none, otherwise, wholeNumbers(ctx, n, sub(most + 1, length)));
  return { height, width, top: place(height, h, fallback.top), left: place(width, w, fallback.left) };
}

/** Rounded to 12 significant bits: the product of two such numbers is exact in float32, so that every device rounds it alike. */
function short(value: number): number {
  const unitInLastPlace = 2 ** (Math.floor(Math.log2(value)) - 11);
  return Math.round(value / unitInLastPlace) * unitInLastPlace;
}

/** Each image's box, stretched to `size` (bilinear, antialiased as Pillow does it): two products with matrices of weights. */
export function resized(images: Tensor, { top, left, height, width }: Boxes, size: Size): Tensor {
  const [, , h, w] = imageShape(images, "resize");
  const down = stretching({ start: top, length: height, from: h, to: size[0] });
  const across = stretching({ start: left, length: width, from: w, to: size[1] });
  return separable(unit(images), down, across);
}

/** Weights `[n, to, from]` of the pixels `start ... start + length - 1` in `to` pixels: triangles as wide as what they sum up. */
function stretching({
  start,
  length,
  from,
  to,
}: {
  readonly start: Tensor;
  readonly length: Tensor;
  readonly from: number;
  readonly to: number;
}): Tensor {
  const column = (value: Tensor): Tensor => reshape(value, [-1, 1, 1]);
  const scale = mul(length, 1 / to);
  const pixel = reshape(arange(from, "float32"), [1, 1, from]);
  const target = reshape(add(arange(to, "float32"), 0.5), [1, to, 1]);
  const centre = add(column(start), mul(target, column(scale)));
  const distance = div(abs(sub(add(pixel, 0.5), centre)), column(maximum(scale, 1)));
  const tent = maximum(sub(1, distance), 0);
  const past = sub(pixel, column(start));
  const weights = select(less(past, 0), 0, select(less(past, column(length)), tent, 0));
  return div(weights, sum(weights, { axes: 2, keepDims: true }));
}
