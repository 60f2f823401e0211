import { makeNamed, type Named } from "../named.js";
import { adadelta } from "./adadelta.js";
import { adagrad } from "./adagrad.js";
import { adam, adamw } from "./adam.js";
import { grouped, type ParameterGroup } from "./grouped.js";
import { lars } from "./lars.js";
import { nadam } from "./nadam.js";
import type { Optimizer } from "./optimizer.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";

export { type AdadeltaOptions, adadelta } from "./adadelta.js";
export { type AdagradOptions, adagrad } from "./adagrad.js";
export { type AdamOptions, type AdamWOptions, adam, adamw } from "./adam.js";
export { grouped, layerwise, type ParameterGroup, withoutDecay } from "./grouped.js";
export { type LarsOptions, lars } from "./lars.js";
export { type NadamOptions, nadam } from "./nadam.js";
export type { Optimizer, Slot, UpdateArgs, UpdateResult } from "./optimizer.js";
export { type RmspropOptions, rmsprop } from "./rmsprop.js";
export { type SgdOptions, sgd } from "./sgd.js";

/** Every optimizer, by the name that checkpoints and the command line use. */
export const optimizers = { sgd, adagrad, rmsprop, adadelta, adam, adamw, nadam, lars } as const;

export type OptimizerName = keyof typeof optimizers;

/** {@link grouped} from its own options. */
const fromStored = ({
  base,
  groups,
}: {
  readonly base: Named;
  readonly groups: readonly ParameterGroup[];
}): Optimizer => grouped(makeOptimizer(base), groups);

/**
 * An optimizer from its name and options, as a checkpoint stores them: one of {@link optimizers}, or `grouped`.
 * @throws ArgumentError for an unknown name or option
 */
export function makeOptimizer(given: Named): Optimizer {
  return makeNamed("optimizer", { ...optimizers, grouped: fromStored }, given);
}
