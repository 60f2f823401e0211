import { add, div, maximum, mul, type Spec, sqrt, sub, type Tensor } from "@ocelli/core";
import type { Optimizer } from "./optimizer.js";
import { checkOptions } from "./options.js";

export interface RmspropOptions {
  readonly lr?: number;
  /** How much of the running square is kept a step. */
  readonly alpha?: number;
  readonly eps?: number;
  readonly momentum?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  /** Divides by an estimate of the gradient's variance instead of its square. */
  readonly centered?: boolean;
}

/**
 * RMSprop (Tieleman and Hinton 2012; centered: Graves 2013), PyTorch's form: `s = alpha * s + (1 - alpha) * g^2`,
 * `v = momentum * v + g / (sqrt(s) + eps)`, `p = p - lr * v`. TensorFlow's has eps under the root.
 * @throws ArgumentError for numbers out of range
 */
export function rmsprop({
  lr = 1e-2,
  alpha = 0.99,
  eps = 1e-8,
  momentum = 0,
  weightDecay = 0,
  centered = false,
}: RmspropOptions = {}): Optimizer {
  checkOptions("rmsprop", { lr, alpha, eps, momentum, weightDecay }, { alpha: 1 });
  return {
    name: "rmsprop",
    options: { lr, alpha, eps, momentum, weightDecay, centered },
    lr,
    slots: (param) => {
      const slots: Record<string, Spec> = { square_avg: param };
      if (centered) slots.grad_avg = param;
      if (momentum !== 0) slots.momentum_buffer = param;
      return slots;
    },
    scalars: (_, rate) => ({ lr: rate }),
    update({ param, grad, slots, scalars }) {
      const decayed = weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
      const average = (slot: string, value: Tensor): Tensor =>
        add(mul(slots[slot] as Tensor, alpha), mul(value, 1 - alpha));
      const next: Record<string, Tensor> = { square_avg: average("square_avg", mul(decayed, decayed)) };
      let spread = next.square_avg as Tensor;
      if (centered) {
        const mean = average("grad_avg", decayed);
        next.grad_avg = mean;
        // Rounding may leave a variance a little under 0, which has no root.
        spread = maximum(sub(spread, mul(mean, mean)), 0);
      }
      let direction = div(decayed, add(sqrt(spread), eps));
      if (momentum !== 0) {
        direction = add(mul(slots.momentum_buffer as Tensor, momentum), direction);
        next.momentum_buffer = direction;
      }
      return { param: sub(param, mul(scalars.lr as Tensor, direction)), slots: next };
    },
  };
}
