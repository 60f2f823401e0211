import { add, div, maximum, mul, sqrt, sub, type Tensor } from "@ocelli/core";
import { type Optimizer, optimizer, type Slot, type UpdateArgs, type UpdateResult } from "./optimizer.js";
import { checkOptions, fading, penalized } from "./options.js";

export interface AdamOptions {
  readonly lr?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay?: number;
  /** Divides by the largest running square so far, not by the present one. */
  readonly amsgrad?: boolean;
}

export interface AdamWOptions extends Omit<AdamOptions, "weightDecay"> {
  /** Share of each parameter, times the learning rate, that a step takes away. Default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2015) with bias correction, PyTorch's form: `p = p - lr / bias1 * m / (sqrt(v) / sqrt(bias2) + eps)`; AMSGrad
 * (Reddi et al. 2018) by option.
 * @throws ArgumentError for numbers out of range
 */
export function adam({
  lr = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
  weightDecay = 0,
  amsgrad = false,
}: AdamOptions = {}): Optimizer {
  const options = checked("adam", { lr, beta1, beta2, eps, weightDecay, amsgrad });
  return optimizer("adam", adam, options, {
    slots: (param) => moments(param, amsgrad),
    scalars: (step, rate) => stepSizes(step, rate, options),
    update: (args) => moved(args, penalized(args.grad, args.param, weightDecay), options),
  });
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), PyTorch's form: `p = p * (1 - lr * weightDecay)`, then Adam's step of the
 * gradient alone.
 * @throws ArgumentError for numbers out of range
 */
export function adamw({
  lr = 1e-3,
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
  weightDecay = 1e-2,
  amsgrad = false,
}: AdamWOptions = {}): Optimizer {
  const options = checked("adamw", { lr, beta1, beta2, eps, weightDecay, amsgrad });
  return optimizer("adamw", adamw, options, {
    slots: (param) => moments(param, amsgrad),
    scalars: (step, rate) => ({ ...stepSizes(step, rate, options), kept: 1 - rate * weightDecay }),
    update: (args) => {
      const param = weightDecay === 0 ? args.param : mul(args.param, args.scalars.kept as Tensor);
      return moved({ ...args, param }, args.grad, options);
    },
  });
}

type Checked = Required<AdamOptions> & { readonly [name: string]: number | boolean };

function checked(where: string, { amsgrad, ...numbers }: Required<AdamOptions>): Checked {
  checkOptions(where, numbers, { beta1: 1, beta2: 1 }, { amsgrad });
  return { ...numbers, amsgrad };
}

/** PyTorch's `exp_avg` is `(1 - beta1) * exp_sum`, and so on. */
const moments = (param: Slot, amsgrad: boolean): Record<string, Slot> =>
  amsgrad ? { exp_sum: param, exp_sum_sq: param, max_exp_sum_sq: param } : { exp_sum: param, exp_sum_sq: param };

/**
 * All factors multiplied out, from `m = (1 - beta1) * M` and `v = (1 - beta2) * V`: what is left to each element is
 * `p - stepSize * M / (sqrt(V) + eps)`.
 */
function stepSizes(
  step: number,
  rate: number,
  { beta1, beta2, eps }: Checked,
): { readonly stepSize: number; readonly eps: number } {
  const root = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
  return { stepSize: (rate * root * (1 - beta1)) / (1 - beta1 ** step), eps: eps * root };
}

function moved({ param, slots, scalars }: UpdateArgs, grad: Tensor, { beta1, beta2, amsgrad }: Checked): UpdateResult {
  const first = fading(slots.exp_sum as Tensor, grad, beta1);
  const second = fading(slots.exp_sum_sq as Tensor, mul(grad, grad), beta2);
  const largest = amsgrad ? maximum(slots.max_exp_sum_sq as Tensor, second) : second;
  const direction = div(first, add(sqrt(largest), scalars.eps as Tensor));
  const next = { exp_sum: first, exp_sum_sq: second };
  return {
    param: sub(param, mul(scalars.stepSize as Tensor, direction)),
    slots: amsgrad ? { ...next, max_exp_sum_sq: largest } : next,
  };
}
