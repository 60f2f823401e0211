/** One axis of a scaled picture: its position `i` is the sum over `k < taps` of `weights[i * taps + k]` times pixel `starts[i] + k`. */
export interface Axis {
  readonly starts: Int32Array;
  readonly weights: Float32Array;
  readonly taps: number;
}

/** Rows of pixels: red, green and blue of one after the other, `step` bytes apart. */
export interface Pixels {
  readonly bytes: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly step: 3 | 4;
}

/**
 * A triangle filter as wide as the picture is scaled down, cut off at the borders: what Pillow and torchvision call bilinear.
 * @param from pixels of the axis
 * @param to pixels that they become, of which `count` are wanted, beginning with `first`
 */
export function axisOf(from: number, to: number, first: number, count: number): Axis {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const taps = Math.min(from, Math.ceil(2 * support) + 1);
  const starts = new Int32Array(count);
  const weights = new Float32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const centre = (first + i + 0.5) * scale - 0.5;
    const start = Math.min(Math.max(0, Math.ceil(centre - support)), from - taps);
    starts[i] = start;
    const own = weights.subarray(i * taps, (i + 1) * taps);
    for (let k = 0; k < taps; k++) own[k] = Math.max(0, 1 - Math.abs(start + k - centre) / support);
    const sum = own.reduce((a, b) => a + b);
    for (let k = 0; k < taps; k++) own[k] = (own[k] as number) / sum;
  }
  return { starts, weights, taps };
}

/** The pixels that an axis reads: the first, and how many. */
export function span({ starts, taps }: Axis): { readonly start: number; readonly length: number } {
  const start = starts[0] as number;
  return { start, length: (starts.at(-1) as number) + taps - start };
}

/** Scales what two axes read, which begins at the first pixel; first along rows, then across them. */
export function resample(pixels: Pixels, x: Axis, y: Axis): Pixels {
  const [columns, rows] = [x.starts.length, y.starts.length];
  const { start: top, length } = span(y);
  const stride = 3 * columns;
  const between = new Float32Array(length * stride);
  for (let row = 0; row < length; row++) alongRow(pixels, row, x, between, row * stride);
  const bytes = new Uint8Array(rows * stride);
  const sums = new Float32Array(stride);
  for (let j = 0; j < rows; j++) {
    sums.fill(0.5);
    const start = (y.starts[j] as number) - top;
    for (let k = 0; k < y.taps; k++) addRow(sums, between, (start + k) * stride, y.weights[j * y.taps + k] as number);
    bytes.set(sums, j * stride);
  }
  return { bytes, width: columns, step: 3 };
}

function alongRow(pixels: Pixels, row: number, { starts, weights, taps }: Axis, out: Float32Array, to: number): void {
  const { bytes, step } = pixels;
  const from = (row * pixels.width - (starts[0] as number)) * step;
  for (let i = 0, w = 0; i < starts.length; i++) {
    let [r, g, b] = [0, 0, 0];
    let at = from + (starts[i] as number) * step;
    for (const end = w + taps; w < end; w++, at += step) {
      const weight = weights[w] as number;
      r += weight * (bytes[at] as number);
      g += weight * (bytes[at + 1] as number);
      b += weight * (bytes[at + 2] as number);
    }
    out[to + 3 * i] = r;
    out[to + 3 * i + 1] = g;
    out[to + 3 * i + 2] = b;
  }
}

function addRow(sums: Float32Array, rows: Float32Array, from: number, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + weight * (rows[from + i] as number);
}
