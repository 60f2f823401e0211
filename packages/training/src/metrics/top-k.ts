import {
  arange,
  cast,
  equal,
  greater,
  isFinite as isFiniteTensor,
  less,
  mul,
  oneHot,
  reshape,
  select,
  sum,
  type Tensor,
} from "@ocelli/core";

/** 1 where all logits are finite, else 0: float32 `[N]`. What a comparison with NaN gives differs from device to device. */
export function finiteRows(logits: Tensor): Tensor {
  return cast(equal(sum(cast(isFiniteTensor(logits), "float32"), { axes: 1 }), logits.shape[1] as number), "float32");
}

/**
 * 1 where the label is among the `k` largest logits (of equal ones, those of smaller classes) and all are finite, else 0. Logits
 * `[N, classes]`, labels int32 `[N]` -> float32 `[N]`: its mean is the top-k accuracy.
 */
export function topK(logits: Tensor, labels: Tensor, k: number): Tensor {
  const chosen = sum(mul(logits, oneHot(labels, logits.shape[1] as number)), { axes: 1, keepDims: true });
  // As argmax has it: otherwise a network that tells nothing apart would always be right.
  const earlier = less(arange(logits.shape[1] as number), reshape(labels, [-1, 1]));
  const before = select(equal(logits, chosen), cast(earlier, "float32"), cast(greater(logits, chosen), "float32"));
  return mul(cast(less(sum(before, { axes: 1 }), k), "float32"), finiteRows(logits));
}
