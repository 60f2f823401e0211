import type { Spec, Tensor } from "@ocelli/core";
import { checkOptionNames, type Named, type Options } from "../named.js";

/** A tensor that an optimizer keeps for a parameter. */
export interface Slot extends Spec {
  /** What every element starts at. Default 0. */
  readonly initial?: number;
}

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
  /** Names and specs of the tensors it keeps for the parameter `name`. */
  slots(param: Spec, name: string): Readonly<Record<string, Slot>>;
  /** The step's numbers, a pure function of both: a resumed run has them again. `step` counts from 1. The same names at every step. */
  scalars(step: number, lr: number): Readonly<Record<string, number>>;
  update(args: UpdateArgs): UpdateResult;
  /** The same rule with some of its options changed. @throws ArgumentError for options that it has not got */
  with(changes: Options): Optimizer;
  /** Whether it fits a model: told of all parameters when a step is made. @throws ArgumentError when it does not */
  check?(parameters: ReadonlyMap<string, Spec>): void;
}

/** What is particular to a rule. */
type Rule = Pick<Optimizer, "slots" | "scalars" | "update">;

/** An optimizer whose options are those of the function that makes it. */
export function optimizer<Given extends Options & { readonly lr: number }>(
  name: string,
  make: (options: Given) => Optimizer,
  options: Given,
  rule: Rule,
): Optimizer {
  return {
    name,
    options,
    lr: options.lr,
    ...rule,
    with: (changes) => {
      checkOptionNames({ name, options }, changes);
      return make({ ...options, ...changes });
    },
  };
}
