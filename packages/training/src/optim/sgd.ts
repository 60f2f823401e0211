import { ArgumentError, add, mul, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

export interface SgdOptions {
  readonly lr: number;
  readonly momentum?: number;
  /** Share of the gradient that does not enter the momentum, but for the first one. */
  readonly dampening?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent, PyTorch's form: `v = momentum * v + (1 - dampening) * (g + weightDecay * p)`, `p = p - lr * v`
 * (Nesterov: `p = p - lr * (g + momentum * v)`). With momentum 0 it is plain gradient descent.
 * @throws ArgumentError for numbers out of range, or Nesterov without momentum or with dampening
 */
export function sgd({ lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }: SgdOptions): Optimizer {
  checkOptions("sgd", { lr, momentum, dampening, weightDecay }, {}, { nesterov });
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw new ArgumentError("sgd: nesterov needs a momentum above 0, and no dampening");
  const damped = momentum !== 0 && dampening !== 0;
  return optimizer(
    "sgd",
    sgd,
    { lr, momentum, dampening, weightDecay, nesterov },
    {
      slots: (param) => (momentum === 0 ? {} : { momentum_buffer: param }),
      // PyTorch's momentum begins with the first gradient, whole.
      scalars: (step, rate) => (damped ? { lr: rate, fresh: step === 1 ? 1 : 1 - dampening } : { lr: rate }),
      update({ param, grad, slots, scalars }) {
        const rate = scalars.lr as Tensor;
        const decayed = penalized(grad, param, weightDecay);
        if (momentum === 0) return { param: sub(param, mul(rate, decayed)), slots: {} };
        const fresh = damped ? mul(scalars.fresh as Tensor, decayed) : decayed;
        const velocity = fading(slots.momentum_buffer as Tensor, fresh, momentum);
        const direction = nesterov ? add(decayed, mul(velocity, momentum)) : velocity;
        return { param: sub(param, mul(rate, direction)), slots: { momentum_buffer: velocity } };
      },
    },
  );
}
