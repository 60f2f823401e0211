import { type AvgPoolAttrs, type PoolAttrs, windowSizes } from "../ops/pool.js";
import { type Shape, sizeOf } from "../shape.js";
import { outputOf, type ReferenceKernel, type Values, zeros } from "./kernel.js";
import { leads } from "./reduce.js";

type Geometry = Pick<PoolAttrs, "kernel" | "stride" | "padding"> & Partial<Pick<PoolAttrs, "dilation">>;

/** Visits every pixel of every window, window by window and in row-major order; padding is left out. */
function eachWindowPixel(x: Shape, y: Shape, geometry: Geometry, visit: (x: number, y: number) => void): void {
  const { kernel, stride, padding, dilation = [1, 1] } = geometry;
  const [planes, height, width] = [x[0]! * x[1]!, x[2]!, x[3]!];
  const [outHeight, outWidth] = [y[2]!, y[3]!];
  for (let out = 0; out < planes * outHeight * outWidth; out++) {
    const [ox, oy] = [out % outWidth, Math.floor(out / outWidth) % outHeight];
    const plane = Math.floor(out / (outWidth * outHeight)) * height;
    for (let ky = 0; ky < kernel[0]; ky++) {
      const iy = oy * stride[0] - padding[0] + ky * dilation[0];
      if (iy < 0 || iy >= height) continue;
      for (let kx = 0; kx < kernel[1]; kx++) {
        const ix = ox * stride[1] - padding[2] + kx * dilation[1];
        if (ix >= 0 && ix < width) visit((plane + iy) * width + ix, out);
      }
    }
  }
}

/** The first maximum of each window; -1 for a window that dilation keeps off the input altogether. */
function winners(x: Values, xShape: Shape, yShape: Shape, attrs: PoolAttrs): Values {
  const best = new Float64Array(sizeOf(yShape)).fill(-1);
  eachWindowPixel(xShape, yShape, attrs, (xi, yi) => {
    if (best[yi] === -1 || leads(x[xi]!, x[best[yi]!]!)) best[yi] = xi;
  });
  return best;
}

const maxPool2d: ReferenceKernel = (node, [x]) =>
  winners(x!, node.inputs[0]!.shape, outputOf(node).shape, node.attrs).map((at) => x![at] ?? Number.NEGATIVE_INFINITY);

const maxPool2dArgmax: ReferenceKernel = (node, [x]) =>
  winners(x!, node.inputs[0]!.shape, outputOf(node).shape, node.attrs).map((at) => Math.max(at, 0));

const maxPool2dGrad: ReferenceKernel = (node, [dy, x]) => {
  const out = zeros(outputOf(node));
  const best = winners(x!, node.inputs[1]!.shape, node.inputs[0]!.shape, node.attrs);
  for (const [yi, xi] of best.entries()) if (xi >= 0) out[xi] = out[xi]! + dy![yi]!;
  return out;
};

/** How many pixels the mean of each output pixel of one plane divides by. */
function divisors(x: Shape, y: Shape, { kernel, stride, padding, countIncludePad }: AvgPoolAttrs): number[] {
  const rows = windowSizes(y[2]!, x[2]!, kernel[0], stride[0], padding[0], padding[1], countIncludePad);
  const columns = windowSizes(y[3]!, x[3]!, kernel[1], stride[1], padding[2], padding[3], countIncludePad);
  return rows.flatMap((height) => columns.map((width) => height * width));
}

const avgPool2d: ReferenceKernel = (node, [x]) => {
  const [from, to] = [node.inputs[0]!.shape, outputOf(node).shape];
  const sums = zeros(outputOf(node));
  eachWindowPixel(from, to, node.attrs, (xi, yi) => {
    sums[yi] = sums[yi]! + x![xi]!;
  });
  const counts = divisors(from, to, node.attrs);
  return sums.map((sum, i) => sum / counts[i % counts.length]!);
};

const avgPool2dGrad: ReferenceKernel = (node, [dy]) => {
  const [from, to] = [outputOf(node).shape, node.inputs[0]!.shape];
  const out = zeros(outputOf(node));
  const counts = divisors(from, to, node.attrs);
  eachWindowPixel(from, to, node.attrs, (xi, yi) => {
    out[xi] = out[xi]! + dy![yi]! / counts[yi % counts.length]!;
  });
  return out;
};

export const pool = {
  maxPool2d,
  maxPool2dArgmax,
  maxPool2dGrad,
  avgPool2d,
  avgPool2dGrad,
} satisfies Record<string, ReferenceKernel>;
