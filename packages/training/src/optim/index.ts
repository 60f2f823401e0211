import { ArgumentError } from "@ocelli/core";
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
export function makeOptimizer(name: string, options: Readonly<Record<string, number | boolean>>): Optimizer {
  if (!Object.hasOwn(optimizers, name)) {
    throw new ArgumentError(`optimizer: "${name}" is unknown; there are ${Object.keys(optimizers).join(", ")}`);
  }
  return (optimizers[name as OptimizerName] as (given: object) => Optimizer)(options);
}
