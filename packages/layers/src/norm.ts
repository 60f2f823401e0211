import {
  add,
  batchNormInference,
  batchNormTrain,
  cast,
  div,
  full,
  localResponseNorm,
  mul,
  type Operand,
  ShapeError,
  sizeOf,
  sub,
  type Tensor,
} from "@ocelli/core";
import { checkInput, checkInteger, checkRange } from "./check.js";
import type { Context } from "./context.js";
import { ones, zeros } from "./init.js";
import { Module } from "./module.js";
import { Buffer, Parameter } from "./parameter.js";

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Share of the new batch in the running statistics (default 0.1); null weighs all batches alike. */
  readonly momentum?: number | null;
  /** Learn a scale and a shift. Default true. */
  readonly affine?: boolean;
  /** Keep running statistics and use them in evaluation (default); otherwise evaluation uses the batch's own. */
  readonly trackRunningStats?: boolean;
}

/** Ioffe and Szegedy 2015, with PyTorch's names: `running_var` is the unbiased variance, normalisation uses the biased one. */
abstract class BatchNorm extends Module {
  readonly features: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Buffer | null;
  readonly running_var: Buffer | null;
  readonly num_batches_tracked: Buffer | null;
  /** The layer's name (that of the class does not survive minifying), the ranks it takes, and how to say so. */
  protected abstract accepts(): {
    readonly name: string;
    readonly ranks: readonly number[];
    readonly needed: string;
  };

  constructor(
    features: number,
    { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {},
  ) {
    super();
    const where = this.accepts().name;
    this.features = checkInteger(where, "features", features);
    this.eps = checkRange(where, "eps", eps, 0);
    this.momentum = momentum === null ? null : checkRange(where, "momentum", momentum, 0, 1);
    this.weight = affine ? new Parameter([features], ones) : null;
    this.bias = affine ? new Parameter([features], zeros) : null;
    this.running_mean = trackRunningStats ? new Buffer([features]) : null;
    this.running_var = trackRunningStats ? new Buffer([features], { init: ones }) : null;
    // Files written before PyTorch 0.4.1 lack it.
    this.num_batches_tracked = trackRunningStats ? new Buffer([], { dtype: "int32", optional: true }) : null;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const { name, ranks, needed } = this.accepts();
    checkInput(name, x, ranks, needed, this.features);
    const weight = this.weight === null ? full([this.features], 1, x.dtype) : ctx.get(this.weight);
    const bias = this.bias === null ? full([this.features], 0, x.dtype) : ctx.get(this.bias);
    const { running_mean, running_var } = this;
    const training = ctx.training && !this.#isFrozen(ctx);
    if (!training && running_mean !== null && running_var !== null) {
      return batchNormInference(x, weight, bias, ctx.get(running_mean), ctx.get(running_var), this.eps);
    }
    const count = sizeOf(x.shape) / this.features;
    if (count < 2)
      throw new ShapeError(`${name}: input has one value a channel; statistics need at least two`, { input: x.shape });
    const { output, mean, variance } = batchNormTrain(x, weight, bias, this.eps);
    if (training) this.#track(mean, mul(variance, count / (count - 1)), ctx);
    return output;
  }

  /** Statistics that follow the batches would change what a frozen scale and shift were made for. */
  #isFrozen({ frozen }: Context): boolean {
    const { weight, bias, running_mean, running_var } = this;
    const affine = weight !== null && bias !== null && frozen.has(weight) && frozen.has(bias);
    return affine || [running_mean, running_var].some((statistic) => statistic !== null && frozen.has(statistic));
  }

  #track(mean: Tensor, unbiased: Tensor, ctx: Context): void {
    const { running_mean, running_var, num_batches_tracked } = this;
    if (running_mean === null || running_var === null || num_batches_tracked === null) return;
    const batches = add(ctx.get(num_batches_tracked), 1);
    const share: Operand = this.momentum ?? div(1, cast(batches, running_mean.dtype));
    const kept: Operand = typeof share === "number" ? 1 - share : sub(1, share);
    const blend = (old: Tensor, fresh: Tensor): Tensor => add(mul(old, kept), mul(cast(fresh, old.dtype), share));
    ctx.update(running_mean, blend(ctx.get(running_mean), mean));
    ctx.update(running_var, blend(ctx.get(running_var), unbiased));
    ctx.update(num_batches_tracked, batches);
  }
}

/** Batch normalisation of `[N, C]` or `[N, C, L]`, each channel over all else. @throws ShapeError for other inputs */
export class BatchNorm1d extends BatchNorm {
  protected override accepts() {
    return { name: "BatchNorm1d", ranks: [2, 3], needed: "2 or 3, [N, C] or [N, C, L]" };
  }
}

/** Batch normalisation of `[N, C, H, W]`, each channel over all else. @throws ShapeError for other inputs */
export class BatchNorm2d extends BatchNorm {
  protected override accepts() {
    return { name: "BatchNorm2d", ranks: [4], needed: "4, [N, C, H, W]" };
  }
}

export interface LocalResponseNormOptions {
  /** Default 1e-4. It is divided by `size`. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/**
 * Local response normalisation over `size` neighbouring channels (Krizhevsky et al. 2012, PyTorch's scaling):
 * `x / (k + alpha / size * sum of x^2)^beta`. `[N, C, ...] -> [N, C, ...]`.
 */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(size: number, { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormOptions = {}) {
    super();
    this.size = checkInteger("LocalResponseNorm", "size", size);
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, { size: this.size, alpha: this.alpha, beta: this.beta, k: this.k });
  }
}
