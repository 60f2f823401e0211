import { ArgumentError, add, mul, sub, type Tensor } from "@ocelli/core";
import type { Optimizer } from "./optimizer.js";
import { checkOptions } from "./options.js";

export interface SgdOptions {
  readonly lr: number;
  readonly momentum?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent, PyTorch's form: `v = momentum * v + (g + weightDecay * p)`, `p = p - lr * v`
 * (Nesterov: `p = p - lr * (g + momentum * v)`).
 * @throws ArgumentError for numbers out of range, or Nesterov without momentum
 */
export function sgd({ lr, momentum = 0, weightDecay = 0, nesterov = false }: SgdOptions): Optimizer {
  checkOptions("sgd", { lr, momentum, weightDecay });
  if (nesterov && momentum === 0) throw new ArgumentError("sgd: nesterov needs a momentum above 0");
  return {
    name: "sgd",
    options: { lr, momentum, weightDecay, nesterov },
    lr,
    slots: (param) => (momentum === 0 ? {} : { momentum_buffer: param }),
    scalars: (_, rate) => ({ lr: rate }),
    update({ param, grad, slots, scalars }) {
      const decayed = weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
      const rate = scalars.lr as Tensor;
      if (momentum === 0) return { param: sub(param, mul(rate, decayed)), slots: {} };
      const velocity = add(mul(slots.momentum_buffer as Tensor, momentum), decayed);
      const direction = nesterov ? add(decayed, mul(velocity, momentum)) : velocity;
      return { param: sub(param, mul(rate, direction)), slots: { momentum_buffer: velocity } };
    },
  };
}
