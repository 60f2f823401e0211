import { ArgumentError, hostRandomBits, type RandomKey } from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";
import { middle } from "./crop.js";
import type { Box, Frame, Framing, Size } from "./frame.js";
import { numberOption, rangeOption, sizeOption } from "./options.js";
import { centralBox, checkedShares, type ResizedCropShares, tries } from "./resized-crop.js";

/**
 * A part of random area and shape, stretched to `size` (Szegedy et al. 2015; torchvision's RandomResizedCrop): `scale` is the range of its
 * share of the picture, `ratio` that of width to height. Ten tries; if none fits, the largest central part of a ratio in range.
 */
export function randomResizedCropFrame({
  size: given,
  ...shares
}: { readonly size: number | Size } & ResizedCropShares): Frame {
  const where = "randomResizedCrop frame";
  const size = sizeOption(where, "size", given);
  const { scale, ratio } = checkedShares(where, shares);
  const logRatio = ratio.map(Math.log) as unknown as readonly [number, number];
  return {
    name: "randomResizedCrop",
    options: { size, scale, ratio },
    size,
    place: ([h, w], key) => {
      const draws = uniforms(key, 4 * tries);
      for (let i = 0; i < draws.length; i += 4) {
        const [a, b, c, d] = draws.slice(i, i + 4) as [number, number, number, number];
        const area = h * w * between(scale, a);
        const shape = Math.exp(between(logRatio, b));
        const [height, width] = [Math.round(Math.sqrt(area / shape)), Math.round(Math.sqrt(area * shape))];
        if (height < 1 || width < 1 || height > h || width > w) continue;
        return { crop: { top: below(h - height + 1, c), left: below(w - width + 1, d), height, width } };
      }
      return { crop: centralBox([h, w], ratio) };
    },
  };
}

/**
 * The picture at a random scale (its shorter side has `shorter[0]..shorter[1]` pixels), and of that a random part of `size` (Simonyan and
 * Zisserman 2015; He et al. 2016).
 */
export function scaleJitterFrame({
  size: given,
  shorter = [256, 480],
}: {
  readonly size: number | Size;
  readonly shorter?: readonly [number, number];
}): Frame {
  const where = "scaleJitter frame";
  const size = sizeOption(where, "size", given);
  const [low, high] = rangeOption(where, "shorter", shorter, { integer: true, min: Math.max(...size) });
  return {
    name: "scaleJitter",
    options: { size, shorter: [low, high] },
    size,
    place: (picture, key) => {
      const [a, b, c] = uniforms(key, 3) as [number, number, number];
      const resize = withShorter(picture, low + below(high - low + 1, a));
      const [height, width] = size;
      return {
        resize,
        crop: { top: below(resize[0] - height + 1, b), left: below(resize[1] - width + 1, c), height, width },
      };
    },
  };
}

/** The shorter side brought to `resize` pixels (default: `size / 0.875`, 256 for 224), and of that the centre. For evaluation. */
export function centerFrame({
  size: given,
  resize,
}: {
  readonly size: number | Size;
  readonly resize?: number | undefined;
}): Frame {
  const where = "center frame";
  const size = sizeOption(where, "size", given);
  const longest = Math.max(...size);
  const shorter = numberOption(where, "resize", resize ?? Math.round(longest / 0.875), { integer: true, min: longest });
  return {
    name: "center",
    options: { size, resize: shorter },
    size,
    place: (picture) => {
      const resized = withShorter(picture, shorter);
      return { resize: resized, crop: central(resized, size) };
    },
  };
}

/** The whole picture, stretched to `size`. */
export function stretchFrame({ size: given }: { readonly size: number | Size }): Frame {
  const size = sizeOption("stretch frame", "size", given);
  return {
    name: "stretch",
    options: { size },
    size,
    place: ([height, width]): Framing => ({ crop: { top: 0, left: 0, height, width } }),
  };
}

/** Every frame, by the name that runs store. */
export const frames = {
  randomResizedCrop: randomResizedCropFrame,
  scaleJitter: scaleJitterFrame,
  center: centerFrame,
  stretch: stretchFrame,
} as const;

/** A frame from its name and options, as a run stores them. @throws ArgumentError for an unknown name */
export function makeFrame(given: Named): Frame {
  return makeNamed("frame", frames, given);
}

/** The shorter side as wished, the longer one in proportion, rounded down as in torchvision. */
function withShorter([h, w]: Size, shorter: number): Size {
  if (!(h >= 1 && w >= 1)) throw new ArgumentError(`frame: the picture is ${h}x${w}; it needs at least one pixel`);
  return h <= w ? [shorter, Math.floor((shorter * w) / h)] : [Math.floor((shorter * h) / w), shorter];
}

function central([h, w]: Size, [height, width]: Size): Box {
  return { top: middle(h - height), left: middle(w - width), height, width };
}

/** Uniform in [0, 1), multiples of 2^-24: as the device draws them. */
function uniforms(key: RandomKey, count: number): number[] {
  return Array.from(hostRandomBits(key, count, 0), (bits) => (bits >>> 8) / 2 ** 24);
}

const between = ([low, high]: readonly [number, number], draw: number): number => low + (high - low) * draw;

const below = (limit: number, draw: number): number => Math.floor(limit * draw);
