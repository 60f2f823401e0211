import {
  ArgumentError,
  formatSpec,
  fromNumbers,
  type HostTensor,
  isFloat,
  isInteger,
  nearMatches,
  type Spec,
  type StateDict,
  StateError,
  sameShape,
  toNumbers,
} from "@ocelli/core";
import { type AnyModule, initialValue, inventory } from "./module.js";
import { type Buffer, Parameter } from "./parameter.js";

export interface LoadOptions {
  /** Default true. Otherwise entries may be missing (they are left out) or unexpected (they are ignored); shapes have to fit anyway. */
  readonly strict?: boolean;
  /**
   * Paths of modules, parameters or buffers whose values are ignored; what the model has there starts afresh: `["fc"]` for a head
   * with another number of classes, or for none. Everything else has to fit.
   */
  readonly except?: readonly string[];
  /** Of the values that start afresh. Default 0. */
  readonly seed?: number;
}

/**
 * Sorts flat values, named as in PyTorch's `state_dict`, into a model's collections. Floats of other widths are converted to float32,
 * integers to the buffer's dtype; buffers that files may lack start afresh.
 * @throws StateError that counts missing, unexpected and misshapen entries and lists the first ten of each, with names that come near; ArgumentError for a path in
 *   `except` that neither the model nor the values have
 */
export function loadStateDict(
  model: AnyModule,
  flat: Readonly<Record<string, HostTensor>>,
  { strict = true, except = [], seed = 0 }: LoadOptions = {},
): StateDict {
  const { slots, names } = inventory(model);
  for (const path of except) checkPath(path, [...slots.keys(), ...Object.keys(flat)]);
  const isFresh = (name: string): boolean => except.some((path) => isBelow(name, path));
  const asked = new Map([...slots].filter(([name]) => !isFresh(name)));
  const given =
    except.length === 0 ? flat : Object.fromEntries(Object.entries(flat).filter(([name]) => !isFresh(name)));
  const problems = strict ? differences(asked, given) : [];
  problems.push(...misshapen(asked, given));
  if (problems.length > 0) {
    throw new StateError(`loadStateDict: the values do not fit the model\n${problems.join("\n")}`, {
      problems,
    });
  }
  const out: { params: Record<string, HostTensor>; buffers: Record<string, HostTensor> } = { params: {}, buffers: {} };
  for (const [name, entry] of slots) {
    // A shared entry is kept under its first name; any of its names may bring the value.
    const canonical = names.get(entry) as string;
    const collection = entry instanceof Parameter ? out.params : out.buffers;
    const value = own(given, name);
    if (value !== undefined) collection[canonical] ??= converted(value, entry);
    else if (isOptional(entry) || isFresh(name)) collection[canonical] ??= initialValue(canonical, entry, seed);
  }
  return out;
}

/**
 * A model's values under PyTorch's names, in the order of PyTorch's `state_dict`: the reverse of {@link loadStateDict}. Collections
 * other than `params` and `buffers` are left out; shared entries stand under every name they have.
 * @throws StateError when values are missing
 */
export function flattenStateDict(
  model: AnyModule,
  { params = {}, buffers = {} }: StateDict,
): Record<string, HostTensor> {
  const { slots, names } = inventory(model);
  const value = (entry: Parameter | Buffer): HostTensor | undefined =>
    own(entry instanceof Parameter ? params : buffers, names.get(entry) as string);
  const missing = [...slots].filter(([, entry]) => value(entry) === undefined).map(([name]) => name);
  if (missing.length > 0) {
    throw new StateError(
      `flattenStateDict: the state lacks ${missing.length} values of the model:\n  ${missing.join("\n  ")}`,
      { missing },
    );
  }
  return Object.fromEntries([...slots].map(([name, entry]) => [name, value(entry) as HostTensor]));
}

type Flat = Readonly<Record<string, HostTensor>>;
type Slots = ReadonlyMap<string, Parameter | Buffer>;

const own = (flat: Flat, name: string): HostTensor | undefined => (Object.hasOwn(flat, name) ? flat[name] : undefined);
const isOptional = (entry: Parameter | Buffer): boolean => !(entry instanceof Parameter) && entry.optional;

const isBelow = (name: string, path: string): boolean => name === path || name.startsWith(`${path}.`);

function checkPath(path: string, names: readonly string[]): void {
  if (names.some((name) => isBelow(name, path))) return;
  // Every beginning of a name is a path: "layer1.0.conv1.weight" is below "layer1", "layer1.0" and "layer1.0.conv1".
  const paths = new Set(names.flatMap((name) => [...name.matchAll(/\.|$/g)].map(({ index }) => name.slice(0, index))));
  const near = nearMatches(path, paths);
  const hint = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
  throw new ArgumentError(`loadStateDict: except names ${path}, which neither model nor values have${hint}`, { path });
}

function differences(slots: Slots, flat: Flat): string[] {
  const given = new Set(Object.keys(flat));
  const loaded = new Set([...slots].filter(([name]) => given.has(name)).map(([, entry]) => entry));
  const missing = [...slots].filter(([, entry]) => !loaded.has(entry) && !isOptional(entry)).map(([name]) => name);
  const unexpected = [...given].filter((name) => !slots.has(name));
  const near = (name: string, others: readonly string[]): string => {
    const matches = nearMatches(name, others);
    return matches.length > 0 ? ` (near: ${matches.join(", ")})` : "";
  };
  return [
    ...section("missing", missing, (name) => `${name} ${formatSpec(slots.get(name) as Spec)}${near(name, unexpected)}`),
    ...section("unexpected", unexpected, (name) => `${name} ${formatSpec(flat[name] as Spec)}${near(name, missing)}`),
  ];
}

function misshapen(slots: Slots, flat: Flat): string[] {
  const wrong = [...slots].flatMap(([name, entry]) => {
    const value = own(flat, name);
    return value === undefined || fits(value, entry) ? [] : [{ name, value, entry }];
  });
  return section(
    "of another shape or dtype",
    wrong,
    ({ name, value, entry }) => `${name}: given ${formatSpec(value)}, needed ${formatSpec(entry)}`,
  );
}

/** Lines of a section. More of them would push the other sections off the screen, and tell no more. */
const shown = 10;

function section<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length > shown ? [`    and ${items.length - shown} more`] : [];
  return [`  ${title} (${items.length}):`, ...items.slice(0, shown).map((item) => `    ${line(item)}`), ...more];
}

function fits(value: Spec, entry: Spec): boolean {
  const sameKind =
    value.dtype === entry.dtype || [isFloat, isInteger].some((kind) => kind(value.dtype) && kind(entry.dtype));
  return sameKind && sameShape(value.shape, entry.shape);
}

function converted(value: HostTensor, { shape, dtype }: Spec): HostTensor {
  return value.dtype === dtype ? value : fromNumbers(toNumbers(value), shape, dtype);
}
