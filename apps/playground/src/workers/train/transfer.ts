import { ArgumentError, type HostTensor, type Shape, type StateDict, sameShape } from "@ocelli/core";
import { flattenStateDict, inventory, loadStateDict } from "@ocelli/layers";
import { trainedNames } from "@ocelli/training";
import { type BuiltModel, buildModel } from "../../model/build.js";
import { judged } from "../../model/judged.js";
import type { Beginning, Origin } from "../../model/training.js";
import type { SavedNetwork } from "../../store/networks.js";
import { aboutSaved, readSaved } from "../../store/saved.js";
import type { GivenBeginning } from "./api.js";

/** The network that is to be trained. */
export interface Target {
  readonly built: BuiltModel;
  readonly classes: readonly string[];
}

type Source = Pick<SavedNetwork, "title" | "spec" | "classes">;

/** What a training would begin from: by names and shapes alone, no value is read. @throws as {@link compared}; ArgumentError when the network is gone; StorageError */
export async function plannedOrigin({ source, headOnly }: GivenBeginning, target: Target): Promise<Origin> {
  return { ...compared(await aboutSaved(source), target, headOnly), network: source.id, headOnly };
}

/** What a training begins from, with the values for its first step. @throws as {@link plannedOrigin}, FormatError */
export async function openOrigin(
  { source, headOnly }: GivenBeginning,
  target: Target,
  seed: number,
): Promise<{ readonly origin: Origin; readonly values: StateDict }> {
  const about = await aboutSaved(source);
  const origin = { ...compared(about, target, headOnly), network: source.id, headOnly };
  const values = judged((await readSaved(source, "best")).values);
  return { origin, values: begunFrom({ source: about, values }, { target, fresh: origin.fresh, seed }) };
}

/**
 * Which tensors of a network can be taken for another one: those of the same name and shape. The head is new where the classes are others,
 * though there may be as many of them.
 * @throws ArgumentError when none can; with `headOnly` also when something before the head would be new, or nothing would be left to train
 */
export function compared(source: Source, target: Target, headOnly: boolean): Omit<Origin, keyof Beginning> {
  const { built, classes } = target;
  const given = inventory(buildModel(source.spec).model).slots;
  const { slots } = inventory(built.model);
  const sameClasses =
    source.classes.length === classes.length && classes.every((name, i) => name === source.classes[i]);
  const isNew = ([name, { shape }]: readonly [string, { readonly shape: Shape }]): boolean => {
    const found = given.get(name);
    return found === undefined || !sameShape(found.shape, shape) || (!sameClasses && isOfHead(built, name));
  };
  const fresh = [...slots].filter(isNew).map(([name]) => name);
  if (fresh.length === slots.size) throw nothingFits(source, built);
  if (headOnly) checkHead(built, fresh);
  return { title: source.title, taken: slots.size - fresh.length, of: slots.size, fresh };
}

function nothingFits({ title, spec }: Source, { model }: BuiltModel): ArgumentError {
  const given = inventory(buildModel(spec).model).slots;
  const all = [...inventory(model).slots];
  const [name, { shape }] = all.find(([one]) => given.has(one)) ?? (all[0] as (typeof all)[number]);
  const there = given.get(name)?.shape;
  const size = (dims: Shape): string => `[${dims.join(", ")}]`;
  const other = there === undefined ? "there is no tensor of that name there" : `there it is ${size(there)}`;
  return new ArgumentError(
    `Nothing can be taken from ${title}: no tensor agrees in name and shape. Here, ${name} is ${size(shape)}; ${other}. Choose the same architecture, or begin from fresh values.`,
    { name },
  );
}

function checkHead(built: BuiltModel, fresh: readonly string[]): void {
  const before = fresh.filter((name) => !isOfHead(built, name));
  if (before.length > 0)
    throw new ArgumentError(
      `The head alone cannot be trained: what comes before it would stay as chance made it (${before.slice(0, 3).join(", ")}${before.length > 3 ? " ..." : ""} cannot be taken). Train all of the network.`,
      { before },
    );
  if (trainedNames(built.model, allButHead(built)).length === 0)
    throw new ArgumentError(
      "The head alone cannot be trained: there is nothing to learn in it. Train all of the network.",
    );
}

const isOfHead = ({ head }: BuiltModel, name: string): boolean =>
  head !== undefined && (name === head || name.startsWith(`${head}.`));

/** Patterns as for `freeze`, which leave the head to be trained: few and short, the outermost modules that do not hold it. */
export function allButHead(built: BuiltModel): string[] {
  const head = built.head?.split(".") ?? [];
  const outside = [...inventory(built.model).slots.keys()].filter((name) => !isOfHead(built, name));
  const patterns = outside.map((name) => {
    const path = name.split(".");
    const shared = path.findIndex((part, i) => part !== head[i]);
    const module = path.slice(0, shared + 1).join(".");
    return module === name ? name : `${module}.*`;
  });
  return [...new Set(patterns)];
}

/** The values for the first step: those that are taken, and fresh ones by `seed`, the same as a training from chance begins with. */
export function begunFrom(
  { source, values }: { readonly source: Source; readonly values: StateDict },
  { target, fresh, seed }: { readonly target: Target; readonly fresh: readonly string[]; readonly seed: number },
): StateDict {
  const { model } = target.built;
  const flat = flattenStateDict(buildModel(source.spec).model, values);
  const taken = [...inventory(model).slots.keys()].filter((name) => !fresh.includes(name));
  const wanted = taken.map((name): [string, HostTensor] => [name, flat[name] as HostTensor]);
  return loadStateDict(model, Object.fromEntries(wanted), { except: fresh, seed });
}
