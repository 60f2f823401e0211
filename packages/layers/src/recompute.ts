import { recompute, type Tensor } from "@ocelli/core";
import type { Context, Layer } from "./context.js";
import { Module } from "./module.js";

/**
 * Its layers, whose results are not kept for the backward pass but computed again there (Chen et al. 2016): memory for time. Same
 * values, same gradients; dropout drops the same, and statistics are updated once. Named `body`. Inside a `forward`,
 * `recompute(() => ctx.chain(x, ...))` does the same without a module.
 */
export class Recompute extends Module {
  readonly body: Layer;

  constructor(body: Layer) {
    super();
    this.body = body;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return recompute(() => ctx.chain(x, this.body));
  }
}
