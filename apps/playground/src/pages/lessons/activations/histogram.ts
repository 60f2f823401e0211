/** Counts of values in bins of one width between two bounds; what lies outside is in the outermost bins. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  /** Shares of all values: they add up to 1. */
  readonly shares: readonly number[];
}

const bins = 41;

export function histogram(values: ArrayLike<number>, [low, high]: readonly [number, number]): Histogram {
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor((((values[i] as number) - low) / (high - low)) * bins);
    counts[Math.min(bins - 1, Math.max(0, at))]! += 1;
  }
  return { low, high, shares: counts.map((count) => count / Math.max(1, values.length)) };
}

/** Mean and population standard deviation. */
export function moments(values: ArrayLike<number>): { readonly mean: number; readonly std: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  const mean = sum / values.length;
  for (let i = 0; i < values.length; i++) squares += ((values[i] as number) - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}
