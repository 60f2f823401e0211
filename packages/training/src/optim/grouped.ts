import { ArgumentError, type Spec, type Tensor } from "@ocelli/core";
import { checkPatterns, checkUsed, globs } from "../glob.js";
import type { Options } from "../named.js";
import type { Optimizer } from "./optimizer.js";

/** Parameters that are trained in another way than the rest. */
export interface ParameterGroup {
  /** Names of the group's parameters: `features.*`, one or several. `*` stands for anything, dots too. Default: all names. */
  readonly match?: string | readonly string[];
  /** Only parameters of at most one dimension: biases, and what norms scale and shift by. Default false. */
  readonly vectors?: boolean;
  /** Factor on the learning rate. Default 1. */
  readonly lrFactor?: number;
  /** Options of the optimizer that differ here: `{ weightDecay: 0 }`. */
  readonly options?: Options;
}

/** A group as it is stored: nothing left undefined, `match` a list. */
type StoredGroup = Options & ParameterGroup;

interface Member {
  readonly patterns: readonly string[];
  readonly has: (name: string, param: Spec) => boolean;
  readonly lrFactor: number;
  readonly optimizer: Optimizer;
}

/**
 * An optimizer with parameter groups. A parameter belongs to the first group that fits it, or to none: `base` itself then trains it.
 * @throws ArgumentError for options that `base` has not got or does not take; when a step is made also for a pattern that no
 *   parameter's name fits
 *
 * @example
 * grouped(sgd({ lr: 0.1, weightDecay: 1e-4 }), [
 *   { vectors: true, options: { weightDecay: 0 } },
 *   { match: "features.*", lrFactor: 0.1 },
 * ]);
 */
export function grouped(base: Optimizer, groups: readonly ParameterGroup[]): Optimizer {
  if (!Array.isArray(groups)) throw new ArgumentError("grouped: the groups are no list");
  const stored = groups.map(storedGroup);
  const rest: Member = { patterns: [], has: () => true, lrFactor: 1, optimizer: base };
  const members = [...stored.map((group) => memberOf(base, group)), rest];
  const memberFor = (name: string, param: Spec): number => members.findIndex(({ has }) => has(name, param));
  return {
    name: "grouped",
    options: { base: { name: base.name, options: base.options }, groups: stored },
    lr: base.lr,
    with: (changes) => grouped(base.with(changes), groups),
    slots: (param, name) => (members[memberFor(name, param)] as Member).optimizer.slots(param, name),
    scalars: (step, lr) => {
      const named = members.flatMap(({ optimizer, lrFactor }, i) =>
        Object.entries(optimizer.scalars(step, lr * lrFactor)).map(([name, value]) => [`${i}.${name}`, value]),
      );
      return Object.fromEntries(named);
    },
    update(args) {
      const i = memberFor(args.name, args.param);
      const prefix = `${i}.`;
      const own = Object.entries(args.scalars).flatMap(([name, value]): [string, Tensor][] =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      );
      return (members[i] as Member).optimizer.update({ ...args, scalars: Object.fromEntries(own) });
    },
    check(parameters) {
      const names = [...parameters.keys()];
      for (const { patterns } of members) checkUsed("grouped", patterns, names);
      base.check?.(parameters);
    },
  };
}

/** No weight decay for biases and for what norms scale and shift by: everything of at most one dimension. */
export function withoutDecay(base: Optimizer): Optimizer {
  return grouped(base, [{ vectors: true, options: { weightDecay: 0 } }]);
}

/**
 * Layer-wise learning rates: the last of `layers` has the full rate, each one before `decay` times that of the next. What belongs to none
 * of them has the full rate.
 * @param layers patterns (or lists of them) from the input to the output: `["conv1.*", "layer1.*", "layer2.*", "fc.*"]`
 * @throws ArgumentError for a decay that is not in 0..1
 */
export function layerwise(base: Optimizer, layers: readonly (string | readonly string[])[], decay: number): Optimizer {
  if (!(decay > 0 && decay <= 1))
    throw new ArgumentError(`layerwise: decay is ${decay}; it needs a number above 0 and up to 1`, { decay });
  return grouped(
    base,
    layers.map((match, i) => ({ match, lrFactor: decay ** (layers.length - 1 - i) })),
  );
}

const groupFields: readonly string[] = ["match", "vectors", "lrFactor", "options"] satisfies (keyof ParameterGroup)[];

function storedGroup(given: ParameterGroup): StoredGroup {
  const strange = Object.keys(given ?? {}).find((field) => !groupFields.includes(field));
  if (strange !== undefined)
    throw new ArgumentError(
      `grouped: a group has no ${strange}; it has ${groupFields.join(", ")} (the learning rate's factor is lrFactor, the optimizer's options go into options)`,
      { field: strange },
    );
  const { match, vectors = false, lrFactor = 1, options = {} } = given;
  const patterns = typeof match === "string" ? [match] : match;
  if (patterns !== undefined) checkPatterns("grouped", patterns);
  if (typeof vectors !== "boolean" || (patterns === undefined && !vectors))
    throw new ArgumentError("grouped: a group needs `match` (names of parameters) or `vectors: true`");
  if (!(Number.isFinite(lrFactor) && lrFactor >= 0))
    throw new ArgumentError(`grouped: lrFactor is ${lrFactor}; it needs a finite number >= 0`, { lrFactor });
  if ("lr" in options)
    throw new ArgumentError("grouped: a group's learning rate is given as lrFactor, times the base's");
  return { ...(patterns === undefined ? {} : { match: patterns }), vectors, lrFactor, options };
}

function memberOf(base: Optimizer, { match, vectors, lrFactor = 1, options = {} }: StoredGroup): Member {
  const patterns = (match ?? []) as readonly string[];
  const fits = match === undefined ? () => true : globs(patterns);
  return {
    patterns,
    has: (name, { shape }) => (!vectors || shape.length <= 1) && fits(name),
    lrFactor,
    optimizer: base.with(options),
  };
}
