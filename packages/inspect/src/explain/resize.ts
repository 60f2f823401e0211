import {
  broadcastTo,
  constant,
  div,
  full,
  gradients,
  greater,
  hostTensor,
  matmul,
  reshape,
  select,
  sum,
  type Tensor,
} from "@ocelli/core";

/**
 * `[to, from]`: which share of each input position an output position has. Pixels are areas, whose centres are at halves, and beyond the
 * outer centres nothing changes (PyTorch's `align_corners=False`).
 */
function shares(from: number, to: number): Tensor {
  const data = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(0, ((i + 0.5) * from) / to - 0.5), from - 1);
    const low = Math.floor(at);
    data[i * from + low] = 1 - (at - low);
    if (at > low) data[i * from + low + 1] = at - low;
  }
  return constant(hostTensor(data, [to, from]));
}

/** Bilinear, of maps `[N, h, w]` to `[N, height, width]`. */
export function resized(maps: Tensor, height: number, width: number): Tensor {
  const [, h, w] = maps.shape as [number, number, number];
  const one = (matrix: Tensor): Tensor => reshape(matrix, [1, ...matrix.shape]);
  return matmul(matmul(one(shares(h, height)), maps), one(shares(w, width)), { transposeB: true });
}

/**
 * Values of places in what the model was shown (`[N, H', W']`, of `seen` `[N, C', H', W']`) as values of the pixels that it was made from
 * (`[N, C, H, W]`): for each the mean over the places where it went, weighted by what it gave there. A border that was added is gone, what
 * was resized has its own size again, and what was not shown is 0.
 */
export function onPixels(values: Tensor, seen: Tensor, pixels: Tensor): Tensor {
  const [n, , height, width] = seen.shape as [number, number, number, number];
  const back = (seed: Tensor): Tensor => sum(gradients(seen, [pixels], seed)[0] as Tensor, { axes: 1 });
  const weighted = back(broadcastTo(reshape(values, [n, 1, height, width]), seen.shape));
  const weights = back(full(seen.shape, 1));
  const shown = greater(weights, 0);
  return select(shown, div(weighted, select(shown, weights, 1)), 0);
}
