import {
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
}

/**
 * Sorts flat values, named as in PyTorch's `state_dict`, into a model's collections. Floats of other widths are converted to float32,
 * integers to the buffer's dtype; buffers that files may lack start afresh.
 * @throws StateError that lists all missing, unexpected and misshapen entries, with names that come near
 */
export function loadStateDict(
  model: AnyModule,
  flat: Readonly<Record<string, HostTensor>>,
  { strict = true }: LoadOptions = {},
): StateDict {
  const { slots, names } = inventory(model);
  const problems = strict ? differences(slots, flat) : [];
  problems.push(...misshapen(slots, flat));
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
    const value = own(flat, name);
    if (value !== undefined) collection[canonical] ??= converted(value, entry);
    else if (isOptional(entry)) collection[canonical] ??= initialValue(canonical, entry, 0);
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
    ...section(
      "missing",
      missing.map((name) => `${name} ${formatSpec(slots.get(name) as Spec)}${near(name, unexpected)}`),
    ),
    ...section(
      "unexpected",
      unexpected.map((name) => `${name} ${formatSpec(flat[name] as Spec)}${near(name, missing)}`),
    ),
  ];
}

function misshapen(slots: Slots, flat: Flat): string[] {
  const wrong = [...slots].flatMap(([name, entry]) => {
    const value = own(flat, name);
    return value === undefined || fits(value, entry)
      ? []
      : [`${name}: given ${formatSpec(value)}, needed ${formatSpec(entry)}`];
  });
  return section("of another shape or dtype", wrong);
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`  ${title} (${lines.length}):`, ...lines.map((line) => `    ${line}`)];

function fits(value: Spec, entry: Spec): boolean {
  const sameKind =
    value.dtype === entry.dtype || [isFloat, isInteger].some((kind) => kind(value.dtype) && kind(entry.dtype));
  return sameKind && sameShape(value.shape, entry.shape);
}

function converted(value: HostTensor, { shape, dtype }: Spec): HostTensor {
  return value.dtype === dtype ? value : fromNumbers(toNumbers(value), shape, dtype);
}
