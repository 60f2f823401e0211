/** Entries of a table that stands for a distribution on a device. */
export const quantileCount = 4096;

/**
 * The distribution with this density (up to a factor) on `low..high` as `count` equally probable values: its quantiles at
 * `(i + 1/2) / count`.
 */
export function quantiles(density: (x: number) => number, low: number, high: number, count: number): Float64Array {
  const cells = 16 * count;
  const step = (high - low) / cells;
  const below = new Float64Array(cells + 1);
  for (let i = 0; i < cells; i++) below[i + 1] = (below[i] as number) + density(low + (i + 0.5) * step);
  const total = below[cells] as number;
  const out = new Float64Array(count);
  let cell = 0;
  for (let i = 0; i < count; i++) {
    const wanted = (total * (i + 0.5)) / count;
    while ((below[cell + 1] as number) < wanted) cell++;
    const [a, b] = [below[cell] as number, below[cell + 1] as number];
    out[i] = low + (cell + (wanted - a) / (b - a)) * step;
  }
  return out;
}

/** Equally probable values of the normal distribution, of mean 0 and variance 1. */
export function normalQuantiles(): Float64Array {
  const values = quantiles((x) => Math.exp((-x * x) / 2), -6, 6, quantileCount);
  const variance = values.reduce((sum, x) => sum + x * x, 0) / quantileCount;
  return values.map((x) => x / Math.sqrt(variance));
}

/** Equally probable values of Beta(alpha, alpha), the lower half mirrored in the upper. */
export function betaQuantiles(alpha: number): Float64Array {
  // With t = x^alpha the density loses its pole at 0, whatever alpha.
  const half = quantiles((t) => (1 - t ** (1 / alpha)) ** (alpha - 1), 0, 0.5 ** alpha, quantileCount / 2);
  const lower = half.map((t) => t ** (1 / alpha));
  return Float64Array.of(...lower, ...lower.map((x) => 1 - x).reverse());
}
