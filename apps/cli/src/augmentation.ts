import { nearMatches } from "@ocelli/core";
import {
  type AugmentPreset,
  type AugmentPresetName,
  augmentPresets,
  type ChannelStatistics,
  compose,
  cutMix,
  mixup,
  type Named,
  type OptionValue,
  oneOf,
  type Transform,
} from "@ocelli/training";
import type { Recipe } from "@ocelli/zoo";
import { UsageError } from "./errors.js";

export interface AugmentFlags {
  readonly augment?: string;
  readonly mixup?: number;
  readonly cutmix?: number;
}

/** What the images are. */
export interface Pictured {
  /** Of the images as they come to the device. */
  readonly image: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  /** With the model's own border. */
  readonly statistics: ChannelStatistics & { readonly pad?: number };
}

/**
 * Frames for picture files, and the transform on the device: the preset that the flags name, or the recipe's. A recipe's is for
 * photographs: images without colour, digits mostly, are left as they are, which mirroring would spoil.
 * @throws UsageError for an unknown preset
 */
export function planAugmentation(
  recipe: Recipe,
  { augment, mixup: mixed, cutmix }: AugmentFlags,
  { image: [channels, , size], classes: numClasses, statistics }: Pictured,
): AugmentPreset {
  const own = channels === 3 ? recipe.augment : undefined;
  const make = augmentPresets[presetName(augment ?? own ?? "none")];
  const { frame, transform } = make({ size, channels, numClasses, statistics });
  const mixing: Transform[] = [];
  if (mixed !== undefined) mixing.push(mixup({ alpha: mixed, numClasses }));
  if (cutmix !== undefined) mixing.push(cutMix({ alpha: cutmix, numClasses }));
  if (mixing.length === 0) return { frame, transform };
  return { frame, transform: compose(transform, mixing.length === 1 ? (mixing[0] as Transform) : oneOf(...mixing)) };
}

/** @param flag that names it, for errors @throws UsageError with near matches for an unknown preset */
export function presetName(name: string, flag = "--augment"): AugmentPresetName {
  if (name === "none") return "plain";
  if (Object.hasOwn(augmentPresets, name)) return name as AugmentPresetName;
  const near = nearMatches(name, Object.keys(augmentPresets));
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}?`
      : `It takes none, ${Object.keys(augmentPresets).join(", ")}.`;
  throw new UsageError(`${flag}: "${name}" is unknown. ${hint}`);
}

/** The statistics that a transform normalises by; undefined where it does not. */
export function normalization(transform: Named): (ChannelStatistics & { readonly pad?: number }) | undefined {
  return partsOf(transform).find(({ name }) => name === "normalize")?.options as never;
}

/** Names of what happens to images besides normalisation, in order. */
export function augmentationNames(transform: Named): string[] {
  return partsOf(transform).flatMap(({ name }) => (["normalize", "compose"].includes(name) ? [] : [name]));
}

/** The transform and what it is made of, outer before inner. */
function partsOf(transform: Named): Named[] {
  const values = Object.values(transform.options).flatMap((value): OptionValue[] =>
    Array.isArray(value) ? [...value] : [value],
  );
  return [transform, ...values.filter(isPart).flatMap((part) => partsOf(part as Named))];
}

const isPart = (value: OptionValue): boolean =>
  typeof (value as { readonly name?: unknown } | null)?.name === "string" &&
  typeof (value as { readonly options?: unknown }).options === "object";
