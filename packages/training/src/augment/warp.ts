import {
  ArgumentError,
  add,
  arange,
  concat,
  cos,
  div,
  full,
  gridSample2d,
  mul,
  neg,
  reshape,
  sin,
  sub,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Options } from "../named.js";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption, rangeOption } from "./options.js";
import { imageShape, unit } from "./pixels.js";
import { uniform, wholeNumbers } from "./random.js";

type Pair = readonly [number, number];

/**
 * Where each output pixel comes from, in pixels from the centre, x to the right and y down: `x' = xx x + xy y + x0`, `y' = yx x + yy y + y0`.
 * Each a number for every image, float32 `[N]`.
 */
export interface Affine {
  readonly xx: Tensor;
  readonly xy: Tensor;
  readonly x0: Tensor;
  readonly yx: Tensor;
  readonly yy: Tensor;
  readonly y0: Tensor;
}

/** Bilinear; `fill` (0..1) is what lies outside. Takes and returns floats. */
export function warped(images: Tensor, { xx, xy, x0, yx, yy, y0 }: Affine, fill = 0): Tensor {
  const [, , h, w] = imageShape(images, "warp");
  const x = centred(w, [1, 1, w]);
  const y = centred(h, [1, h, 1]);
  const along = (ofX: Tensor, ofY: Tensor, start: Tensor): Tensor =>
    add(add(mul(perImage(ofX), x), mul(perImage(ofY), y)), perImage(start));
  return sampled(images, { x: along(xx, xy, x0), y: along(yx, yy, y0), fill });
}

/** One number for each image, to be broadcast over positions `[N, H, W]`. */
export const perImage = (values: Tensor): Tensor => reshape(values, [-1, 1, 1]);

/** Pixel centres, counted from the middle of the image. */
function centred(count: number, shape: readonly number[]): Tensor {
  return reshape(sub(arange(count, "float32"), (count - 1) / 2), shape);
}

/** Positions `[N, H, W]` in pixels from the centre. */
export function sampled(
  images: Tensor,
  { x, y, fill }: { readonly x: Tensor; readonly y: Tensor; readonly fill: number },
): Tensor {
  const [n, , h, w] = imageShape(images, "warp");
  const coordinate = (position: Tensor, size: number): Tensor => reshape(mul(position, 2 / size), [n, h, w, 1]);
  const grid = concat([coordinate(x, w), coordinate(y, h)], 3);
  if (fill === 0) return gridSample2d(images, grid);
  // Outside is 0 for the sampler.
  return add(gridSample2d(sub(images, fill), grid), fill);
}

export interface RandomAffineOptions {
  /** Rotation, clockwise: drawn from `-degrees .. degrees`, or from a range. */
  readonly degrees?: number | Pair;
  /** Greatest share of the width and of the height by which images are moved, in whole pixels. */
  readonly translate?: Pair;
  /** Range of the magnification. */
  readonly scale?: Pair;
  /** In degrees along x: from `-shear .. shear`, or from a range; four numbers are ranges along x and along y. */
  readonly shear?: number | Pair | readonly [number, number, number, number];
  /** Value in 0..1 of what comes from outside. Default 0. */
  readonly fill?: number;
  /** Share of the images. Default 1. */
  readonly p?: number;
}

/**
 * Rotates, shears, magnifies and moves each image at random, about its centre, bilinear (torchvision's RandomAffine). Returns float32.
 * @throws ArgumentError
 */
export function randomAffine(options: RandomAffineOptions): Transform {
  return affineTransform("randomAffine", options);
}

/** Rotates each image at random: {@link randomAffine}'s `degrees` alone. */
export function randomRotation({ degrees, ...rest }: AffinePart<"degrees">): Transform {
  return affineTransform("randomRotation", { degrees, ...rest });
}

/** Moves each image at random: {@link randomAffine}'s `translate` alone. */
export function randomTranslate({ translate, ...rest }: AffinePart<"translate">): Transform {
  return affineTransform("randomTranslate", { translate, ...rest });
}

/** Magnifies each image at random: {@link randomAffine}'s `scale` alone. */
export function randomScale({ scale, ...rest }: AffinePart<"scale">): Transform {
  return affineTransform("randomScale", { scale, ...rest });
}

