import { add, div, maximum, mul, type Spec, sqrt, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

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
  const options = { lr, alpha, eps, momentum, weightDecay, centered };
  checkOptions("rmsprop", { lr, alpha, eps, momentum, weightDecay }, { alpha: 1 }, { centered });
  // PyTorch's `square_avg` is `(1 - alpha) * square_sum`, `grad_avg` likewise, and its momentum this one divided by the root.
  const share = 1 - alpha;
  const root = Math.sqrt(share);
  return optimizer("rmsprop", rmsprop, options, {
    slots: (param) => {
      const slots: Record<string, Spec> = { square_sum: param };
      if (centered) slots.grad_sum = param;
      if (momentum !== 0) slots.momentum_buffer = param;
      return slots;
    },
    scalars: (_, rate) => ({ lr: rate / root }),
    update({ param, grad, slots, scalars }) {
      const decayed = penalized(grad, param, weightDecay);
      const squares = fading(slots.square_sum as Tensor, mul(decayed, decayed), alpha);
      const next: Record<string, Tensor> = { square_sum: squares };
      let spread = squares;
      if (centered) {
        const sum = fading(slots.grad_sum as Tensor, decayed, alpha);
        next.grad_sum = sum;
        // Rounding may leave a variance a little under 0, which has no root.
        spread = maximum(sub(spread, mul(mul(sum, sum), share)), 0);
      }
      let direction = div(decayed, add(sqrt(spread), eps / root));
      if (momentum !== 0) {
        direction = fading(slots.momentum_buffer as Tensor, direction, momentum);
        next.momentum_buffer = direction;
      }
      return { param: sub(param, mul(scalars.lr as Tensor, direction)), slots: next };
    },
  });
}
