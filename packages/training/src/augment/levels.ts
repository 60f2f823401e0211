import {
  add,
  arange,
  cast,
  constant,
  div,
  equal,
  floor,
  full,
  gather,
  greaterEqual,
  hostTensor,
  matmul,
  max,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  scatterAdd,
  select,
  sub,
  sum,
  type Tensor,
} from "@ocelli/core";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption } from "./options.js";
import { clamp, imageShape, imageVector, unit } from "./pixels.js";

/** Whole numbers 0..255 as float32: what Pillow's and torchvision's tables are about. */
function levels(images: Tensor): Tensor {
  return images.dtype === "uint8" ? cast(images, "float32") : floor(add(mul(clamp(unit(images)), 255), 0.5));
}

const fromLevels = (values: Tensor): Tensor => mul(values, 1 / 255);

/** Levels rounded down to multiples of `step` `[N]`, powers of 2. */
export function posterized(images: Tensor, step: Tensor): Tensor {
  const width = imageVector(step);
  // Powers of 2 divide exactly.
  return fromLevels(mul(floor(div(levels(images), width)), width));
}

/** Levels of `threshold` `[N]` (0..255) and above become their negative. */
export function solarized(images: Tensor, threshold: Tensor): Tensor {
  const values = levels(images);
  return fromLevels(select(greaterEqual(values, imageVector(threshold)), sub(255, values), values));
}

/** Each channel's levels stretched to 0..255. Channels of one level stay. */
export function autoContrasted(images: Tensor): Tensor {
  const pixels = unit(images);
  const most = max(pixels, { axes: [2, 3], keepDims: true });
  const least = neg(max(neg(pixels), { axes: [2, 3], keepDims: true }));
  const range = sub(most, least);
  const flat = equal(range, 0);
  return select(flat, pixels, clamp(div(sub(pixels, least), select(flat, 1, range))));
}

/** Each channel's levels spread so that all are alike frequent, as Pillow does it. */
export function equalized(images: Tensor): Tensor {
  const [n, c, h, w] = imageShape(images, "equalize");
  const planes = n * c;
  const values = reshape(levels(images), [planes, h * w]);
  const bins = reshape(mul(arange(planes), 256), [planes, 1]);
  const places = reshape(add(bins, cast(values, "int32")), [-1]);
  const counts = reshape(scatterAdd(full([planes * 256], 0), places, full([planes * h * w], 1)), [planes, 256]);
  const below = matmul(counts, constant(hostTensor(strictlyBefore(), [256, 256])));
  const highest = max(values, { axes: 1, keepDims: true });
  const ofHighest = sum(select(equal(reshape(arange(256, "float32"), [1, 256]), highest), counts, 0), {
    axes: 1,
    keepDims: true,
  });
  const step = quotient(sub(h * w, ofHighest), 255);
  const spread = quotient(add(below, floor(mul(step, 0.5))), maximum(step, 1));
  const table = reshape(minimum(spread, 255), [-1]);
  const changed = reshape(gather(table, places), [planes, h * w]);
  return reshape(fromLevels(select(equal(step, 0), values, changed)), images.shape);
}

/** `floor(a / b)` of whole numbers: half a unit more keeps the rounding of a device's division away from whole results. */
function quotient(a: Tensor, b: Tensor | number): Tensor {
  return floor(div(add(a, 0.5), b));
}

/** Column j sums the rows before j. */
function strictlyBefore(): Float32Array {
  return Float32Array.from({ length: 256 * 256 }, (_, i) => (Math.floor(i / 256) < i % 256 ? 1 : 0));
}

interface Share {
  /** Share of the images. Default 0.5. */
  readonly p?: number;
}

const forAll = (images: Tensor, value: number): Tensor => full([images.shape[0] as number], value);

/** Keeps the `bits` (0..8) highest bits of each pixel, in a share of the images. Returns float32. @throws ArgumentError */
export function randomPosterize({ bits, p = 0.5 }: { readonly bits: number } & Share): Transform {
  numberOption("randomPosterize", "bits", bits, { integer: true, min: 0, max: 8 });
  return imageAugmentation("randomPosterize", { bits, p }, (images) =>
    posterized(images, forAll(images, 2 ** (8 - bits))),
  );
}

/** The negative of all pixels of `threshold` (0..255) and above, in a share of the images. Returns float32. @throws ArgumentError */
export function randomSolarize({ threshold, p = 0.5 }: { readonly threshold: number } & Share): Transform {
  numberOption("randomSolarize", "threshold", threshold, { min: 0, max: 256 });
  return imageAugmentation("randomSolarize", { threshold, p }, (images) =>
    solarized(images, forAll(images, threshold)),
  );
}

/** The negative of a share of the images. Returns float32. */
export function randomInvert({ p = 0.5 }: Share = {}): Transform {
  return imageAugmentation("randomInvert", { p }, (images) => sub(1, unit(images)));
}

/** Stretches each channel to the whole range of levels, in a share of the images. Returns float32. */
export function randomAutoContrast({ p = 0.5 }: Share = {}): Transform {
  return imageAugmentation("randomAutoContrast", { p }, autoContrasted);
}

/** Spreads each channel's levels so that all are alike frequent, in a share of the images. Returns float32. */
export function randomEqualize({ p = 0.5 }: Share = {}): Transform {
  return imageAugmentation("randomEqualize", { p }, equalized);
}