/** Shears each image at random: {@link randomAffine}'s `shear` alone. */
export function randomShear({ shear, ...rest }: AffinePart<"shear">): Transform {
  return affineTransform("randomShear", { shear, ...rest });
}

export type AffinePart<Name extends keyof RandomAffineOptions> = Required<Pick<RandomAffineOptions, Name>> &
  Pick<RandomAffineOptions, "fill" | "p">;

function affineTransform(where: string, options: RandomAffineOptions): Transform {
  const { fill = 0, p = 1 } = options;
  numberOption(where, "fill", fill, { min: 0, max: 1 });
  const ranges = checkedAffine(where, options);
  return imageAugmentation(where, { ...given(options), fill, p }, (images, ctx) => {
    const [n, , h, w] = imageShape(images, where);
    return warped(unit(images), drawnAffine(ctx, n, { ...ranges, image: [h, w] }), fill);
  });
}

/** Options as they came, without those left out: they are data already. */
function given(options: RandomAffineOptions): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

interface AffineRanges {
  readonly degrees: Pair;
  readonly translate: Pair;
  readonly scale: Pair;
  readonly shearX: Pair;
  readonly shearY: Pair;
}

function checkedAffine(where: string, options: RandomAffineOptions): AffineRanges {
  const { degrees = 0, translate = [0, 0], scale = [1, 1], shear = 0 } = options;
  const around = (name: string, value: number | readonly number[], limit: number): Pair => {
    if (typeof value !== "number") return rangeOption(where, name, value, { min: -limit, max: limit });
    numberOption(where, name, value, { min: 0, max: limit });
    return [-value, value];
  };
  if (!Array.isArray(translate) || translate.length !== 2)
    throw new ArgumentError(`${where}: translate needs two shares, of the width and of the height`, { translate });
  for (const share of translate) numberOption(where, "translate", share, { min: 0, max: 1 });
  const both = Array.isArray(shear) && shear.length === 4;
  return {
    degrees: around("degrees", degrees, 360),
    translate: translate as unknown as Pair,
    scale: rangeOption(where, "scale", scale, { min: 0, above: true }),
    shearX: around("shear", both ? shear.slice(0, 2) : (shear as number | Pair), 89),
    shearY: both ? around("shear", shear.slice(2), 89) : [0, 0],
  };
}

function drawnAffine(
  ctx: Context,
  n: number,
  { degrees, translate, scale, shearX, shearY, image: [h, w] }: AffineRanges & { readonly image: Pair },
): Affine {
  const between = ([low, high]: Pair, factor = 1): Tensor =>
    low === high ? full([n], low * factor) : uniform(ctx, n, low * factor, high * factor);
  const moved = (share: number, count: number): Tensor => {
    const most = Math.floor(share * count);
    return most === 0 ? full([n], 0) : sub(wholeNumbers(ctx, n, 2 * most + 1), most);
  };
  const radian = Math.PI / 180;
  return affineMatrix({
    angle: between(degrees, radian),
    shearX: between(shearX, radian),
    shearY: between(shearY, radian),
    scale: between(scale),
    x: moved(translate[0], w),
    y: moved(translate[1], h),
  });
}

/** Angles in radians, moves in pixels: float32 `[N]` each. */
export function affineMatrix({
  angle,
  shearX,
  shearY,
  scale,
  x,
  y,
}: {
  readonly [Name in "angle" | "shearX" | "shearY" | "scale" | "x" | "y"]: Tensor;
}): Affine {
  const turned = sub(angle, shearY);
  const tangent = div(sin(shearX), cos(shearX));
  const [c, s] = [div(cos(turned), cos(shearY)), div(sin(turned), cos(shearY))];
  // The image goes through rotation * scale * shear, of determinant scale^2; its pixels come through the inverse.
  const inverse = (value: Tensor): Tensor => div(value, scale);
  const xx = inverse(sub(cos(angle), mul(s, tangent)));
  const xy = inverse(add(mul(c, tangent), sin(angle)));
  const yx = inverse(neg(s));
  const yy = inverse(c);
  const start = (a: Tensor, b: Tensor): Tensor => neg(add(mul(a, x), mul(b, y)));
  return { xx, xy, x0: start(xx, xy), yx, yy, y0: start(yx, yy) };
}
