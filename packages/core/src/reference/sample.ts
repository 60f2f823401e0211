import type { GridSampleAttrs } from "../ops/sample.js";
import { outputOf, type ReferenceKernel, type Values, zeros } from "./kernel.js";

/** -1..1 to pixels, moved onto the border where that is the rule. */
function toPixel(position: number, size: number, { paddingMode, alignCorners }: GridSampleAttrs): number {
  const pixel = alignCorners ? ((position + 1) * (size - 1)) / 2 : ((position + 1) * size - 1) / 2;
  return paddingMode === "border" ? Math.min(Math.max(pixel, 0), size - 1) : pixel;
}

/** One plane at a point, from its four neighbours; those outside are 0. */
function bilinear(x: Values, plane: number, height: number, width: number, px: number, py: number): number {
  const [left, top] = [Math.floor(px), Math.floor(py)];
  let total = 0;
  for (const iy of [top, top + 1]) {
    for (const ix of [left, left + 1]) {
      if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
      total += x[(plane * height + iy) * width + ix]! * (1 - Math.abs(px - ix)) * (1 - Math.abs(py - iy));
    }
  }
  return total;
}

export const gridSample2d: ReferenceKernel = (node, [x, grid]) => {
  const [, channels, height, width] = node.inputs[0]!.shape as readonly [number, number, number, number];
  const points = outputOf(node).shape[2]! * outputOf(node).shape[3]!;
  const out = zeros(outputOf(node));
  for (let i = 0; i < out.length; i++) {
    const plane = Math.floor(i / points);
    const point = 2 * (Math.floor(plane / channels) * points + (i % points));
    const [px, py] = [toPixel(grid![point]!, width, node.attrs), toPixel(grid![point + 1]!, height, node.attrs)];
    out[i] = bilinear(x!, plane, height, width, px, py);
  }
  return out;
};
