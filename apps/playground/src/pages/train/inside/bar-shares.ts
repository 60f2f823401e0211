/** How many powers of ten the bars span, at least: numbers that are alike shall look alike. */
const least = 2;
/** And at most: what is smaller has no bar. */
const most = 8;

/** Lengths of bars, 0 to 1, on a logarithmic scale from the least of the values to the largest; 0 for what is not above 0. */
export function barShares(values: readonly number[]): number[] {
  const logs = values.map((value) => (value > 0 && Number.isFinite(value) ? Math.log10(value) : -Infinity));
  const top = Math.max(...logs);
  if (!Number.isFinite(top)) return values.map(() => 0);
  const bottom = Math.min(...logs.filter(Number.isFinite));
  const span = Math.min(most, Math.max(least, top - bottom));
  // The least value has a bar, too, and a short one.
  const from = top - span - span / 10;
  return logs.map((log) => (Number.isFinite(log) ? Math.max(0, (log - from) / (top - from)) : 0));
}
