import { mul, neg, sub } from "../ops/elementwise.js";
import { max, mean, type ReduceOptions } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";

/** Smallest element over axes; ties share the gradient. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return neg(max(neg(x), options));
}

/** Biased variance over axes (divides by the count). */
export function variance(x: Tensor, options: ReduceOptions = {}): Tensor {
  const centred = sub(x, mean(x, { ...options, keepDims: true }));
  return mean(mul(centred, centred), options);
}
