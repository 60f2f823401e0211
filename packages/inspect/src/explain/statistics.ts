import { ArgumentError, type HostTensor, toNumbers } from "@ocelli/core";
import { checkImages } from "./classes.js";
import type { Explainer } from "./explainer.js";
import { featureMaps } from "./feature-maps.js";

export interface ActivationStatistics {
  readonly path: string;
  readonly mean: number;
  /** Of the values seen, divided by their count. */
  readonly std: number;
  /** Of the finite values; mean and deviation are of all. */
  readonly min: number;
  readonly max: number;
  /** Share of values that are 0: of dead or inactive units behind a ReLU. */
  readonly zeros: number;
  /** Counts of values in equal steps from `min` to `max`. */
  readonly histogram: readonly number[];
}

export interface StatisticsOptions {
  /** Paths of layers. Default: all. */
  readonly layers?: readonly string[] | undefined;
  /** Steps of the histogram. Default 32. */
  readonly bins?: number | undefined;
}

/**
 * What values a batch of images gives in each layer: how signals fade or explode from layer to layer, and how many units are silent.
 * @throws ArgumentError as {@link featureMaps}
 */
export async function activationStatistics(
  explainer: Explainer,
  images: HostTensor,
  { layers, bins = 32 }: StatisticsOptions = {},
): Promise<ActivationStatistics[]> {
  if (!Number.isSafeInteger(bins) || bins < 1)
    throw new ArgumentError(`activationStatistics: bins is ${bins}; it needs a whole number, 1 or more`, { bins });
  checkImages(images);
  const paths = layers ?? explainer.layers(images.shape.slice(1)).layers.map(({ path }) => path);
  const maps = await featureMaps(explainer, images, paths);
  return paths.map((path) => ({ path, ...statistics(toNumbers(maps[path] as HostTensor), bins) }));
}

function statistics(values: Float64Array, bins: number): Omit<ActivationStatistics, "path"> {
  let [sum, zeros, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    sum += value;
    if (value === 0) zeros++;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / values.length;
  const histogram = new Array<number>(bins).fill(0);
  const perUnit = max > min ? bins / (max - min) : 0;
  let squares = 0;
  for (const value of values) {
    squares += (value - mean) ** 2;
    if (!Number.isFinite(value)) continue;
    const bin = Math.min(bins - 1, Math.floor((value - min) * perUnit));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  return { mean, std: Math.sqrt(squares / values.length), min, max, zeros: zeros / values.length, histogram };
}
