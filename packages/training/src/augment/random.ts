import {
  add,
  cast,
  concat,
  constant,
  floor,
  gather,
  hostTensor,
  less,
  mul,
  narrow,
  type Operand,
  reshape,
  type Shape,
  select,
  sizeOf,
  sub,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import { unit } from "./pixels.js";

/*
 * What every transform draws, so that the same seed gives the same numbers on every device: multiples of 2^-24, and of those only whole
 * numbers, comparisons, and entries of tables that the host made. No rounding of a device's own lies between bits and decision.
 */

/** Uniform float32 `[count]` in `low..high`. */
export function uniform(ctx: Context, count: number, low = 0, high = 1): Tensor {
  const draws = ctx.randomUniform([count]);
  return low === 0 && high === 1 ? draws : add(mul(draws, high - low), low);
}

/** Whole numbers `0 <= k < limit` as float32 `[count]`, all alike probable (to 2^-24). `limit`: up to 2^24, one or `[count]`. */
export function wholeNumbers(ctx: Context, count: number, limit: Operand): Tensor {
  // The largest draw is 1 - 2^-24: its product with a float32 rounds to a number below `limit`.
  return floor(mul(ctx.randomUniform([count]), limit));
}

/** true with probability `p`: bool `[count]`. */
export function chance(ctx: Context, count: number, p: number): Tensor {
  return less(ctx.randomUniform([count]), p);
}

/**
 * Whole numbers `0 <= k < limit` as float32 of any shape, for a power of 2: several of each draw's 24 bits, because noise needs a number
 * for every pixel.
 */
export function digits(ctx: Context, shape: Shape, limit: number): Tensor {
  const count = sizeOf(shape);
  const each = Math.floor(24 / Math.log2(limit));
  let rest = ctx.randomUniform([Math.ceil(count / each)]);
  const parts: Tensor[] = [];
  for (let i = 0; i < each; i++) {
    // Exact: the draw is a binary fraction.
    const shifted = mul(rest, limit);
    const digit = floor(shifted);
    parts.push(digit);
    rest = sub(shifted, digit);
  }
  return reshape(narrow(concat(parts, 0), 0, 0, count), shape);
}

/** Entries of a table at whole numbers (floats) of any shape. */
export function tableAt(table: ArrayLike<number>, places: Tensor): Tensor {
  const values = constant(hostTensor(Float32Array.from(table), [table.length]));
  return reshape(gather(values, reshape(cast(places, "int32"), [-1])), places.shape);
}

/** `count` values of a distribution that is given as a table of equally probable values: float32 `[count]`. */
export function drawn(ctx: Context, count: number, table: ArrayLike<number>): Tensor {
  return tableAt(table, wholeNumbers(ctx, count, table.length));
}

/** Image by image: `a` where the condition (bool `[N]`) is true, else `b`. Pixels become floats if either has floats. */
export function perSample(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const column = reshape(condition, [-1, ...a.shape.slice(1).map(() => 1)]);
  return a.dtype === b.dtype ? select(column, a, b) : select(column, unit(a), unit(b));
}
