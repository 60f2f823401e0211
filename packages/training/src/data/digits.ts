import { ArgumentError } from "@ocelli/core";
import { digitClasses } from "./classes.js";
import { type ImageDataset, imageDataset } from "./dataset.js";
import { type Curve, canvasSize, draw, type Pen, smoothCurve } from "./digit-pen.js";
import { digitFamilies, type Glyph } from "./digit-strokes.js";
import { Generator, shuffle } from "./generator.js";

export interface DigitsOptions {
  /** Number of images. Default 10,000 for training, 2,000 for testing. */
  readonly count?: number;
  /** Any safe integer: who writes. Default 0. */
  readonly seed?: number;
  /** Which of two disjoint streams of digits. Default `"train"`. */
  readonly split?: "train" | "test";
}

const pixels = canvasSize * canvasSize;

/**
 * Handwritten-style digits, made on the spot: 28 x 28 grey, white on black, like MNIST, shape [1, 28, 28]. Every ten images in
 * a row hold every digit once. The same options give the same bytes on every machine and engine (only integer operations,
 * + - * / and square roots, which IEEE 754 fixes to the last bit), and a larger `count` begins with the images of a smaller one.
 * @throws ArgumentError unless count and seed are safe integers, count >= 0
 */
export function digits({
  split = "train",
  count = split === "train" ? 10_000 : 2_000,
  seed = 0,
}: DigitsOptions = {}): ImageDataset {
  if (!Number.isSafeInteger(count) || count < 0 || count > 2 ** 21) {
    throw new ArgumentError(`digits: count is ${count}; it needs an integer from 0 to ${2 ** 21}`, { count });
  }
  if (!Number.isSafeInteger(seed))
    throw new ArgumentError(`digits: seed is ${seed}; it needs a safe integer`, { seed });
  // Even and odd streams: the splits never share an image.
  const streamOf = (index: number) => 2 * index + (split === "train" ? 0 : 1);
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  for (let start = 0; start < count; start += 10) {
    const order = shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], new Generator(seed, "digit-order", streamOf(start)));
    for (let i = start; i < Math.min(count, start + 10); i++) {
      const digit = order[i - start] as number;
      labels[i] = digit;
      writeDigit(digit, new Generator(seed, "digits", streamOf(i)), images.subarray(i * pixels, (i + 1) * pixels));
    }
  }
  return imageDataset({
    name: `digits ${split}`,
    images,
    labels,
    shape: [1, canvasSize, canvasSize],
    classes: digitClasses,
  });
}

/** Writes one digit: a glyph, bent, slanted and placed as chance wants, then drawn with some pen. */
function writeDigit(digit: number, random: Generator, out: Uint8Array): void {
  const families = digitFamilies[digit] as (typeof digitFamilies)[number];
  const family = families[random.below(families.length)] as readonly Glyph[];
  const curves = blend(family, random).map(smoothCurve);
  trim(curves, random);
  bend(curves, random);
  place(curves, random);
  const canvas = new Float64Array(pixels);
  const pen = choosePen(random);
  for (const curve of curves) draw(canvas, curve, pen);
  develop(canvas, random, out);
}

/** A weighted mean of the glyphs of a family, x and y scaled to about -0.5..0.5. */
function blend(family: readonly Glyph[], random: Generator): Float64Array[] {
  // Cubes make one glyph prevail: plain weights would always give nearly the mean.
  const weights = family.map(() => random.between(0.05, 1)).map((w) => w * w * w);
  const total = weights.reduce((sum, w) => sum + w, 0);
  const first = family[0] as Glyph;
  return first.map((stroke, s) => {
    const points = new Float64Array(stroke.length);
    for (let i = 0; i < points.length; i++) {
      let sum = 0;
      family.forEach((glyph, g) => {
        sum += (weights[g] as number) * (glyph[s]?.[i] as number);
      });
      points[i] = sum / total / 100 - 0.5;
    }
    return points;
  });
}

/** Starts and stops a few hundredths of the digit's height too late or too early. */
function trim(curves: Curve[], random: Generator): void {
  const first = curves[0] as Curve;
  const last = curves[curves.length - 1] as Curve;
  moveEnd(first, 0, 2, random.between(-0.06, 0.06));
  moveEnd(last, last.length - 2, -2, random.between(-0.08, 0.06));
}

function moveEnd(curve: Curve, end: number, inwards: number, by: number): void {
  for (let axis = 0; axis < 2; axis++) {
    const here = curve[end + axis] as number;
    const inside = curve[end + 2 * inwards + axis] as number;
    // The two steps between the points are about a tenth of the height.
    curve[end + axis] = here + (inside - here) * by * 10;
  }
}

