/** Side of the square canvas, in pixels. */
export const canvasSize = 28;

/** Points of a curve, x and y alternating, in pixels: 0 is the left or upper edge of the canvas. */
export type Curve = Float64Array;

/** How a pen draws. Lengths in pixels. */
export interface Pen {
  /** Half the width of a stroke, at its start and at its end. */
  readonly radius: readonly [start: number, end: number];
  /** Width of the grey rim around a stroke. */
  readonly softness: number;
  /** Brightness of the middle of a stroke, 0..1. */
  readonly ink: number;
}

const stepsPerSpan = 4;

/** A smooth curve through the points of a stroke (uniform Catmull-Rom spline, ends reflected). */
export function smoothCurve(points: ArrayLike<number>): Curve {
  const n = points.length / 2;
  const curve = new Float64Array(2 * ((n - 1) * stepsPerSpan + 1));
  for (let axis = 0; axis < 2; axis++) {
    const at = (i: number): number => points[2 * i + axis] as number;
    for (let span = 0; span < n - 1; span++) {
      const p1 = at(span);
      const p2 = at(span + 1);
      const p0 = span > 0 ? at(span - 1) : 2 * p1 - p2;
      const p3 = span + 2 < n ? at(span + 2) : 2 * p2 - p1;
      for (let step = 0; step < stepsPerSpan; step++) {
        const t = step / stepsPerSpan;
        curve[2 * (span * stepsPerSpan + step) + axis] =
          p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
      }
    }
    curve[curve.length - 2 + axis] = at(n - 1);
  }
  return curve;
}

/** Draws a curve on `canvas` (canvasSize^2 brightnesses 0..1): where strokes overlap, the brighter one stays. */
export function draw(canvas: Float64Array, curve: Curve, pen: Pen): void {
  const last = curve.length / 2 - 1;
  const [start, end] = pen.radius;
  for (let i = 0; i < last; i++) {
    const radius = start + ((end - start) * i) / last;
    drawSegment(canvas, curve, 2 * i, radius, pen);
  }
}

/** One straight piece, from the point at `at` to the next, with round ends. */
function drawSegment(canvas: Float64Array, curve: Curve, at: number, radius: number, { softness, ink }: Pen): void {
  const x0 = curve[at] as number;
  const y0 = curve[at + 1] as number;
  const dx = (curve[at + 2] as number) - x0;
  const dy = (curve[at + 3] as number) - y0;
  const squared = dx * dx + dy * dy;
  const scale = squared > 0 ? 1 / squared : 0;
  const outer = radius + softness / 2;
  const left = clampPixel(Math.min(x0, x0 + dx) - outer);
  const right = clampPixel(Math.max(x0, x0 + dx) + outer);
  const top = clampPixel(Math.min(y0, y0 + dy) - outer);
  const bottom = clampPixel(Math.max(y0, y0 + dy) + outer);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      // From the pixel's centre to the nearest point of the piece.
      const px = column + 0.5 - x0;
      const py = row + 0.5 - y0;
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) * scale));
      const ex = px - along * dx;
      const ey = py - along * dy;
      const away = ex * ex + ey * ey;
      if (away >= outer * outer) continue;
      const value = ink * Math.min(1, (outer - Math.sqrt(away)) / softness);
      const pixel = row * canvasSize + column;
      if (value > (canvas[pixel] as number)) canvas[pixel] = value;
    }
  }
}

function clampPixel(x: number): number {
  return Math.min(canvasSize - 1, Math.max(0, Math.floor(x)));
}
