import type { Shape } from "@ocelli/core";
import { type Emitter, type Packing, reshaped, transposed, type Value } from "@ocelli/formats/onnx";

/** The operators that ONNX Runtime uses inside itself: undocumented, and only with some processors. */
export const domain = { domain: "com.microsoft.nchwc" } as const;

/**
 * `[N, C, H, W]` in memory as `[N, C / block, H, W, block]`, while ONNX still believes in four dimensions: neighbouring channels lie in
 * one vector register.
 */
export function blockedPacking(block: number): Packing {
  return {
    takes: (shape) => shape.length === 4 && (shape[1] as number) % block === 0 && shape.every((dim) => dim > 0),
    pack: (b, value) => b.node("ReorderInput", [value], {}, domain),
    unpack: (b, value, shape) => b.node("ReorderOutput", [value], { channels: shape[1] }, domain),
  };
}

/**
 * A weight `[O, I, kH, kW]` as the blocked convolution reads it: `[O / block, I / block, kH, kW, block of I, block of O]`, and without
 * blocks of I for few input channels.
 */
export function blockedWeight(b: Emitter, w: Value, shape: Shape, block: number): Value {
  const [o, i, kh, kw] = shape as readonly [number, number, number, number];
  const rows = o / block;
  const apart = i % block === 0 ? [rows, block, i / block, block, kh * kw] : [rows, block, i * kh * kw];
  const perm = i % block === 0 ? [0, 2, 4, 3, 1] : [0, 2, 1];
  return reshaped(b, transposed(b, reshaped(b, w, apart), perm), shape);
}
