/** A point of the drawing area: 0..1 from left to right and from top to bottom. */
export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

export const digitSize = 28;

/** MNIST's digits fit a square of 20 pixels, within 28 (LeCun et al. 1998). */
const boxSize = 20;
/** Half the width of MNIST's pen, about, in pixels of the result. */
const radius = 1.2;
/** Pixels from full to no ink at the pen's border. */
const softness = 1;
/** What is smaller than a tenth of the drawing area is a dot, and no digit from afar. */
const smallest = 0.1;

/**
 * A drawing as MNIST has its digits: scaled so that its longer side has 20 pixels, its centre of mass in the middle of 28x28, white on
 * black. The pen is as wide whatever the drawing's size. Without strokes, all is black.
 */
export function digitOf(strokes: readonly Stroke[]): Uint8Array {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  if (drawn.length === 0) return new Uint8Array(digitSize ** 2);
  const placed = scaled(drawn);
  const first = inked(placed);
  const [x, y] = centreOfMass(first);
  const middle = digitSize / 2;
  return bytesOf(inked(moved(placed, middle - x, middle - y)));
}

function scaled(strokes: readonly Stroke[]): Stroke[] {
  const points = strokes.flat();
  const bounds = (axis: 0 | 1): readonly [number, number] => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [top, bottom]] = [bounds(0), bounds(1)];
  const scale = (boxSize - 2 * radius) / Math.max(right - left, bottom - top, smallest);
  const middle = digitSize / 2;
  const place = ([x, y]: Point): Point => [
    middle + (x - (left + right) / 2) * scale,
    middle + (y - (top + bottom) / 2) * scale,
  ];
  return strokes.map((stroke) => stroke.map(place));
}

const moved = (strokes: readonly Stroke[], dx: number, dy: number): Stroke[] =>
  strokes.map((stroke) => stroke.map(([x, y]): Point => [x + dx, y + dy]));

/** Ink 0..1 of each pixel: by the distance of its middle from the nearest piece of a line. */
function inked(strokes: readonly Stroke[]): Float32Array {
  const ink = new Float32Array(digitSize ** 2);
  const reach = radius + softness / 2;
  for (const stroke of strokes) {
    for (const [i, from] of stroke.entries()) {
      const to = stroke[i + 1] ?? from;
      const [left, right] = pixelsBetween(from[0], to[0], reach);
      const [top, bottom] = pixelsBetween(from[1], to[1], reach);
      for (let row = top; row <= bottom; row++) {
        for (let column = left; column <= right; column++) {
          const at = row * digitSize + column;
          const far = distance([column + 0.5, row + 0.5], from, to);
          ink[at] = Math.max(ink[at] as number, Math.min(1, (reach - far) / softness));
        }
      }
    }
  }
  return ink;
}

function pixelsBetween(a: number, b: number, reach: number): readonly [first: number, last: number] {
  return [Math.max(0, Math.floor(Math.min(a, b) - reach)), Math.min(digitSize - 1, Math.floor(Math.max(a, b) + reach))];
}

function distance([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function centreOfMass(ink: Float32Array): Point {
  let [mass, x, y] = [0, 0, 0];
  for (const [at, value] of ink.entries()) {
    mass += value;
    x += value * ((at % digitSize) + 0.5);
    y += value * (Math.floor(at / digitSize) + 0.5);
  }
  return [x / mass, y / mass];
}

const bytesOf = (ink: Float32Array): Uint8Array => Uint8Array.from(ink, (value) => Math.round(255 * value));
