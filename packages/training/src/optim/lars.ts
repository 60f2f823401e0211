import { ArgumentError, add, div, equal, mul, select, sqrt, sub, sum, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

export interface LarsOptions {
  readonly lr: number;
  readonly momentum?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  /** The paper's eta: how far a layer trusts its gradient. */
  readonly trustCoefficient?: number;
  /** Added to the norms that are divided by. */
  readonly eps?: number;
  /** Scales each parameter's rate by its norms (default). Biases and norms are commonly left out: {@link grouped} by `vectors`. */
  readonly adapt?: boolean;
}

/**
 * Layer-wise adaptive rate scaling for large batches (You, Gitman, Ginsburg 2017, algorithm 1), for each parameter:
 * `rate = lr * trustCoefficient * |p| / (|g| + weightDecay * |p| + eps)`, `v = momentum * v + rate * (g + weightDecay * p)`, `p = p - v`.
 * Where `|p|` or `|g|` is 0, or without `adapt`, `rate = lr`. The norms are L2; the rate is part of the momentum, as in the paper.
 * @throws ArgumentError for numbers out of range
 */
export function lars({
  lr,
  momentum = 0.9,
  weightDecay = 0,
  trustCoefficient = 1e-3,
  eps = 1e-8,
  adapt = true,
}: LarsOptions): Optimizer {
  checkOptions("lars", { lr, momentum, weightDecay, trustCoefficient, eps }, {}, { adapt });
  if (trustCoefficient === 0) throw new ArgumentError("lars: trustCoefficient is 0; it needs a number above 0");
  const options = { lr, momentum, weightDecay, trustCoefficient, eps, adapt };
  const trust = (param: Tensor, grad: Tensor): Tensor => {
    const [ofParam, ofGrad] = [norm(param), norm(grad)];
    const scale = add(add(ofGrad, mul(ofParam, weightDecay)), eps);
    const ratio = div(mul(ofParam, trustCoefficient), scale);
    return select(equal(ofParam, 0), 1, select(equal(ofGrad, 0), 1, ratio));
  };
  return optimizer("lars", lars, options, {
    slots: (param) => (momentum === 0 ? {} : { momentum_buffer: param }),
    scalars: (_, rate) => ({ lr: rate }),
    update({ param, grad, slots, scalars }) {
      const lr = scalars.lr as Tensor;
      const rate = adapt ? mul(lr, trust(param, grad)) : lr;
      const move = mul(penalized(grad, param, weightDecay), rate);
      if (momentum === 0) return { param: sub(param, move), slots: {} };
      const velocity = fading(slots.momentum_buffer as Tensor, move, momentum);
      return { param: sub(param, velocity), slots: { momentum_buffer: velocity } };
    },
  });
}

const norm = (x: Tensor): Tensor => sqrt(sum(mul(x, x)));
