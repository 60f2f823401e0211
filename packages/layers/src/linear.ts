import { add, matmul, reshape, ShapeError, type Tensor } from "@ocelli/core";
import { checkInteger } from "./check.js";
import type { Context } from "./context.js";
import { kaimingUniform, uniform } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * `x W^T + b`: `[..., in] -> [..., out]`; weight `[out, in]`, bias `[out]`.
 * @throws ArgumentError unless the sizes are positive integers; in `forward` ShapeError when the last dimension is not `in`
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, { bias = true }: LinearOptions = {}) {
    super();
    this.inFeatures = checkInteger("Linear", "inFeatures", inFeatures);
    this.outFeatures = checkInteger("Linear", "outFeatures", outFeatures);
    this.weight = new Parameter([outFeatures, inFeatures], kaimingUniform({ a: Math.sqrt(5) }));
    const bound = 1 / Math.sqrt(inFeatures);
    this.bias = bias ? new Parameter([outFeatures], uniform(-bound, bound)) : null;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    if (x.shape.at(-1) !== this.inFeatures) {
      const hint = x.shape.length === 4 ? " (flatten it first)" : "";
      throw new ShapeError(
        `Linear: input has ${x.shape.at(-1) ?? 0} features; the layer was made for ${this.inFeatures}${hint}`,
        { input: x.shape },
      );
    }
    // One product of two matrices, whatever stands before the features.
    const rows = reshape(x, [-1, this.inFeatures]);
    const y = matmul(rows, ctx.get(this.weight), { transposeB: true });
    const biased = this.bias === null ? y : add(y, ctx.get(this.bias));
    return reshape(biased, [...x.shape.slice(0, -1), this.outFeatures]);
  }
}
