import { constant, hostTensor, matmul, reshape, type Tensor, transpose } from "@ocelli/core";
import type { Size } from "../augment/frame.js";
import { imageShape } from "../augment/pixels.js";

/**
 * Images `[N, C, H, W]` of floats at another size, bilinear; the filter widens with the shrinking, so that nothing aliases (PyTorch's
 * `interpolate(mode="bilinear", antialias=True)`).
 */
export function resized(images: Tensor, [height, width]: Size): Tensor {
  const [n, c, h, w] = imageShape(images, "resized");
  // Two products with one small matrix each; the axis to change is the last one in memory.
  const wide = w === width ? images : reshape(along(images, width), [n, c, h, width]);
  if (h === height) return wide;
  const columns = transpose(wide, [0, 1, 3, 2]);
  return transpose(reshape(along(columns, height), [n, c, width, height]), [0, 1, 3, 2]);
}

/** Every line (the last axis) at `to` elements: `[lines, to]`. */
function along(x: Tensor, to: number): Tensor {
  const from = x.shape.at(-1) as number;
  return matmul(reshape(x, [-1, from]), constant(hostTensor(weights(from, to), [from, to])));
}

/** How much of each of the `from` pixels each of the `to` pixels is: `[from, to]`, columns add up to 1. */
function weights(from: number, to: number): Float32Array<ArrayBuffer> {
  const scale = from / to;
  const reach = Math.max(1, scale);
  const matrix = new Float32Array(from * to);
  for (let out = 0; out < to; out++) {
    const centre = (out + 0.5) * scale;
    const share = Float64Array.from({ length: from }, (_, i) => Math.max(0, 1 - Math.abs(i + 0.5 - centre) / reach));
    const total = share.reduce((a, b) => a + b, 0);
    for (let i = 0; i < from; i++) matrix[i * to + out] = (share[i] as number) / total;
  }
  return matrix;
}
