import { ArgumentError, cast, constant, hostTensor, mul, pad, reshape, sub, type Tensor } from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import { makeNamed, type Named } from "./named.js";

/** A batch inside the graph: `images` (uint8 `[N, C, H, W]` as it travels), `labels` (int32 `[N]`). */
export type BatchTensors = Readonly<Record<string, Tensor>> & { readonly images: Tensor };

/**
 * What happens to a batch on the device before the model sees it, as data (a checkpoint stores name and options, so that evaluation and
 * prediction repeat it) and as a function.
 */
export interface Transform extends Named {
  apply(batch: BatchTensors, ctx: Context): BatchTensors;
}

export interface NormalizeOptions {
  /** Per channel, of pixels in 0..1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Black pixels added on every side first. */
  readonly pad?: number;
}

/** uint8 pixels to floats: `(pixel / 255 - mean) / std`, channel by channel. */
export function normalize({ mean, std, pad: border = 0 }: NormalizeOptions): Transform {
  if (mean.length !== std.length) {
    throw new ArgumentError(`normalize: mean has ${mean.length} channels, std ${std.length}; they need as many`);
  }
  const flat = std.findIndex((value) => !(value > 0));
  if (flat >= 0)
    throw new ArgumentError(`normalize: std of channel ${flat} is ${std[flat]}; it needs a number above 0`);
  return {
    name: "normalize",
    options: border === 0 ? { mean, std } : { mean, std, pad: border },
    apply: ({ images, ...rest }) => {
      const sides = [0, 0, border, border];
      const pixels = pad(cast(images, "float32"), { low: sides, high: sides });
      const vector = (values: readonly number[]): Tensor =>
        reshape(constant(hostTensor(values)), [1, values.length, 1, 1]);
      // One multiply and one add a pixel: x * a - b.
      const scale = std.map((value) => 1 / (255 * value));
      const shift = std.map((value, i) => (mean[i] as number) / value);
      return { ...rest, images: sub(mul(pixels, vector(scale)), vector(shift)) };
    },
  };
}

/** Every transform, by the name that checkpoints use. */
export const transforms = { normalize } as const;

/** A transform from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeTransform(given: Named): Transform {
  return makeNamed("transform", transforms, given);
}
