import { ArgumentError, less, mul, select, type Tensor } from "@ocelli/core";
import { checkInteger, checkRange } from "./check.js";
import type { Context, Layer } from "./context.js";
import { Module } from "./module.js";

export interface StochasticDepthOptions {
  /** Probability that the branch is kept. */
  readonly survival: number;
  /** One draw for the whole batch, as in the paper (default), or one for each sample ("row"). */
  readonly mode?: "batch" | "row";
}

/**
 * A residual branch that chance drops (Huang et al. 2016): in training its output with probability `survival` and 0 otherwise, in
 * evaluation its output times `survival`. It stands inside the sum: `new Residual(new StochasticDepth(branch, { survival: 0.8 }))`.
 *
 * The scale stands in evaluation, as in the paper, and not in training, as in torchvision's operator: a kept branch then trains exactly
 * as it does without this layer. The branch is always computed, so no time is saved. A batch that is dropped leaves the branch's running
 * statistics as they are; in mode "row" they see all samples, since batch-norm mixes them anyway.
 * @throws ArgumentError unless 0 <= survival <= 1, or for an unknown mode
 */
export class StochasticDepth extends Module {
  readonly branch: Layer;
  readonly survival: number;
  readonly mode: "batch" | "row";

  constructor(branch: Layer, { survival, mode = "batch" }: StochasticDepthOptions) {
    super();
    if (mode !== "batch" && mode !== "row")
      throw new ArgumentError(`StochasticDepth: mode is "${String(mode)}"; it needs to be "batch" or "row"`);
    this.branch = branch;
    this.survival = checkRange("StochasticDepth", "survival", survival, 0, 1);
    this.mode = mode;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const { branch, survival, mode } = this;
    if (survival === 1) return ctx.chain(x, branch);
    if (!ctx.training) return mul(ctx.chain(x, branch), survival);
    const shape = mode === "batch" ? [] : x.shape.map((size, axis) => (axis === 0 ? size : 1));
    const keep = less(ctx.randomUniform(shape), survival);
    // Chosen, not multiplied by 0: what a dropped branch overflows to stays dropped. A batch that is dropped does not even enter, so
    // that nothing overflows on the way back.
    const y = mode === "batch" ? ctx.gate(keep, () => ctx.chain(select(keep, x, 0), branch)) : ctx.chain(x, branch);
    return select(keep, y, 0);
  }
}

/**
 * Huang et al.'s rule (equation 4): survival falls linearly with depth, from nearly 1 in the first block to `last` in the last:
 * `1 - l / blocks * (1 - last)` for l = 1 .. blocks.
 * @throws ArgumentError unless `blocks` is an integer >= 1 and 0 <= last <= 1
 */
export function linearDecay(blocks: number, last = 0.5): number[] {
  checkInteger("linearDecay", "blocks", blocks);
  checkRange("linearDecay", "last", last, 0, 1);
  return Array.from({ length: blocks }, (_, i) => 1 - ((i + 1) / blocks) * (1 - last));
}
