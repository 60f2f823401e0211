import { ArgumentError } from "@ocelli/core";

/** The mean of what was added so far. */
export interface RunningMean {
  /** @param weight of how many samples `value` is the mean. Default 1. @throws ArgumentError for a negative one */
  add(value: number, weight?: number): void;
  /** NaN before anything was added. */
  readonly mean: number;
  readonly weight: number;
  reset(): void;
}

/** A mean that grows, for a loss or an accuracy over batches of different sizes. Summed in float64. */
export function runningMean(): RunningMean {
  let [sum, total] = [0, 0];
  return {
    add(value, weight = 1) {
      if (!(weight >= 0)) throw new ArgumentError(`runningMean: weight is ${weight}; it needs a number of 0 or more`);
      sum += value * weight;
      total += weight;
    },
    get mean() {
      return sum / total;
    },
    get weight() {
      return total;
    },
    reset() {
      [sum, total] = [0, 0];
    },
  };
}