/** Elastic distortion: a coarse and a fine field of random displacements, smooth in between. */
function bend(curves: readonly Curve[], random: Generator): void {
  const coarse = new DisplacementField(2, 0.08, random);
  const fine = new DisplacementField(4, 0.03, random);
  for (const curve of curves) {
    for (let i = 0; i < curve.length; i += 2) {
      const x = curve[i] as number;
      const y = curve[i + 1] as number;
      coarse.move(curve, i, x, y);
      fine.move(curve, i, x, y);
    }
  }
}

/** Random displacements (standard deviation `strength`) at the corners of `cells` x `cells` squares over -0.6..0.6. */
class DisplacementField {
  readonly #cells: number;
  /** Right and down, corner by corner, row by row. */
  readonly #knots: Float64Array;

  constructor(cells: number, strength: number, random: Generator) {
    this.#cells = cells;
    this.#knots = new Float64Array(2 * (cells + 1) * (cells + 1));
    for (let i = 0; i < this.#knots.length; i++) this.#knots[i] = strength * random.bell();
  }

  /** Adds the displacement at (x, y) to the point at position `i` of `curve`. */
  move(curve: Curve, i: number, x: number, y: number): void {
    const u = Math.min(0.999, Math.max(0, (x + 0.6) / 1.2)) * this.#cells;
    const v = Math.min(0.999, Math.max(0, (y + 0.6) / 1.2)) * this.#cells;
    const s = smoothStep(u - Math.floor(u));
    const t = smoothStep(v - Math.floor(v));
    const upper = 2 * (Math.floor(v) * (this.#cells + 1) + Math.floor(u));
    for (let axis = 0; axis < 2; axis++) {
      const by = (1 - t) * this.#mix(upper + axis, s) + t * this.#mix(upper + 2 * (this.#cells + 1) + axis, s);
      curve[i + axis] = (curve[i + axis] as number) + by;
    }
  }

  /** Between a knot and its right neighbour. */
  #mix(at: number, s: number): number {
    return (1 - s) * (this.#knots[at] as number) + s * (this.#knots[at + 2] as number);
  }
}

function smoothStep(t: number): number {
  return t * t * (3 - 2 * t);
}

/** Slants, turns and scales the curves and puts the middle of their box near the middle of the canvas. Result in pixels. */
function place(curves: readonly Curve[], random: Generator): void {
  const height = random.between(17, 21.5);
  const width = height * random.between(0.62, 1.02);
  const slant = 0.12 + 0.17 * random.bell();
  // Rotation without sine and cosine: t is the tangent of half the angle.
  const t = 0.05 * random.bell();
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  for (const curve of curves) {
    for (let i = 0; i < curve.length; i += 2) {
      const y = (curve[i + 1] as number) * height;
      const x = (curve[i] as number) * width - slant * y;
      curve[i] = cos * x - sin * y;
      curve[i + 1] = sin * x + cos * y;
    }
  }
  for (let axis = 0; axis < 2; axis++) shift(curves, axis, canvasSize / 2 + random.bell());
}

/** Moves the curves along one axis so that the middle of their extent comes to `middle`, but not off the canvas. */
function shift(curves: readonly Curve[], axis: number, middle: number): void {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const curve of curves) {
    for (let i = axis; i < curve.length; i += 2) {
      low = Math.min(low, curve[i] as number);
      high = Math.max(high, curve[i] as number);
    }
  }
  const half = (high - low) / 2;
  const margin = Math.min(canvasSize / 2, half + 2.5);
  const target = Math.min(canvasSize - margin, Math.max(margin, middle));
  const by = target - (low + half);
  for (const curve of curves) for (let i = axis; i < curve.length; i += 2) curve[i] = (curve[i] as number) + by;
}

function choosePen(random: Generator): Pen {
  const radius = random.between(0.75, 1.75);
  return {
    radius: [radius * random.between(0.85, 1.15), radius * random.between(0.75, 1.1)],
    softness: random.between(1, 1.7),
    ink: random.between(0.85, 1),
  };
}

/** Brightness to bytes, with noise: grain in the ink, and in some images on the paper. */
function develop(canvas: Float64Array, random: Generator, out: Uint8Array): void {
  const grain = random.between(0, 0.16);
  const paper = Math.max(0, random.between(-0.12, 0.08));
  let bits = 0;
  for (let i = 0; i < pixels; i++) {
    // Four pixels share a draw: a byte of noise each.
    bits = i % 4 === 0 ? random.next() : bits >>> 8;
    const noise = (bits & 255) / 256;
    const value = (canvas[i] as number) * (1 - grain * noise) + paper * noise * noise * noise;
    out[i] = Math.min(255, Math.floor(256 * value));
  }
}
