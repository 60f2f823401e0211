import {
  ArgumentError,
  abs,
  add,
  arange,
  avgPool2d,
  div,
  equal,
  exp,
  full,
  lessEqual,
  mul,
  narrow,
  neg,
  pad,
  reshape,
  ShapeError,
  select,
  sub,
  sum,
  type Tensor,
} from "@ocelli/core";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption, rangeOption } from "./options.js";
import { blended, clamp, imageShape, separable, unit } from "./pixels.js";
import { normalQuantiles, quantileCount } from "./quantiles.js";
import { digits, tableAt, uniform } from "./random.js";

/** Away from a smoothed version (factor `[N]` above 1) or towards it, as Pillow does it: the outermost pixels stay. */
export function sharpness(images: Tensor, factor: Tensor): Tensor {
  const [, , h, w] = imageShape(images, "sharpness");
  if (h < 3 || w < 3) return images;
  // The window's weights are 1, and 5 in its middle: the sum of nine pixels and four times the middle.
  const nine = mul(avgPool2d(images, { kernelSize: 3, stride: 1 }), 9);
  const middle = narrow(narrow(images, 2, 1, -1), 3, 1, -1);
  const border = { low: [0, 0, 1, 1], high: [0, 0, 1, 1] };
  const smooth = pad(mul(add(nine, mul(middle, 4)), 1 / 13), border);
  const inner = equal(pad(full([1, 1, h - 2, w - 2], 1), border), 1);
  return blended(images, select(inner, smooth, images), factor);
}

/** Sharper or softer by `factor` (0 smooths, 1 changes nothing), in a share `p` (default 0.5) of the images. Returns float32. */
export function randomSharpness({ factor, p = 0.5 }: { readonly factor: number; readonly p?: number }): Transform {
  numberOption("randomSharpness", "factor", factor, { min: 0 });
  return imageAugmentation("randomSharpness", { factor, p }, (images) =>
    sharpness(unit(images), full([images.shape[0] as number], factor)),
  );
}

export interface GaussianBlurOptions {
  /** Width of the window in pixels, odd. */
  readonly kernelSize: number;
  /** Standard deviation in pixels, or the range it is drawn from. Default `[0.1, 2]`. */
  readonly sigma?: number | readonly [number, number];
  /** Share of the images. Default 1. */
  readonly p?: number;
}

/**
 * Blurs each image with a Gaussian window of random width; borders are mirrored (torchvision's GaussianBlur). Returns float32.
 * @throws ArgumentError; when applied to images that are not larger than half the window, ShapeError
 */
export function gaussianBlur({ kernelSize, sigma = [0.1, 2], p = 1 }: GaussianBlurOptions): Transform {
  const where = "gaussianBlur";
  numberOption(where, "kernelSize", kernelSize, { integer: true, min: 1 });
  if (kernelSize % 2 === 0) throw new ArgumentError(`${where}: kernelSize is ${kernelSize}; it needs an odd number`);
  const range = rangeOption(where, "sigma", typeof sigma === "number" ? [sigma, sigma] : sigma, {
    min: 0,
    above: true,
  });
  return imageAugmentation(where, { kernelSize, sigma: range, p }, (images, ctx) => {
    const [n] = imageShape(images, where);
    return blurred(unit(images), (kernelSize - 1) / 2, uniform(ctx, n, ...range));
  });
}

/** Sigma `[N]`. */
export function blurred(images: Tensor, half: number, sigma: Tensor): Tensor {
  const [, , h, w] = imageShape(images, "gaussianBlur");
  if (Math.min(h, w) <= half) {
    throw new ShapeError(`gaussianBlur: images of ${h}x${w} are too small for a window of ${2 * half + 1}`, { h, w });
  }
  return separable(images, smoothing(h, half, sigma), smoothing(w, half, sigma));
}

/** Weights `[N, count, count]` of pixel j in pixel i: its own, and those of its two mirror images, which lie around the borders. */
function smoothing(count: number, half: number, sigma: Tensor): Tensor {
  const at = reshape(arange(count, "float32"), [1, count, 1]);
  const from = reshape(arange(count, "float32"), [1, 1, count]);
  const spread = reshape(mul(mul(sigma, sigma), 2), [-1, 1, 1]);
  const weight = (distance: Tensor): Tensor =>
    select(lessEqual(distance, half), exp(neg(div(mul(distance, distance), spread))), 0);
  const last = count - 1;
  // The outermost pixels are the mirrors themselves.
  const before = select(equal(from, 0), 0, weight(add(at, from)));
  const behind = select(equal(from, last), 0, weight(sub(2 * last, add(at, from))));
  const weights = add(weight(abs(sub(at, from))), add(before, behind));
  return div(weights, sum(weights, { axes: 2, keepDims: true }));
}

/** Normal noise of standard deviation `std` (of pixels in 0..1), pixel by pixel, in a share `p` (default 1) of the images. Returns float32. */
export function gaussianNoise({ std, p = 1 }: { readonly std: number; readonly p?: number }): Transform {
  numberOption("gaussianNoise", "std", std, { min: 0 });
  return imageAugmentation("gaussianNoise", { std, p }, (images, ctx) => {
    const [n, c, h, w] = imageShape(images, "gaussianNoise");
    const noise = tableAt(normalQuantiles(), digits(ctx, [n, c, h, w], quantileCount));
    return clamp(add(unit(images), mul(noise, std)));
  });
}
