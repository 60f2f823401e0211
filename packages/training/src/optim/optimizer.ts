import type { Spec, Tensor } from "@ocelli/core";
import type { Named } from "../named.js";

/** One parameter's turn in the compiled step. */
export interface UpdateArgs {
  readonly name: string;
  readonly param: Tensor;
  readonly grad: Tensor;
  /** The optimizer's own tensors of this parameter, by slot. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** Numbers that vary from step to step: float32 scalars. */
  readonly scalars: Readonly<Record<string, Tensor>>;
}

export interface UpdateResult {
  readonly param: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/**
 * An update rule. It runs inside the compiled step: `update` builds graph, `scalars` gives the step's numbers on the host. Changing the
 * learning rate therefore compiles nothing.
 */
export interface Optimizer extends Named {
  /** Learning rate before any schedule. */
  readonly lr: number;
  /** Names and specs of the tensors it keeps for a parameter; all start at 0. */
  slots(param: Spec): Readonly<Record<string, Spec>>;
  /** The step's numbers. `step` counts from 1. The same names at every step. */
  scalars(step: number, lr: number): Readonly<Record<string, number>>;
  update(args: UpdateArgs): UpdateResult;
}
