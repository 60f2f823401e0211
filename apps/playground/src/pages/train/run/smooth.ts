/** The mean over so many values: each one and those before it. */
export function smoothed(y: readonly number[], window: number): number[] {
  let sum = 0;
  return y.map((value, i) => {
    sum += value - (i >= window ? (y[i - window] as number) : 0);
    return sum / Math.min(i + 1, window);
  });
}
