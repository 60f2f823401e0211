import { add, div, mul, sqrt, sub, type Tensor } from "@ocelli/core";
import type { Optimizer } from "./optimizer.js";
import { checkOptions } from "./options.js";

export interface AdamOptions {
  readonly lr?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
}

/** Adam (Kingma and Ba 2015) with bias correction, PyTorch's form: `p = p - lr / bias1 * m / (sqrt(v) / sqrt(bias2) + eps)`. */
export function adam({
  lr = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
  weightDecay = 0,
}: AdamOptions = {}): Optimizer {
  checkOptions("adam", { lr, beta1, beta2, eps, weightDecay }, { beta1: 1, beta2: 1 });
  return {
    name: "adam",
    options: { lr, beta1, beta2, eps, weightDecay },
    lr,
    slots: (param) => ({ exp_avg: param, exp_avg_sq: param }),
    scalars: (step, rate) => ({ stepSize: rate / (1 - beta1 ** step), correction: 1 / Math.sqrt(1 - beta2 ** step) }),
    update({ param, grad, slots, scalars }) {
      const decayed = weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
      const mean = add(mul(slots.exp_avg as Tensor, beta1), mul(decayed, 1 - beta1));
      const square = add(mul(slots.exp_avg_sq as Tensor, beta2), mul(mul(decayed, decayed), 1 - beta2));
      const scale = add(mul(sqrt(square), scalars.correction as Tensor), eps);
      return {
        param: sub(param, mul(scalars.stepSize as Tensor, div(mean, scale))),
        slots: { exp_avg: mean, exp_avg_sq: square },
      };
    },
  };
}
