import { ArgumentError, nearMatches } from "@ocelli/core";
import {
  augmentPresets,
  makeAverage,
  makeClip,
  makeLoss,
  makeOptimizer,
  makeSchedule,
  makeTransform,
  type Named,
  type Options,
} from "@ocelli/training";
import { modelEntry } from "@ocelli/zoo";
import { buildModel } from "./build.js";
import { familyOf } from "./families.js";
import { layerKind } from "./layers.js";
import type { FamilySpec, ImageShape, LayerSpec, LayersSpec, ModelSpec, ZooSpec } from "./spec.js";
import type { DataSpec, TrainingSpec } from "./training.js";

/*
 * Specs from links and files, which anybody may have written: every field is looked at, nothing is taken over that is not known, and
 * what comes out is made anew. Errors say where, what came and what was needed.
 */

type Bounds = readonly [min: number, max: number];

/** Far beyond what anybody trains in a page, and little enough that a network of such numbers is still described in an instant. */
const bounds = {
  inputSize: [1, 1024],
  numClasses: [1, 25_000],
  inChannels: [1, 64],
  epochs: [1, 100_000],
  batchSize: [1, 8192],
  seed: [0, 0xffff_ffff],
  images: [1, 1_000_000],
} as const satisfies Readonly<Record<string, Bounds>>;

const mostLayers = 200;
const longestName = 200;

/** @throws ArgumentError or ShapeError that names the field, or what `buildModel` says of the network */
export function checkedModel(value: unknown, where = "model"): ModelSpec {
  const spec = modelSpec(value, where);
  buildModel(spec);
  return spec;
}

function modelSpec(value: unknown, where: string): ModelSpec {
  const { kind } = record(value, where);
  if (kind === "zoo") return zooSpec(value, where);
  if (kind === "family") return familySpec(value, where);
  if (kind === "layers") return layersSpec(value, where);
  throw wrong(`${where}.kind`, kind, '"zoo", "family" or "layers"');
}

const sizes = ["inputSize", "numClasses", "inChannels"] as const;

const sizeChecks = {
  inputSize: wholeIn(bounds.inputSize),
  numClasses: wholeIn(bounds.numClasses),
  inChannels: wholeIn(bounds.inChannels),
} as const;

function zooSpec(value: unknown, where: string): ZooSpec {
  const checks: Checks<ZooSpec> = { kind: () => "zoo", name: modelName, ...sizeChecks };
  return checkedFields(value, where, checks, sizes);
}

function modelName(value: unknown, where: string): string {
  const name = text(value, where);
  modelEntry(name);
  return name;
}

function familySpec(value: unknown, where: string): FamilySpec {
  const family = familyOf(text(record(value, where).family, `${where}.family`));
  const checks = Object.fromEntries(family.fields.map(({ name }) => [name, simple] as const));
  return checkedFields<FamilySpec>(
    value,
    where,
    {
      kind: () => "family",
      family: () => family.name,
      // Which values a field takes, the family says when it is built.
      values: (given, at) => checkedFields<FamilySpec["values"]>(given, at, checks, Object.keys(checks)),
      ...sizeChecks,
    },
    sizes,
  );
}

function layersSpec(value: unknown, where: string): LayersSpec {
  return checkedFields<LayersSpec>(value, where, {
    kind: () => "layers",
    name: text,
    input: imageShape,
    numClasses: sizeChecks.numClasses,
    layers: (given, at) => {
      if (!Array.isArray(given) || given.length > mostLayers)
        throw wrong(at, given, `a list of at most ${mostLayers} layers`);
      return given.map((layer, i) => layerSpec(layer, `${at}[${i}]`));
    },
  });
}

/** `[C, H, W]` within the bounds. */
export function imageShape(value: unknown, where: string): ImageShape {
  if (!Array.isArray(value) || value.length !== 3) throw wrong(where, value, "[channels, height, width]");
  const [channels, height, width] = value;
  const { inChannels, inputSize } = sizeChecks;
  return [inChannels(channels, `${where}[0]`), inputSize(height, `${where}[1]`), inputSize(width, `${where}[2]`)];
}

function layerSpec(value: unknown, where: string): LayerSpec {
  const kind = layerKind(text(record(value, where).of, `${where}.of`));
  const checks = Object.fromEntries(kind.fields.map(({ name, min, max }) => [name, numberIn([min, max])] as const));
  return checkedFields<LayerSpec>(value, where, {
    of: () => kind.of,
    options: (given, at) => checkedFields<LayerSpec["options"]>(given, at, checks, Object.keys(checks)),
  });
}

