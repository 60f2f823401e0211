import type { Shape } from "@ocelli/core";
import { type Emitter, type Packing, reshaped, type Value } from "@ocelli/formats/onnx";

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
  // Packing is the runtime's fast transposition: once with the filters for images, once with a block of filters for channels.
  const inner = i % block === 0 ? b.node("ReorderInput", [w], {}, domain) : w;
  const outer = b.node("ReorderInput", [reshaped(b, inner, [o / block, block, i * kh * kw, 1])], {}, domain);
  return reshaped(b, outer, shape);
}

/**
 * The weight of the convolution that hands gradients back, from a blocked weight `[O, I, kH, kW]`: kernels turned, the two kinds of
 * channels exchanged. Every block is transposed by itself, then whole blocks are moved.
 */
export function turnedBlocks(b: Emitter, blocked: Value, shape: Shape, block: number): Value {
  const [o, i, kh, kw] = shape as readonly [number, number, number, number];
  const [rows, columns, taps] = [o / block, i / block, kh * kw];
  const count = rows * columns * taps;
  const each = b.node("ReorderOutput", [reshaped(b, blocked, [count, block, block, 1])], { channels: block }, domain);
  const from = Array.from({ length: count }, (_, to) => {
    const [column, row, tap] = [Math.floor(to / (rows * taps)), Math.floor(to / taps) % rows, to % taps];
    return (row * columns + column) * taps + (taps - 1 - tap);
  });
  const moved = b.node("Gather", [reshaped(b, each, [count, block * block]), b.int64(from)], { axis: 0 });
  return reshaped(b, moved, [i, o, kh, kw]);
}
