import { isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp } from "../op.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { add, cast, equal, floor, maximum, minimum, mul, select, sub } from "./elementwise.js";
import { gather, narrow, reshape } from "./layout.js";
import { arange } from "./leaf.js";

export interface GridSampleAttrs {
  /** What lies outside the image: zeros, or the nearest border pixel. */
  readonly paddingMode: "zeros" | "border";
  /** true: -1 and 1 are the centres of the corner pixels; false: the image's outer edges. */
  readonly alignCorners: boolean;
}

/** -1..1 to pixels. */
function unnormalize(position: Tensor, size: number, alignCorners: boolean): Tensor {
  const scaled = mul(add(position, 1), alignCorners ? (size - 1) / 2 : size / 2);
  return alignCorners ? scaled : sub(scaled, 0.5);
}

const clamped = (p: Tensor, size: number): Tensor => minimum(maximum(p, 0), size - 1);

/** Values of `x` at integer pixel positions `[N, OH, OW]` (floats), 0 outside: `[N, C, OH, OW]`. */
function pixelsAt(x: Tensor, px: Tensor, py: Tensor): Tensor {
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const [, oh, ow] = px.shape as readonly [number, number, number];
  const shape: Shape = [n, c, oh, ow];
  const inside = (p: Tensor, size: number): Tensor => equal(p, clamped(p, size));
  const clampTo = (p: Tensor, size: number): Tensor => cast(clamped(p, size), "int32");
  const within = equal(add(cast(inside(px, w), "int32"), cast(inside(py, h), "int32")), 2);
  const pixel = add(mul(clampTo(py, h), w), clampTo(px, w));
  const plane = reshape(mul(arange(n * c), h * w), [n, c, 1, 1]);
  const flat = add(plane, reshape(pixel, [n, 1, oh, ow]));
  const values = reshape(gather(reshape(x, [-1]), reshape(flat, [sizeOf(shape)])), shape);
  return select(reshape(within, [n, 1, oh, ow]), values, 0);
}

function sampleByGather(x: Tensor, grid: Tensor, { paddingMode, alignCorners }: GridSampleAttrs): Tensor {
  const [n, , h, w] = x.shape as readonly [number, number, number, number];
  const [, oh, ow] = grid.shape as readonly [number, number, number, number];
  const coordinate = (axis: number, size: number): Tensor => {
    const raw = unnormalize(reshape(narrow(grid, 3, axis, axis + 1), [n, oh, ow]), size, alignCorners);
    return paddingMode === "border" ? clamped(raw, size) : raw;
  };
  const [px, py] = [coordinate(0, w), coordinate(1, h)];
  const [left, top] = [floor(px), floor(py)];
  const [fx, fy] = [sub(px, left), sub(py, top)];
  const weighted = (ix: Tensor, iy: Tensor, wx: Tensor, wy: Tensor): Tensor =>
    mul(pixelsAt(x, ix, iy), reshape(mul(wx, wy), [n, 1, oh, ow]));
  const [right, bottom] = [add(left, 1), add(top, 1)];
  return add(
    add(weighted(left, top, sub(1, fx), sub(1, fy)), weighted(right, top, fx, sub(1, fy))),
    add(weighted(left, bottom, sub(1, fx), fy), weighted(right, bottom, fx, fy)),
  );
}

export const gridSample2dOp = defineOp<GridSampleAttrs>({
  name: "gridSample2d",
  inputs: ["input", "grid"],
  infer: ([x, grid]) => {
    const [input, points] = [x as Spec, grid as Spec];
    if (input.shape.length !== 4)
      throw new ShapeError(`gridSample2d: input is ${formatShape(input.shape)}; it needs [N, C, H, W]`);
    const fits = points.shape.length === 4 && points.shape[0] === input.shape[0] && points.shape[3] === 2;
    if (!fits) {
      throw new ShapeError(
        `gridSample2d: grid is ${formatShape(points.shape)}; it needs [${input.shape[0]}, H', W', 2]`,
      );
    }
    if (!isFloat(input.dtype) || points.dtype !== input.dtype) {
      throw new DTypeError(`gridSample2d: input is ${input.dtype} and grid ${points.dtype}; they need one float dtype`);
    }
    return { shape: [...input.shape.slice(0, 2), ...points.shape.slice(1, 3)], dtype: input.dtype };
  },
  // The gradients are those of the definition: a scatter of the four weights, and differences of the four pixels.
  vjp: "decompose",
  decompose: ([x, grid], attrs) => sampleByGather(x as Tensor, grid as Tensor, attrs),
});

/**
 * Bilinear sampling: `[N, C, H, W]` at `grid` `[N, H', W', 2]` (x, y in -1..1) -> `[N, C, H', W']`, as PyTorch's `grid_sample`.
 */
export function gridSample2d(
  x: Tensor,
  grid: Tensor,
  { paddingMode = "zeros", alignCorners = false }: Partial<GridSampleAttrs> = {},
): Tensor {
  return apply(gridSample2dOp, [x, grid], { paddingMode, alignCorners });
}