/** @throws ArgumentError that names the field, or what the part's own maker says */
export function checkedTraining(value: unknown, where = "training"): TrainingSpec {
  const checks: Checks<TrainingSpec> = {
    data: dataSpec,
    validation: numberIn([0, 0.9]),
    optimizer: partOf(makeOptimizer),
    schedule: partOf(makeSchedule),
    augment: preset,
    loss: partOf(makeLoss),
    clip: partOf(makeClip),
    average: partOf(makeAverage),
    noDecay: onOff,
    epochs: wholeIn(bounds.epochs),
    batchSize: wholeIn(bounds.batchSize),
    seed: wholeIn(bounds.seed),
  };
  return checkedFields(value, where, checks, ["validation", "loss", "clip", "average", "noDecay"]);
}

function dataSpec(value: unknown, where: string): DataSpec {
  const { kind } = record(value, where);
  const counts = { size: wholeIn(bounds.inputSize), count: wholeIn(bounds.images) };
  if (kind === "digits") return checkedFields<Digits>(value, where, { kind: () => "digits", ...counts }, ["size"]);
  if (kind !== "stored") throw wrong(`${where}.kind`, kind, '"digits" or "stored"');
  const checks: Checks<Stored> = {
    kind: () => "stored",
    name: text,
    ...counts,
  };
  return checkedFields(value, where, checks, ["size", "count"]);
}

type Digits = Extract<DataSpec, { readonly kind: "digits" }>;
type Stored = Extract<DataSpec, { readonly kind: "stored" }>;

function preset(value: unknown, where: string): string {
  const known = Object.keys(augmentPresets);
  const near = typeof value === "string" ? nearMatches(value, known) : [];
  return oneOf(known, near.length > 0 ? near : known)(value, where);
}

/** A part by its name in one of the library's tables, which is asked to make it. */
function partOf(make: (named: Named) => unknown): Check<Named> {
  return (value, where) => {
    const named = checkedFields<Named>(value, where, { name: text, options: (one, at) => record(one, at) as Options });
    try {
      make(named);
    } catch (error) {
      // The makers say what is wrong with options of the right kind; of others, JavaScript does.
      throw new ArgumentError(`${where}: ${(error as Error).message}`, { cause: error });
    }
    return named;
  };
}

/** What pixels go through, as data. @throws ArgumentError */
export const checkedTransform = partOf(makeTransform);

/** Makes a field's value of what somebody wrote there. @throws ArgumentError */
type Check<T> = (value: unknown, where: string) => T;

/** A field that is new in `T` asks for its line here. */
export type Checks<T> = { readonly [Name in keyof T]-?: Check<T[Name]> };

/** An object of just these fields, each one checked. @throws ArgumentError */
export function checkedFields<T>(
  value: unknown,
  where: string,
  checks: Checks<T>,
  optional: readonly (string & keyof T)[] = [],
): T {
  const all = Object.keys(checks) as (string & keyof T)[];
  const needed = all.filter((name) => !optional.includes(name));
  const given = fields(value, where, needed, optional);
  const present = all.filter((name) => given[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, checks[name](given[name], `${where}.${name}`)])) as T;
}

export function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw wrong(where, value, "an object");
}

/** An object with these fields and no others. */
export function fields(
  value: unknown,
  where: string,
  needed: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const given = record(value, where);
  const known = [...needed, ...optional];
  const strange = Object.keys(given).find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new ArgumentError(
      `${where}: there is no field ${shown(strange)}; it has ${known.length === 0 ? "none" : known.join(", ")}`,
      { strange },
    );
  const missing = needed.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0) throw new ArgumentError(`${where}: lacks ${missing.join(", ")}`, { missing });
  return given;
}

export function text(value: unknown, where: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= longestName) return value;
  throw wrong(where, value, `text of 1 to ${longestName} characters`);
}

function wholeIn([min, max]: Bounds): Check<number> {
  return (value, where) => {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    throw wrong(where, value, `a whole number from ${min} to ${max}`);
  };
}

function numberIn([min, max]: Bounds): Check<number> {
  return (value, where) => {
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw wrong(where, value, `a number from ${min} to ${max}`);
  };
}

/** @param named what the message names of them */
function oneOf<T>(allowed: readonly T[], named: readonly T[] = allowed): Check<T> {
  return (value, where) => {
    if (allowed.includes(value as T)) return value as T;
    throw wrong(where, value, `one of ${named.join(", ")}`);
  };
}

function simple(value: unknown, where: string): number | string | boolean {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  throw wrong(where, value, "a number, text, true or false");
}

const onOff = (value: unknown, where: string): boolean => {
  if (typeof value === "boolean") return value;
  throw wrong(where, value, "true or false");
};

export function wrong(where: string, value: unknown, needed: string): ArgumentError {
  return new ArgumentError(`${where} is ${shown(value)}; it needs ${needed}`, { where, value });
}

/** A value in a message: not longer than one reads. */
function shown(value: unknown): string {
  const all = JSON.stringify(value) ?? "missing";
  return all.length <= 60 ? all : `${all.slice(0, 57)}...`;
}
