import {
  ArgumentError,
  add,
  equal,
  isFloat,
  mul,
  type Spec,
  type StateDict,
  StateError,
  select,
  sub,
  type Tensor,
} from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";

/** A tensor of the state that is an average. */
export interface AverageEntry extends Spec {
  /** Qualified name of what it is an average of, and begins as. */
  readonly from: string;
}

/**
 * An average of the parameters over the steps, which often generalises better than the last of them. It lives in the state's collection
 * `ema`, beside what is trained. The running statistics of batch-norm (all buffers of floats) are averaged with them.
 */
export interface Average extends Named {
  /** Share of the new parameters in the average after step `step` (from 1). 0 leaves the average as it is. */
  weight(step: number): number;
  /** What it keeps, by qualified name. */
  entries(parameters: ReadonlyMap<string, Spec>, buffers: ReadonlyMap<string, Spec>): Record<string, AverageEntry>;
  /** The average with `value` in it, by a scalar `weight`. */
  blend(average: Tensor, value: Tensor, weight: Tensor): Tensor;
}

const common: Pick<Average, "entries" | "blend"> = {
  entries(parameters, buffers) {
    const found: Record<string, AverageEntry> = {};
    for (const [collection, specs] of Object.entries({ params: parameters, buffers })) {
      for (const [name, { shape, dtype }] of specs)
        if (isFloat(dtype)) found[`ema/${name}`] = { shape, dtype, from: `${collection}/${name}` };
    }
    return found;
  },
  // Not `average * (1 - weight) + value * weight`: with a weight of 1e-4 the rounding of both factors alone is an error of 1e-4.
  blend: (average, value, weight) => select(equal(weight, 1), value, add(average, mul(weight, sub(value, average)))),
};

export interface EmaOptions {
  /** Share of the average that a step keeps: 0.999 averages over about 1000 steps. */
  readonly decay: number;
  /** Keeps at most `(1 + step) / (10 + step)`, so that early parameters are soon forgotten. Default false. */
  readonly warmup?: boolean;
}

/**
 * Exponential moving average (Polyak and Juditsky 1992): `average = decay * average + (1 - decay) * p` after each step. It begins with the
 * parameters as they are before the first.
 * @throws ArgumentError unless 0 <= decay < 1
 */
export function ema({ decay, warmup = false }: EmaOptions): Average {
  if (!(decay >= 0 && decay < 1))
    throw new ArgumentError(`ema: decay is ${decay}; it needs a number in 0..1 (exclusive)`, { decay });
  return {
    name: "ema",
    options: { decay, warmup },
    weight: (step) => 1 - (warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay),
    ...common,
  };
}

export interface SwaOptions {
  /** The first step whose parameters count. */
  readonly start: number;
  /** Steps from one that counts to the next. Default 1. */
  readonly every?: number;
}

/**
 * Stochastic weight averaging (Izmailov et al. 2018): the plain mean of the parameters after the steps `start`, `start + every` ... Before
 * the first of them the average follows the parameters, so that it may be evaluated at any time. Statistics of batch-norm are averaged, not estimated again
 * (PyTorch's `use_buffers`).
 * @throws ArgumentError unless `start` and `every` are whole numbers above 0
 */
export function swa({ start, every = 1 }: SwaOptions): Average {
  for (const [name, value] of Object.entries({ start, every })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new ArgumentError(`swa: ${name} is ${value}; it needs a whole number of steps, 1 or more`, { [name]: value });
  }
  return {
    name: "swa",
    options: { start, every },
    weight(step) {
      if (step < start) return 1;
      return (step - start) % every === 0 ? 1 / ((step - start) / every + 1) : 0;
    },
    ...common,
  };
}

/** Every average, by the name that checkpoints use. */
export const averages = { ema, swa } as const;

/** An average from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeAverage(given: Named): Average {
  return makeNamed("average", averages, given);
}

/**
 * A state's parameters and buffers with the averages in their place, for evaluation, prediction and export. What has no average (frozen
 * parameters, counts) stays as it is; the other collections are left out.
 * @throws StateError when the state holds no averages
 */
export function averagedValues({ ema: averages, params = {}, buffers = {} }: StateDict): StateDict {
  if (averages === undefined)
    throw new StateError("averagedValues: the state has no collection ema; train it with the option average");
  const replaced = (entries: StateDict[string]): StateDict[string] =>
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, averages[name] ?? value]));
  return { params: replaced(params), buffers: replaced(buffers) };
}
