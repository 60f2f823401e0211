import {
  ArgumentError,
  type HostTensor,
  hostTensor,
  type Initializable,
  randomKey,
  type Spec,
  type Specs,
  type StateDict,
  streamOf,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "./context.js";
import { Buffer, Parameter } from "./parameter.js";
import { Random } from "./random.js";

/** A module of any input and output. */
export type AnyModule = Module<never, unknown>;

/**
 * A part of a network: parameters, buffers and further modules in its own fields, and a `forward` that builds its output.
 *
 * Authors override `forward`; everyone else calls `ctx.call(module, x)`. State is found by walking the fields (arrays and plain
 * objects too; `#private` fields are not state), and named as PyTorch names it: `layer1.0.conv1.weight`. What stands in two places is
 * one thing, under the name found first.
 */
export abstract class Module<In = Tensor, Out = Tensor> implements Initializable {
  /** Builds the output. Pure: the mode, the values of the state and random numbers come from `ctx`. */
  abstract forward(x: In, ctx: Context): Out;

  /** Own parameters first, then those of the modules inside, in order of declaration. */
  parameters(): Map<string, Parameter> {
    return inventory(this).parameters;
  }

  buffers(): Map<string, Buffer> {
    return inventory(this).buffers;
  }

  /** This module under the name "", and all inside it, outer before inner. */
  modules(): Map<string, AnyModule> {
    return inventory(this).modules;
  }

  /** Specs of the state by qualified name: `params/conv1.weight`, `buffers/bn1.running_mean`. */
  stateSpecs(): Specs {
    const { parameters, buffers } = inventory(this);
    const specs: Record<string, Spec> = {};
    for (const [name, { shape, dtype }] of parameters) specs[`params/${name}`] = { shape, dtype };
    for (const [name, { shape, dtype }] of buffers) specs[`buffers/${name}`] = { shape, dtype };
    return specs;
  }

  /** Fresh values. Each depends on the seed and its own name only. @throws ArgumentError when an initialiser makes a wrong count */
  initialState({ seed }: { readonly seed: number }): StateDict {
    const { parameters, buffers } = inventory(this);
    const values = (entries: Map<string, Parameter | Buffer>): Record<string, HostTensor> =>
      Object.fromEntries([...entries].map(([name, entry]) => [name, initialValue(name, entry, seed)]));
    return { params: values(parameters), buffers: values(buffers) };
  }
}

/** The first value of one parameter or buffer of this name. */
export function initialValue(name: string, { shape, dtype, init }: Parameter | Buffer, seed: number): HostTensor {
  return hostTensor(init(shape, new Random(randomKey(seed, streamOf(name)))), shape, dtype);
}

/** What a module consists of, named from it. */
export interface Inventory {
  /** Each once, under the name found first. */
  readonly modules: Map<string, AnyModule>;
  readonly parameters: Map<string, Parameter>;
  readonly buffers: Map<string, Buffer>;
  /** The name of each of them. */
  readonly names: Map<object, string>;
  /** Parameters and buffers in the order of PyTorch's `state_dict`; shared ones under every name they have. */
  readonly slots: Map<string, Parameter | Buffer>;
}

type Field = readonly [name: string, value: Parameter | Buffer | AnyModule];

/** Walks a module's own fields. @throws ArgumentError when two fields come to one name */
export function inventory(root: AnyModule): Inventory {
  const found: Inventory = {
    modules: new Map(),
    parameters: new Map(),
    buffers: new Map(),
    names: new Map(),
    slots: new Map(),
  };
  visit(root, "", [], found);
  return found;
}

function visit(module: AnyModule, path: string, within: readonly AnyModule[], found: Inventory): void {
  // A module that holds itself (through a field for its parent, say) is visited once on the way down.
  if (within.includes(module)) return;
  if (!found.names.has(module)) {
    found.names.set(module, path);
    found.modules.set(path, module);
  }
  const fields = fieldsOf(module, path === "" ? "" : `${path}.`);
  for (const [name, value] of fields) if (value instanceof Parameter) addSlot(name, value, found.parameters, found);
  for (const [name, value] of fields) if (value instanceof Buffer) addSlot(name, value, found.buffers, found);
  const inner = [...within, module];
  for (const [name, value] of fields) if (value instanceof Module) visit(value, name, inner, found);
}

function addSlot<T extends Parameter | Buffer>(name: string, value: T, list: Map<string, T>, found: Inventory): void {
  if (found.slots.has(name))
    throw new ArgumentError(`module: two parameters or buffers have the name ${name}`, { name });
  found.slots.set(name, value);
  if (found.names.has(value)) return;
  found.names.set(value, name);
  list.set(name, value);
}

/** The state and modules in the fields of an object; arrays and plain objects inside count as further levels of names. */
function fieldsOf(holder: object, prefix: string): Field[] {
  const fields: Field[] = [];
  addFields(holder, prefix, [], fields);
  return fields;
}

function addFields(holder: object, prefix: string, within: readonly object[], fields: Field[]): void {
  for (const key of Object.keys(holder)) {
    const value = (holder as Readonly<Record<string, unknown>>)[key];
    // Most fields are numbers, and networks have thousands of layers.
    if (typeof value !== "object" || value === null) continue;
    if (value instanceof Parameter || value instanceof Buffer || value instanceof Module)
      fields.push([prefix + key, value]);
    else if (isList(value) && !within.includes(value)) addFields(value, `${prefix}${key}.`, [...within, value], fields);
  }
}

function isList(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
