import {
  ArgumentError,
  cast,
  concat,
  div,
  equal,
  greater,
  type Handle,
  isFloat,
  mean,
  mul,
  reshape,
  select,
  sqrt,
  sub,
  sum,
  Tensor,
  type Tensors,
  toNumbers,
  variance,
} from "@ocelli/core";
import type { TapRecord } from "@ocelli/layers";

export interface ParameterStatistics {
  readonly name: string;
  /** L2 norm of the gradient, before clipping. */
  readonly gradient: number;
  /** L2 norm of the parameter before the step. */
  readonly norm: number;
  /** L2 norm of what the step changed, divided by `norm` (0 where that is 0). About 1e-3 is common. */
  readonly update: number;
}

export interface ActivationStatistics {
  /** The module whose output it is; of one that is called more than once, `name#2` and so on. */
  readonly path: string;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  /** Share of elements that are 0: of a ReLU that is dead, 1. */
  readonly zeros: number;
}

export interface StatisticsRows {
  /** In the model's order; frozen ones are left out. */
  readonly parameters: readonly ParameterStatistics[];
  /** In the order of the forward pass. What a container merely hands on is listed once, under the module that made it. */
  readonly activations: readonly ActivationStatistics[];
}

/** The statistics of one step, float32 `[rows, 3]` on the device. */
export interface StatisticsHandle extends Handle {
  /** Waits for the step; the numbers with their names. */
  rows(): Promise<StatisticsRows>;
}

/** A step's parameters, in one order. */
export interface ObservedStep {
  readonly names: readonly string[];
  readonly params: readonly Tensor[];
  readonly grads: readonly Tensor[];
  /** New values of state, by qualified name. */
  readonly updates: Tensors;
}

/** Watches one step being built. */
export interface StepObserver {
  readonly tap: (record: TapRecord) => void;
  /** All statistics as one tensor. Called last. */
  tensor(step: ObservedStep): Tensor;
  named(handle: Handle): StatisticsHandle;
}

/** What of a step is to be measured. */
export interface StepStatistics {
  /** Steps with the same key measure the same. */
  readonly key: string;
  observe(): StepObserver;
}

export interface StepStatisticsOptions {
  /** Norms of gradients, parameters and updates. Default true. */
  readonly parameters?: boolean;
  /** Mean, deviation and zeros of every module's output. Default true. */
  readonly activations?: boolean;
}

/**
 * Gradient and activation statistics of the steps that ask for them; other steps cost nothing.
 * @throws ArgumentError when nothing is to be measured
 *
 * @example
 * const { statistics } = await step(batch, { statistics: stepStatistics() });
 * const { parameters, activations } = await statistics.rows();
 */
export function stepStatistics({ parameters = true, activations = true }: StepStatisticsOptions = {}): StepStatistics {
  if (!parameters && !activations) throw new ArgumentError("stepStatistics: neither parameters nor activations");
  return { key: `${parameters} ${activations}`, observe: () => observer(parameters, activations) };
}

function observer(parameters: boolean, activations: boolean): StepObserver {
  const outputs = new Map<Tensor, string>();
  const calls = new Map<string, number>();
  let names: readonly string[] = [];
  return {
    tap({ path, output }) {
      if (!activations || !(output instanceof Tensor) || !isFloat(output.dtype) || outputs.has(output)) return;
      const call = (calls.get(path) ?? 0) + 1;
      calls.set(path, call);
      outputs.set(output, call === 1 ? path : `${path}#${call}`);
    },
    tensor(step) {
      names = parameters ? step.names : [];
      const numbers = [
        ...names.map((_, i) => updateNumbers(step, i)),
        ...[...outputs.keys()].map(outputNumbers),
      ].flat();
      return reshape(
        concat(
          numbers.map((number) => reshape(number, [1])),
          0,
        ),
        [numbers.length / 3, 3],
      );
    },
    named: (handle) => ({
      spec: handle.spec,
      read: () => handle.read(),
      rows: async () => rowsOf(toNumbers(await handle.read()), names, [...outputs.values()]),
    }),
  };
}

const norm = (x: Tensor): Tensor => sqrt(sum(mul(x, x)));

function updateNumbers({ names, params, grads, updates }: ObservedStep, i: number): Tensor[] {
  const param = params[i] as Tensor;
  const next = updates[`params/${names[i]}`] ?? param;
  const size = norm(param);
  return [norm(grads[i] as Tensor), size, select(greater(size, 0), div(norm(sub(next, param)), size), 0)];
}

function outputNumbers(output: Tensor): Tensor[] {
  // Sums of many halves leave the range of float16.
  const values = cast(output, "float32");
  return [mean(values), sqrt(variance(values)), mean(cast(equal(values, 0), "float32"))];
}

function rowsOf(numbers: Float64Array, names: readonly string[], paths: readonly string[]): StatisticsRows {
  const row = (i: number): [number, number, number] =>
    [...numbers.subarray(3 * i, 3 * i + 3)] as [number, number, number];
  return {
    parameters: names.map((name, i) => {
      const [gradient, norm, update] = row(i);
      return { name, gradient, norm, update };
    }),
    activations: paths.map((path, i) => {
      const [mean, std, zeros] = row(names.length + i);
      return { path, mean, std, zeros };
    }),
  };
}
