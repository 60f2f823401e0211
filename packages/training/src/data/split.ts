import { ArgumentError } from "@ocelli/core";
import { Generator, shuffle } from "./generator.js";
import type { LabelledImages } from "./source.js";
import { subset } from "./subset.js";

export interface SplitOptions {
  /** Share of the images that are set apart: above 0, below 1. */
  readonly validation: number;
  /** Any safe integer. Default 0. */
  readonly seed?: number | undefined;
  /** The same share of every class, as nearly as whole images allow. Default true. */
  readonly stratified?: boolean | undefined;
}

export interface SplitIndices {
  /** Both in rising order. */
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * Sets a share of the images apart, chosen by the seed alone: `split(train, { validation: 0.1 })`. With `stratified`, every class that has
 * two images or more is in both parts. Of images in memory, both parts are copies.
 * @throws ArgumentError when the share is out of range or leaves a part without images
 */
export function split<Data extends LabelledImages>(
  data: Data,
  options: SplitOptions,
): { readonly train: Data; readonly validation: Data } {
  const { train, validation } = splitIndices(data, options);
  return { train: subset(data, train), validation: subset(data, validation) };
}

/** The positions that {@link split} chooses. @throws ArgumentError as there */
export function splitIndices(
  { labels, name }: Pick<LabelledImages, "labels" | "name">,
  { validation: share, seed = 0, stratified = true }: SplitOptions,
): SplitIndices {
  if (!(share > 0 && share < 1)) {
    throw new ArgumentError(`split: validation is ${share}; it needs a share above 0 and below 1`, {
      validation: share,
    });
  }
  if (!Number.isSafeInteger(seed)) throw new ArgumentError(`split: seed is ${seed}; it needs an integer`, { seed });
  const generator = new Generator(seed, "split");
  const order = shuffle(
    Int32Array.from(labels, (_, i) => i),
    generator,
  );
  const groups = stratified ? byClass(order, labels) : [order];
  const chosen = new Set<number>();
  for (const group of groups) {
    // A class whose share rounds to none or to all would be missing in one of the parts.
    const rounded = Math.round(group.length * share);
    const count = group.length < 2 ? 0 : Math.min(group.length - 1, Math.max(1, rounded));
    for (const index of group.slice(0, count)) chosen.add(index);
  }
  if (chosen.size === 0) {
    throw new ArgumentError(`split: ${name} has too few images (${labels.length}) to set ${share} of them apart`, {
      count: labels.length,
    });
  }
  const all = [...labels.keys()];
  return {
    train: Int32Array.from(all.filter((i) => !chosen.has(i))),
    validation: Int32Array.from(all.filter((i) => chosen.has(i))),
  };
}

function byClass(order: Int32Array, labels: ArrayLike<number>): number[][] {
  const groups = new Map<number, number[]>();
  for (const index of order) {
    const label = labels[index] as number;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [index]);
    else group.push(index);
  }
  return [...groups.values()];
}

/** Images of each class. */
export function classCounts({ labels, classes }: Pick<LabelledImages, "labels" | "classes">): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

/**
 * Weights under which every class counts alike in a loss: images / (classes * images of the class). A class without images, which no
 * training label names, has weight 0, and is not counted among the classes.
 */
export function classWeights(data: Pick<LabelledImages, "labels" | "classes">): number[] {
  const counts = classCounts(data);
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : data.labels.length / (present * count)));
}
