type Colour = readonly [number, number, number];

/** Lowest and highest band, light and dark. */
const scales: Readonly<Record<"light" | "dark", readonly [Colour, Colour]>> = {
  light: [
    [178, 214, 211],
    [252, 251, 248],
  ],
  dark: [
    [22, 66, 66],
    [27, 29, 32],
  ],
};

const bands = 14;

/** A map of heights as RGBA, in bands of equal area: the lower, the more colour. */
export function contours(heights: Float32Array, dark: boolean): Uint8ClampedArray {
  const [low, high] = scales[dark ? "dark" : "light"];
  const sorted = Float32Array.from(heights).sort();
  const bounds = Array.from({ length: bands - 1 }, (_, i) => sorted[Math.floor(((i + 1) / bands) * sorted.length)]!);
  const rgba = new Uint8ClampedArray(4 * heights.length);
  for (const [i, height] of heights.entries()) {
    const share = bandOf(height, bounds) / (bands - 1);
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = low[c]! + share * (high[c]! - low[c]!);
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** How many bounds lie at or below. */
export function bandOf(height: number, bounds: readonly number[]): number {
  const at = bounds.findIndex((bound) => height < bound);
  return at === -1 ? bounds.length : at;
}
