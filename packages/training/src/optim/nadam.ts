import { add, div, mul, sqrt, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

export interface NadamOptions {
  readonly lr?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  /** How fast the momentum grows towards `beta1`. */
  readonly momentumDecay?: number;
}

/**
 * NAdam: Adam with Nesterov's momentum (Dozat 2016), PyTorch's form. With `mu(t) = beta1 * (1 - 0.96^(t * momentumDecay) / 2)` and `M` the
 * product of all `mu` so far: `p = p - lr * ((1 - mu(t)) / (1 - M) * g + mu(t + 1) / (1 - M * mu(t + 1)) * m) / (sqrt(v / bias2) + eps)`.
 * @throws ArgumentError for numbers out of range
 */
export function nadam({
  lr = 2e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
  weightDecay = 0,
  momentumDecay = 4e-3,
}: NadamOptions = {}): Optimizer {
  const options = { lr, beta1, beta2, eps, weightDecay, momentumDecay };
  checkOptions("nadam", options, { beta1: 1, beta2: 1 });
  const momentum = (step: number): number => beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
  return optimizer("nadam", nadam, options, {
    // PyTorch's `exp_avg` is `(1 - beta1) * exp_sum`, `exp_avg_sq` likewise.
    slots: (param) => ({ exp_sum: param, exp_sum_sq: param }),
    scalars: (step, rate) => {
      const next = momentum(step + 1);
      const product = productOf(momentum, step);
      const root = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
      return {
        ofGradient: (rate * root * (1 - momentum(step))) / (1 - product),
        ofSum: (rate * root * next * (1 - beta1)) / (1 - product * next),
        eps: eps * root,
      };
    },
    update({ param, grad, slots, scalars }) {
      const decayed = penalized(grad, param, weightDecay);
      const first = fading(slots.exp_sum as Tensor, decayed, beta1);
      const second = fading(slots.exp_sum_sq as Tensor, mul(decayed, decayed), beta2);
      const direction = add(mul(decayed, scalars.ofGradient as Tensor), mul(first, scalars.ofSum as Tensor));
      return {
        param: sub(param, div(direction, add(sqrt(second), scalars.eps as Tensor))),
        slots: { exp_sum: first, exp_sum_sq: second },
      };
    },
  });
}

/** `factor(1) * ... * factor(count)`, of factors below 1. Once 1 minus the product is 1, the rest changes nothing: late steps are cheap. */
function productOf(factor: (step: number) => number, count: number): number {
  let product = 1;
  for (let step = 1; step <= count && product > 2 ** -54; step++) product *= factor(step);
  return product;
}
