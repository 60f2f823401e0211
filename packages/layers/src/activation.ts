import {
  ArgumentError,
  elu,
  gelu,
  greater,
  leakyRelu,
  logSoftmax,
  max,
  minimum,
  mul,
  relu,
  reshape,
  ShapeError,
  select,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  type Tensor,
  tanh,
} from "@ocelli/core";
import { checkInteger } from "./check.js";
import type { Context } from "./context.js";
import { filled } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** max(x, 0). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** x clipped to 0..6 (Howard et al. 2017). */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    // relu, not a clamp at 0: its gradient there is 0, as PyTorch's.
    return minimum(relu(x), 6);
  }
}

/** x for x > 0, slope * x otherwise (Maas et al. 2013). Default slope 0.01. */
export class LeakyReLU extends Module {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    this.slope = slope;
  }

  override forward(x: Tensor): Tensor {
    return leakyRelu(x, this.slope);
  }
}

export interface PReLUOptions {
  /** Slope at the start. Default 0.25. */
  readonly init?: number;
}

/**
 * x for x > 0, weight * x otherwise, with a learned weight `[count]`: one for all (default), or one a channel (He et al. 2015).
 * @throws in `forward` ShapeError when there are several weights, and not as many channels
 */
export class PReLU extends Module {
  readonly weight: Parameter;

  constructor(count = 1, { init = 0.25 }: PReLUOptions = {}) {
    super();
    this.weight = new Parameter([checkInteger("PReLU", "count", count)], filled(init));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const [count] = this.weight.shape as readonly [number];
    if (count > 1 && x.shape[1] !== count) {
      throw new ShapeError(`PReLU: input has ${x.shape[1] ?? 1} channels; the layer was made for ${count}`, {
        input: x.shape,
      });
    }
    const shape = count === 1 ? [] : [count, ...x.shape.slice(2).map(() => 1)];
    return select(greater(x, 0), x, mul(reshape(ctx.get(this.weight), shape), x));
  }
}

/** x for x > 0, alpha * (e^x - 1) otherwise (Clevert et al. 2015). Default alpha 1. */
export class ELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }
}

/** Scaled ELU (Klambauer et al. 2017). */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return selu(x);
  }
}

export interface GELUOptions {
  /** By erf ("none", default) or by the paper's approximation. */
  readonly approximate?: "none" | "tanh";
}

/** x * P(normal <= x) (Hendrycks and Gimpel 2016). */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none" }: GELUOptions = {}) {
    super();
    this.approximate = approximate;
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }
}

/** x * sigmoid(x). */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** log(1 + e^(beta x)) / beta. Default beta 1. */
export class Softplus extends Module {
  readonly beta: number;

  constructor(beta = 1) {
    super();
    if (!(beta > 0)) throw new ArgumentError(`Softplus: beta is ${beta}; it needs a number > 0`, { beta });
    this.beta = beta;
  }

  override forward(x: Tensor): Tensor {
    return softplus(x, this.beta);
  }
}

/**
 * Maximum of each `pieces` neighbouring channels (Goodfellow et al. 2013). `[N, C * pieces, ...] -> [N, C, ...]`.
 * @throws ArgumentError unless `pieces` is a positive integer; in `forward` ShapeError when the channels do not divide by it
 */
export class Maxout extends Module {
  readonly pieces: number;

  constructor(pieces: number) {
    super();
    this.pieces = checkInteger("Maxout", "pieces", pieces);
  }

  override forward(x: Tensor): Tensor {
    const [n, c = 0, ...rest] = x.shape;
    if (n === undefined || c % this.pieces !== 0 || x.shape.length < 2) {
      throw new ShapeError(`Maxout: input has ${c} channels; they do not divide into pieces of ${this.pieces}`, {
        input: x.shape,
      });
    }
    return max(reshape(x, [n, c / this.pieces, this.pieces, ...rest]), { axes: 2 });
  }
}

/** e^x / sum e^x along `axis` (default the last). */
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }
}

/** Logarithm of the softmax along `axis` (default the last). */
export class LogSoftmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axis);
  }
}
