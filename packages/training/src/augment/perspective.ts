import { abs, add, arange, div, less, mul, type Operand, reshape, select, sub, type Tensor } from "@ocelli/core";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption } from "./options.js";
import { imageShape, unit } from "./pixels.js";
import { wholeNumbers } from "./random.js";
import { perImage, sampled } from "./warp.js";

/** Corners of the quadrilateral that the image is drawn into, clockwise from the top left: pixels, float32 `[N]`. */
export type Corners = readonly { readonly x: Tensor; readonly y: Tensor }[];

/**
 * Draws each image into a quadrilateral whose corners lie at random near its own: up to `distortion` (0..1, default 0.5) of half the width and height
 * away, in whole pixels, in a share `p` (default 0.5) of the images (torchvision's RandomPerspective). Returns float32.
 * @throws ArgumentError
 */
export function randomPerspective({
  distortion = 0.5,
  fill = 0,
  p = 0.5,
}: {
  readonly distortion?: number;
  readonly fill?: number;
  readonly p?: number;
} = {}): Transform {
  const where = "randomPerspective";
  numberOption(where, "distortion", distortion, { min: 0, max: 1 });
  numberOption(where, "fill", fill, { min: 0, max: 1 });
  return imageAugmentation(where, { distortion, fill, p }, (images, ctx) => {
    const [n, , h, w] = imageShape(images, where);
    const near = (count: number): Tensor => wholeNumbers(ctx, n, Math.floor(distortion * Math.floor(count / 2)) + 1);
    const far = (count: number): Tensor => sub(count - 1, near(count));
    const corners = [
      { x: near(w), y: near(h) },
      { x: far(w), y: near(h) },
      { x: far(w), y: far(h) },
      { x: near(w), y: far(h) },
    ];
    return intoQuadrilateral(unit(images), corners, fill);
  });
}

/**
 * The projective map of the unit square onto a quadrilateral, from its corners (Heckbert 1989), and of that the inverse: where each
 * pixel comes from.
 */
export function intoQuadrilateral(images: Tensor, corners: Corners, fill = 0): Tensor {
  const [, , h, w] = imageShape(images, "perspective");
  const [p0, p1, p2, p3] = corners as unknown as readonly [Corners[0], Corners[0], Corners[0], Corners[0]];
  const minus = (a: Corners[0], b: Corners[0]) => ({ x: sub(a.x, b.x), y: sub(a.y, b.y) });
  const [right, left] = [minus(p1, p2), minus(p3, p2)];
  const bend = { x: add(minus(p0, p1).x, minus(p2, p3).x), y: add(minus(p0, p1).y, minus(p2, p3).y) };
  const cross = (a: Corners[0], b: Corners[0]): Tensor => sub(mul(a.x, b.y), mul(b.x, a.y));
  const whole = cross(right, left);
  const g = div(cross(bend, left), whole);
  const k = div(cross(right, bend), whole);
  const [a, d] = [add(minus(p1, p0).x, mul(g, p1.x)), add(minus(p1, p0).y, mul(g, p1.y))];
  const [b, e] = [add(minus(p3, p0).x, mul(k, p3.x)), add(minus(p3, p0).y, mul(k, p3.y))];
  const [c, f] = [p0.x, p0.y];
  // The adjugate: an inverse up to a factor, which falls out of the quotients below.
  const difference = (u: Operand, v: Operand, s: Operand, t: Operand): Tensor => sub(mul(u, v), mul(s, t));
  const x = reshape(add(arange(w, "float32"), 0.5), [1, 1, w]);
  const y = reshape(add(arange(h, "float32"), 0.5), [1, h, 1]);
  const plane = (ofX: Tensor, ofY: Tensor, start: Tensor): Tensor =>
    add(add(mul(perImage(ofX), x), mul(perImage(ofY), y)), perImage(start));
  const u = plane(difference(e, 1, f, k), difference(c, k, b, 1), difference(b, f, c, e));
  const v = plane(difference(f, g, d, 1), difference(a, 1, c, g), difference(c, d, a, f));
  const depth = plane(difference(d, k, e, g), difference(b, g, a, k), difference(a, e, b, d));
  // On the horizon, which only bent quadrilaterals have in sight.
  const safe = select(less(abs(depth), 1e-6), 1e-6, depth);
  return sampled(images, {
    x: sub(mul(div(u, safe), w - 1), w / 2),
    y: sub(mul(div(v, safe), h - 1), h / 2),
    fill,
  });
}
