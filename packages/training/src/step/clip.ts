import { ArgumentError, add, div, maximum, minimum, mul, sqrt, sum, type Tensor, type Tensors } from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";

/** What happens to the gradients of all parameters before the optimizer sees them. */
export interface Clip extends Named {
  apply(grads: readonly Tensor[]): {
    readonly grads: readonly Tensor[];
    /** Scalars that the step reports. */
    readonly reported?: Tensors;
  };
}

export interface ClipOptions {
  readonly max: number;
}

function maxOf(where: string, given: number | ClipOptions): number {
  const max = typeof given === "object" && given !== null ? given.max : given;
  if (Number.isFinite(max) && max > 0) return max;
  throw new ArgumentError(`${where}: max is ${max}; it needs a finite number above 0`, { max });
}

/**
 * Scales all gradients by one factor such that their common L2 norm is at most `max` (Pascanu et al. 2013), as PyTorch's
 * `clip_grad_norm_` does: times `min(1, max / (norm + 1e-6))`. The step reports the norm before as `gradientNorm`.
 * @throws ArgumentError unless `max` is a number above 0
 */
export function clipNorm(given: number | ClipOptions): Clip {
  const max = maxOf("clipNorm", given);
  return {
    name: "clipNorm",
    options: { max },
    apply(grads) {
      const gradientNorm = sqrt(grads.map((grad) => sum(mul(grad, grad))).reduce((a, b) => add(a, b)));
      const factor = minimum(div(max, add(gradientNorm, 1e-6)), 1);
      return { grads: grads.map((grad) => mul(grad, factor)), reported: { gradientNorm } };
    },
  };
}

/**
 * Brings each element of each gradient into `-max..max`, as PyTorch's `clip_grad_value_` does.
 * @throws ArgumentError unless `max` is a number above 0
 */
export function clipValue(given: number | ClipOptions): Clip {
  const max = maxOf("clipValue", given);
  return {
    name: "clipValue",
    options: { max },
    apply: (grads) => ({ grads: grads.map((grad) => maximum(minimum(grad, max), -max)) }),
  };
}

/** Every way to clip, by the name that checkpoints use. */
export const clips = { clipNorm, clipValue } as const;

/** A clip from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeClip(given: Named): Clip {
  return makeNamed("clip", clips, given);
}
