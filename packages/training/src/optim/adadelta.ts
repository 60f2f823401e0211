import { add, div, mul, sqrt, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

export interface AdadeltaOptions {
  readonly lr?: number;
  /** How much of both running squares is kept a step. */
  readonly rho?: number;
  readonly eps?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
}

/**
 * Adadelta (Zeiler 2012), PyTorch's form: `s = rho * s + (1 - rho) * g^2`, `d = sqrt(u + eps) / sqrt(s + eps) * g`,
 * `u = rho * u + (1 - rho) * d^2`, `p = p - lr * d`.
 * @throws ArgumentError for numbers out of range
 */
export function adadelta({ lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 }: AdadeltaOptions = {}): Optimizer {
  const options = { lr, rho, eps, weightDecay };
  checkOptions("adadelta", options, { rho: 1 });
  // PyTorch's `square_avg` is `(1 - rho) * square_sum`, `acc_delta` likewise. The factors cancel, but for eps.
  const shift = eps / (1 - rho);
  return optimizer("adadelta", adadelta, options, {
    slots: (param) => ({ square_sum: param, delta_sum: param }),
    scalars: (_, rate) => ({ lr: rate }),
    update({ param, grad, slots, scalars }) {
      const decayed = penalized(grad, param, weightDecay);
      const squares = fading(slots.square_sum as Tensor, mul(decayed, decayed), rho);
      const before = slots.delta_sum as Tensor;
      // One root of the quotient, where two roots would be a pass more.
      const delta = mul(sqrt(div(add(before, shift), add(squares, shift))), decayed);
      return {
        param: sub(param, mul(scalars.lr as Tensor, delta)),
        slots: { square_sum: squares, delta_sum: fading(before, mul(delta, delta), rho) },
      };
    },
  });
}
