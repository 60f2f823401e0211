import { sizeOf } from "@ocelli/core";
import type { Kernel } from "../kernel.js";
import { each } from "./threads.js";

/** Threefry-2x32 with 20 rounds, the same bits as core's. */
const threefry = `
fn turned(v: vec2u, by: u32) -> vec2u {
  let a = v.x + v.y;
  return vec2u(a, ((v.y << by) | (v.y >> (32u - by))) ^ a);
}
fn even(v: vec2u) -> vec2u { return turned(turned(turned(turned(v, 13u), 15u), 26u), 6u); }
fn odd(v: vec2u) -> vec2u { return turned(turned(turned(turned(v, 17u), 29u), 16u), 24u); }
fn encrypted(k: vec2u, counter: vec2u) -> vec2u {
  let third = k.x ^ k.y ^ 0x1bd11bdau;
  var v = even(counter + k);
  v = odd(v + vec2u(k.y, third + 1u));
  v = even(v + vec2u(third, k.x + 2u));
  v = odd(v + vec2u(k.x, k.y + 3u));
  v = even(v + vec2u(k.y, third + 4u));
  return v + vec2u(third, k.x + 5u);
}`;

/** Random uint32 by counter: a thread encrypts one block, which is elements 2i and 2i + 1. Input: the key, uint32 `[2]`. */
export const randomBits: Kernel = {
  dispatches: ({ node, outputs, attrs }) => {
    const size = sizeOf(outputs[0]!.shape);
    const { stream } = attrs as { stream: number };
    const second = "w0(2u * i + 1u, bits.y);";
    return [
      each({
        name: node.op.name,
        count: Math.ceil(size / 2),
        reads: [0],
        writes: [0],
        declarations: threefry,
        body: `  let bits = encrypted(vec2u(r0(0u), r0(1u)), vec2u(i, ${stream}u));
  w0(2u * i, bits.x);
  ${size % 2 === 0 ? second : `if (2u * i + 1u < ${size}u) { ${second} }`}`,
      }),
    ];
  },
};
