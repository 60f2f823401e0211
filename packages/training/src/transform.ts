import {
  ArgumentError,
  cast,
  constant,
  hostTensor,
  mul,
  pad,
  reshape,
  ShapeError,
  sub,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Named } from "./named.js";

/**
 * A batch inside the graph: `images` `[N, C, H, W]`, `labels` int32 `[N]`. Images travel as uint8 0..255; transforms take those or float32
 * in 0..1 and return either, and `normalize` makes what a model takes of both. Mixing transforms make labels float32 `[N, classes]`.
 */
export type BatchTensors = Readonly<Record<string, Tensor>> & { readonly images: Tensor };

/**
 * What happens to a batch on the device before the model sees it, as data (a checkpoint stores name and options, so that evaluation and
 * prediction repeat it) and as a function.
 */
export interface Transform extends Named {
  /** The same without cutting a part out, where it does: what views of an image go through, which are cut already. */
  readonly uncut?: Transform | undefined;
  apply(batch: BatchTensors, ctx: Context): BatchTensors;
}

export interface NormalizeOptions {
  /** Per channel, of pixels in 0..1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Black pixels added on every side first. */
  readonly pad?: number;
}

/** Pixels to what a model takes: `(pixel - mean) / std`, channel by channel, for floats in 0..1; uint8 pixels are divided by 255. */
export function normalize({ mean, std, pad: border }: NormalizeOptions): Transform {
  if (![mean, std].every((values) => Array.isArray(values) && values.every(Number.isFinite))) {
    throw new ArgumentError("normalize: it needs mean and std, each a list of numbers, one for each channel", {
      mean,
      std,
    });
  }
  if (mean.length !== std.length) {
    throw new ArgumentError(`normalize: mean has ${mean.length} channels, std ${std.length}; they need as many`);
  }
  const flat = std.findIndex((value) => !(value > 0));
  if (flat >= 0)
    throw new ArgumentError(`normalize: std of channel ${flat} is ${std[flat]}; it needs a number above 0`);
  return {
    name: "normalize",
    options: border === undefined ? { mean, std } : { mean, std, pad: border },
    apply: ({ images, ...rest }) => {
      const channels = images.shape[1];
      if (mean.length !== 1 && mean.length !== channels)
        throw new ShapeError(`normalize: images have ${channels} channels; mean and std have ${mean.length}`);
      const sides = [0, 0, border ?? 0, border ?? 0];
      const pixels = pad(cast(images, "float32"), { low: sides, high: sides });
      const vector = (values: readonly number[]): Tensor =>
        reshape(constant(hostTensor(values)), [1, values.length, 1, 1]);
      // One multiply and one add a pixel: x * a - b.
      const white = images.dtype === "uint8" ? 255 : 1;
      const scale = std.map((value) => 1 / (white * value));
      const shift = std.map((value, i) => (mean[i] as number) / value);
      return { ...rest, images: sub(mul(pixels, vector(scale)), vector(shift)) };
    },
  };
}
