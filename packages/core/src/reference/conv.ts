import type { ConvAttrs } from "../ops/conv.js";
import type { Shape } from "../shape.js";
import { outputOf, type ReferenceKernel, zeros } from "./kernel.js";

type Visit = (x: number, w: number, y: number) => void;

/** Visits every multiply-add of a convolution: positions in input, weight and output. All three kernels walk here. */
function eachProduct(x: Shape, w: Shape, y: Shape, attrs: ConvAttrs, visit: Visit): void {
  const [n, channels, height] = x as readonly [number, number, number];
  const [out, perGroup, kh, kw] = w as readonly [number, number, number, number];
  for (let image = 0; image < n; image++) {
    for (let o = 0; o < out; o++) {
      const group = Math.floor((o * attrs.groups) / out);
      for (let c = 0; c < perGroup; c++) {
        const planeX = (image * channels + group * perGroup + c) * height;
        const planeY = (image * out + o) * y[2]!;
        for (let tap = 0; tap < kh * kw; tap++) {
          const weight = (o * perGroup + c) * kh * kw + tap;
          eachPixel(x, y, attrs, Math.floor(tap / kw), tap % kw, planeX, planeY, (xi, yi) => visit(xi, weight, yi));
        }
      }
    }
  }
}

/** Visits the pixels that one tap of the kernel brings together; padding contributes nothing. */
function eachPixel(
  x: Shape,
  y: Shape,
  { stride, padding, dilation }: ConvAttrs,
  ky: number,
  kx: number,
  planeX: number,
  planeY: number,
  visit: (x: number, y: number) => void,
): void {
  const [height, width, outWidth] = [x[2]!, x[3]!, y[3]!];
  for (let oy = 0; oy < y[2]!; oy++) {
    const iy = oy * stride[0] - padding[0] + ky * dilation[0];
    if (iy < 0 || iy >= height) continue;
    for (let ox = 0; ox < outWidth; ox++) {
      const ix = ox * stride[1] - padding[2] + kx * dilation[1];
      if (ix >= 0 && ix < width) visit((planeX + iy) * width + ix, (planeY + oy) * outWidth + ox);
    }
  }
}

const conv2d: ReferenceKernel = (node, [x, w]) => {
  const out = zeros(outputOf(node));
  eachProduct(node.inputs[0]!.shape, node.inputs[1]!.shape, outputOf(node).shape, node.attrs, (xi, wi, yi) => {
    out[yi] = out[yi]! + x![xi]! * w![wi]!;
  });
  return out;
};

const conv2dInputGrad: ReferenceKernel = (node, [dy, w]) => {
  const out = zeros(outputOf(node));
  eachProduct(outputOf(node).shape, node.inputs[1]!.shape, node.inputs[0]!.shape, node.attrs, (xi, wi, yi) => {
    out[xi] = out[xi]! + dy![yi]! * w![wi]!;
  });
  return out;
};

const conv2dWeightGrad: ReferenceKernel = (node, [x, dy]) => {
  const out = zeros(outputOf(node));
  eachProduct(node.inputs[0]!.shape, outputOf(node).shape, node.inputs[1]!.shape, node.attrs, (xi, wi, yi) => {
    out[wi] = out[wi]! + x![xi]! * dy![yi]!;
  });
  return out;
};

export const conv = { conv2d, conv2dInputGrad, conv2dWeightGrad } satisfies Record<string, ReferenceKernel>;
