import { ArgumentError, type Tensor } from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Options } from "../named.js";
import type { BatchTensors, Transform } from "../transform.js";
import type { Size } from "./frame.js";
import { chance, perSample } from "./random.js";

export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** Whether `min` itself is out. */
  readonly above?: boolean;
}

/** `value` as a number in a range. @throws ArgumentError "randomCrop: padding is -1; it needs ..." */
export function numberOption(where: string, name: string, value: unknown, range: Range = {}): number {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false, above = false } = range;
  const inside = typeof value === "number" && Number.isFinite(value) && value <= max;
  if (inside && (above ? value > min : value >= min) && (!integer || Number.isInteger(value))) return value;
  const kind = integer ? "a whole number" : "a number";
  const low = Number.isFinite(min) ? `${above ? " above" : " of at least"} ${min}` : "";
  const high = Number.isFinite(max) ? `${low === "" ? "" : " and"} of at most ${max}` : "";
  throw new ArgumentError(`${where}: ${name} is ${shown(value)}; it needs ${kind}${low}${high}`, { [name]: value });
}

/** The two ends of a range, the lower one first. @throws ArgumentError */
export function rangeOption(where: string, name: string, value: unknown, range: Range = {}): readonly [number, number] {
  const [low, high] = Array.isArray(value) && value.length === 2 ? value : [];
  if (low === undefined || !(low <= high)) {
    throw new ArgumentError(`${where}: ${name} is ${shown(value)}; it needs two numbers, the lower one first`, {
      [name]: value,
    });
  }
  return [numberOption(where, name, low, range), numberOption(where, name, high, range)];
}

/** Height and width; one number stands for both. @throws ArgumentError */
export function sizeOption(where: string, name: string, value: unknown): Size {
  const sides = Array.isArray(value) && value.length === 2 ? value : [value, value];
  return sides.map((side) => numberOption(where, name, side, { integer: true, min: 1 })) as unknown as Size;
}

/** A share of the images. @throws ArgumentError */
export function chanceOption(where: string, value: unknown): number {
  return numberOption(where, "p", value, { min: 0, max: 1 });
}

/** One of some names. @throws ArgumentError */
export function nameOption<Name extends string>(
  where: string,
  option: string,
  value: unknown,
  names: readonly Name[],
): Name {
  if (names.includes(value as Name)) return value as Name;
  throw new ArgumentError(`${where}: ${option} is ${shown(value)}; it needs one of ${names.join(", ")}`, {
    [option]: value,
  });
}

function shown(value: unknown): string {
  return typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
}

/** A transform that changes batches in training only: what augments has no place in evaluation. */
export function augmentation(name: string, options: Options, change: Transform["apply"]): Transform {
  return { name, options, apply: (batch, ctx) => (ctx.training ? change(batch, ctx) : batch) };
}

/**
 * A transform of the images alone, in training only, that strikes each image with probability `options.p`. What it makes has the
 * shape of what it takes.
 */
export function imageAugmentation<Given extends Options & { readonly p: number }>(
  name: string,
  options: Given,
  change: (images: Tensor, ctx: Context) => Tensor,
): Transform {
  chanceOption(name, options.p);
  return augmentation(name, options, (batch: BatchTensors, ctx) => {
    const changed = change(batch.images, ctx);
    if (options.p === 1) return { ...batch, images: changed };
    return { ...batch, images: perSample(chance(ctx, changed.shape[0] as number, options.p), changed, batch.images) };
  });
}
