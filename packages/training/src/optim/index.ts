import { makeNamed, type Named } from "../named.js";
import { adam } from "./adam.js";
import type { Optimizer } from "./optimizer.js";
import { rmsprop } from "./rmsprop.js";
import { sgd } from "./sgd.js";

export { type AdamOptions, adam } from "./adam.js";
export type { Optimizer, UpdateArgs, UpdateResult } from "./optimizer.js";
export { type RmspropOptions, rmsprop } from "./rmsprop.js";
export { type SgdOptions, sgd } from "./sgd.js";

/** Every optimizer, by the name that checkpoints and the command line use. */
export const optimizers = { sgd, adam, rmsprop } as const;

export type OptimizerName = keyof typeof optimizers;

/** An optimizer from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeOptimizer(given: Named): Optimizer {
  return makeNamed("optimizer", optimizers, given);
}
