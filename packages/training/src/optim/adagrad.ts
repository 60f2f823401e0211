import { add, div, mul, sqrt, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, penalized } from "./options.js";

export interface AdagradOptions {
  readonly lr?: number;
  /** The rate of step t is `lr / (1 + (t - 1) * lrDecay)`. */
  readonly lrDecay?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  /** What the sum of squares starts at. */
  readonly initialAccumulatorValue?: number;
  readonly eps?: number;
}

/**
 * Adagrad (Duchi, Hazan, Singer 2011), PyTorch's form: `s = s + g^2`, `p = p - rate * g / (sqrt(s) + eps)`.
 * @throws ArgumentError for numbers out of range
 */
export function adagrad({
  lr = 1e-2,
  lrDecay = 0,
  weightDecay = 0,
  initialAccumulatorValue = 0,
  eps = 1e-10,
}: AdagradOptions = {}): Optimizer {
  const options = { lr, lrDecay, weightDecay, initialAccumulatorValue, eps };
  checkOptions("adagrad", options);
  return optimizer("adagrad", adagrad, options, {
    slots: ({ shape, dtype }) => ({ sum: { shape, dtype, initial: initialAccumulatorValue } }),
    scalars: (step, rate) => ({ lr: rate / (1 + (step - 1) * lrDecay) }),
    update({ param, grad, slots, scalars }) {
      const decayed = penalized(grad, param, weightDecay);
      const sum = add(slots.sum as Tensor, mul(decayed, decayed));
      const direction = div(decayed, add(sqrt(sum), eps));
      return { param: sub(param, mul(scalars.lr as Tensor, direction)), slots: { sum } };
    },
  });
}
