import {
  add,
  broadcastTo,
  div,
  equal,
  floor,
  maximum,
  mean,
  minimum,
  mul,
  narrow,
  select,
  sub,
  type Tensor,
} from "@ocelli/core";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption, rangeOption } from "./options.js";
import { blended, channelVector, checkColour, clamp, imageShape, imageVector, luma, unit } from "./pixels.js";
import { uniform } from "./random.js";

type Pair = readonly [number, number];

/** Times `factor` `[N]`. */
export function brightness(images: Tensor, factor: Tensor): Tensor {
  return clamp(mul(images, imageVector(factor)));
}

/** Away from the image's mean lightness (factor above 1) or towards it. */
export function contrast(images: Tensor, factor: Tensor): Tensor {
  return blended(images, mean(luma(images), { axes: [1, 2, 3], keepDims: true }), factor);
}

/** Away from grey (factor above 1) or towards it. Grey images stay. */
export function saturation(images: Tensor, factor: Tensor): Tensor {
  return images.shape[1] === 1 ? images : blended(images, luma(images), factor);
}

/** Turns the colour wheel by `shift` `[N]`, in turns. Grey images stay. */
export function hue(images: Tensor, shift: Tensor): Tensor {
  if (images.shape[1] === 1) return images;
  checkColour(images, "hue");
  const [red, green, blue] = [0, 1, 2].map((i) => narrow(images, 1, i, i + 1)) as [Tensor, Tensor, Tensor];
  const highest = maximum(maximum(red, green), blue);
  const spread = sub(highest, minimum(minimum(red, green), blue));
  const divisor = select(equal(spread, 0), 1, spread);
  const sixth = (a: Tensor, b: Tensor, start: number): Tensor => add(div(sub(a, b), divisor), start);
  const ofGreenOrBlue = select(equal(highest, green), sixth(blue, red, 2), sixth(red, green, 4));
  const angle = add(select(equal(highest, red), sixth(green, blue, 0), ofGreenOrBlue), mul(imageVector(shift), 6));
  // Each channel falls and rises in sixths of a turn, shifted against the others.
  const turned = add(angle, channelVector([5, 3, 1]));
  const place = sub(turned, mul(floor(mul(turned, 1 / 6)), 6));
  return sub(highest, mul(spread, clamp(minimum(place, sub(4, place)))));
}

export interface ColorJitterOptions {
  /** Factors are drawn from `1 - b .. 1 + b` (not below 0), or from a range. Default 0: left as it is. */
  readonly brightness?: number | Pair;
  readonly contrast?: number | Pair;
  readonly saturation?: number | Pair;
  /** Turns of the colour wheel: from `-h .. h`, at most 0.5, or from a range. */
  readonly hue?: number | Pair;
  /** Share of the images. Default 1. */
  readonly p?: number;
}

/**
 * Random brightness, contrast, saturation and hue of each image, in this order (torchvision's ColorJitter shuffles the order, which would
 * cost four times the work here). Returns float32.
 * @throws ArgumentError; when applied to other than 1 or 3 channels, ShapeError
 */
export function colorJitter(options: ColorJitterOptions = {}): Transform {
  const where = "colorJitter";
  const { p = 1 } = options;
  const factors = (name: "brightness" | "contrast" | "saturation"): Pair => {
    const value = options[name] ?? 0;
    if (typeof value !== "number") return rangeOption(where, name, value, { min: 0 });
    numberOption(where, name, value, { min: 0 });
    return [Math.max(0, 1 - value), 1 + value];
  };
  const turns = (value: number | Pair): Pair => {
    if (typeof value !== "number") return rangeOption(where, "hue", value, { min: -0.5, max: 0.5 });
    numberOption(where, "hue", value, { min: 0, max: 0.5 });
    return [-value, value];
  };
  const ranges = {
    brightness: factors("brightness"),
    contrast: factors("contrast"),
    saturation: factors("saturation"),
    hue: turns(options.hue ?? 0),
  };
  const steps = [
    { change: brightness, range: ranges.brightness, none: 1 },
    { change: contrast, range: ranges.contrast, none: 1 },
    { change: saturation, range: ranges.saturation, none: 1 },
    { change: hue, range: ranges.hue, none: 0 },
  ].filter(({ range: [low, high], none }) => low !== none || high !== none);
  return imageAugmentation(where, { ...ranges, p }, (images, ctx) => {
    const [n] = imageShape(images, where);
    return steps.reduce((x, { change, range }) => change(x, uniform(ctx, n, ...range)), unit(images));
  });
}

/** A share `p` (default 0.1) of the images without colour; their channels stay. Returns float32. */
export function randomGrayscale({ p = 0.1 }: { readonly p?: number } = {}): Transform {
  return imageAugmentation("randomGrayscale", { p }, (images) => {
    const pixels = unit(images);
    return broadcastTo(luma(pixels), pixels.shape);
  });
}
