import { type GridSampleAttrs, sizeOf } from "@ocelli/core";
import type { Kernel } from "../kernel.js";
import { each } from "./threads.js";

/** WGSL of the pixel that a coordinate in -1..1 stands for. */
function pixelOf(coordinate: string, size: number, { paddingMode, alignCorners }: GridSampleAttrs): string {
  const pixel = alignCorners
    ? `(${coordinate} + 1.0) * ${(size - 1) / 2}`
    : `(${coordinate} + 1.0) * ${size / 2} - 0.5`;
  return paddingMode === "border" ? `clamp(${pixel}, 0.0, ${size - 1}.0)` : pixel;
}

/** Bilinear sampling, a thread an output. Inputs: `[N, C, H, W]` and the grid `[N, H', W', 2]`. */
export const gridSample2d: Kernel = {
  dispatches: ({ node, inputs, outputs, attrs }) => {
    const [, channels, height, width] = inputs[0]!.shape as readonly [number, number, number, number];
    const points = sizeOf(outputs[0]!.shape.slice(2));
    const body = `  let plane = i / ${points}u;
  let point = 2u * (plane / ${channels}u * ${points}u + i % ${points}u);
  let px = ${pixelOf("r1(point)", width, attrs as GridSampleAttrs)};
  let py = ${pixelOf("r1(point + 1u)", height, attrs as GridSampleAttrs)};
  let corner = floor(vec2f(px, py));
  let share = vec2f(px, py) - corner;
  var total = 0.0;
  for (var down = 0; down < 2; down++) {
    let y = corner.y + f32(down);
    if (y < 0.0 || y > ${height - 1}.0) { continue; }
    for (var along = 0; along < 2; along++) {
      let x = corner.x + f32(along);
      if (x < 0.0 || x > ${width - 1}.0) { continue; }
      let weight = select(1.0 - share.x, share.x, along == 1) * select(1.0 - share.y, share.y, down == 1);
      total += weight * r0((plane * ${height}u + u32(y)) * ${width}u + u32(x));
    }
  }
  w0(i, total);`;
    return [each({ name: node.op.name, count: sizeOf(outputs[0]!.shape), reads: [0, 1], writes: [0], body })];
  },
};
