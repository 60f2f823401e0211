/** Of each place, the mean of the values there and of those before it, `window` at most. */
export function movingMean(values: readonly number[], window: number): number[] {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (values[i - window] ?? 0);
    return sum / Math.min(i + 1, window);
  });
}
