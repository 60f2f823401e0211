import { greaterEqual, mul, type Shape, select, type Tensor } from "@ocelli/core";
import { checkInput, checkRange } from "./check.js";
import type { Context } from "./context.js";
import { Module } from "./module.js";

/** Keeps elements with probability 1 - p and scales them by 1 / (1 - p). The mask has `shape`, which broadcasts to x. */
function drop(x: Tensor, p: number, shape: Shape, ctx: Context): Tensor {
  if (!ctx.training || p === 0) return x;
  const kept = greaterEqual(ctx.randomUniform(shape), p);
  // Chosen, not multiplied by 0: a dropped NaN or infinity stays dropped.
  return select(kept, mul(x, p === 1 ? 0 : 1 / (1 - p)), 0);
}

/**
 * Sets each element to 0 with probability `p` in training, and scales the others by 1 / (1 - p) (Srivastava et al. 2014). Identity in
 * evaluation. @throws ArgumentError unless 0 <= p <= 1
 */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = checkRange("Dropout", "p", p, 0, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return drop(x, this.p, x.shape, ctx);
  }
}

/**
 * {@link Dropout} of whole channels: `[N, C, H, W]`, one draw for each sample and channel (Tompson et al. 2015).
 * @throws ArgumentError unless 0 <= p <= 1; in `forward` ShapeError for other than 4 dimensions
 */
export class Dropout2d extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    this.p = checkRange("Dropout2d", "p", p, 0, 1);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    checkInput("Dropout2d", x, [4], "4, [N, C, H, W]");
    return drop(x, this.p, [x.shape[0] as number, x.shape[1] as number, 1, 1], ctx);
  }
}
