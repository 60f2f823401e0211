import {
  abs,
  add,
  erf,
  exp,
  greater,
  less,
  log,
  maximum,
  mul,
  select,
  sigmoid,
  sub,
  tanh,
} from "../ops/elementwise.js";
import type { Tensor } from "../tensor.js";

/** x for x > 0, slope * x otherwise (Maas et al. 2013). */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return select(greater(x, 0), x, mul(x, slope));
}

/** x for x > 0, alpha * (e^x - 1) otherwise (Clevert et al. 2015). */
export function elu(x: Tensor, alpha = 1): Tensor {
  const positive = greater(x, 0);
  // Chosen rather than minimum(x, 0), whose tie would halve the gradient at 0.
  return select(positive, x, mul(sub(exp(select(positive, 0, x)), 1), alpha));
}

/** Scaled ELU with the constants of Klambauer et al. 2017. */
export function selu(x: Tensor): Tensor {
  return mul(elu(x, 1.6732632423543772), 1.0507009873554805);
}

/** x * P(normal <= x) (Hendrycks and Gimpel 2016), by erf or by the paper's tanh approximation. */
export function gelu(x: Tensor, { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {}): Tensor {
  const gate =
    approximate === "tanh"
      ? tanh(mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, mul(x, x))))))
      : erf(mul(x, Math.SQRT1_2));
  return mul(mul(x, 0.5), add(gate, 1));
}

/** x * sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return mul(x, sigmoid(x));
}

/** log(1 + e^(beta x)) / beta, without overflow. */
export function softplus(x: Tensor, beta = 1): Tensor {
  const z = mul(x, beta);
  const tail = log(add(1, exp(mul(-1, abs(z)))));
  // maximum, not relu: at 0 its tie gives half the gradient, which is softplus's own slope there.
  return mul(add(maximum(z, 0), tail), 1 / beta);
}

/** x clipped to low..high; the gradient is 1 inside and at the bounds, 0 outside. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  return select(less(x, low), low, select(greater(x, high), high, x));
}
