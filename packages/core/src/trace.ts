import type { ProgramGraph } from "./backend.js";
import type { Specs, Tensors, Traceable } from "./device.js";
import { ArgumentError, ShapeError, StateError } from "./errors.js";
import { hashBytes, structuralHash } from "./graph.js";
import type { HostTensor } from "./host.js";
import type { Op } from "./op.js";
import { constant, input } from "./ops/leaf.js";
import { optimize } from "./passes/index.js";
import { sameShape } from "./shape.js";
import { formatSpec, type Spec, type Tensor } from "./tensor.js";

export interface TracedProgram {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly state: ReadonlyMap<string, Tensor>;
  readonly outputs: Tensors;
  readonly updates: Tensors;
}

/** Builds the graph of a program once, with a leaf for every input and every state entry. */
export function trace(program: Traceable, frozen: Readonly<Record<string, HostTensor>> = {}): TracedProgram {
  const leaves = (specs: Specs, prefix: string): Map<string, Tensor> =>
    new Map(Object.entries(specs).map(([name, spec]) => [name, input(prefix + name, spec)]));
  const inputs = leaves(program.inputs, "");
  const live = Object.entries(program.state ?? {}).filter(([name]) => !(name in frozen));
  const state = leaves(Object.fromEntries(live), "state:");
  const constants = Object.entries(program.state ?? {})
    .filter(([name]) => name in frozen)
    .map(([name, spec]) => [name, constant(frozenEntry(name, frozen[name] as HostTensor, spec))]);
  const { outputs, updates = {} } = program.build(
    Object.fromEntries(inputs),
    Object.fromEntries([...state, ...(constants as [string, Tensor][])]),
  );
  for (const [name, tensor] of Object.entries(updates)) {
    const leaf = state.get(name);
    if (leaf === undefined)
      throw new ArgumentError(`compile: update of ${name}, which is no live state entry of the program`);
    if (!sameShape(leaf.shape, tensor.shape) || leaf.dtype !== tensor.dtype) {
      throw new ShapeError(`compile: update of ${name} is ${formatSpec(tensor)}; the entry is ${formatSpec(leaf)}`);
    }
  }
  return { inputs, state, outputs, updates };
}

function frozenEntry(name: string, host: HostTensor, spec: Spec): HostTensor {
  if (host.dtype === spec.dtype && sameShape(host.shape, spec.shape)) return host;
  throw new StateError(`compile: frozen entry ${name} is ${formatSpec(host)}; the program needs ${formatSpec(spec)}`, {
    name,
  });
}

/** Runs the passes and names the structure. */
export function finish(
  { inputs, state, outputs, updates }: TracedProgram,
  supports: (op: Op) => boolean,
): ProgramGraph {
  const count = Object.keys(outputs).length;
  const results = optimize([...Object.values(outputs), ...Object.values(updates)], { supports });
  const names = Object.keys(updates);
  return {
    hash: `${structuralHash(results)}-${count}-${hashBytes(new TextEncoder().encode(names.join()))}`,
    inputs,
    state,
    outputs: results.slice(0, count),
    updates: new Map(results.slice(count).map((tensor, i) => [names[i] as string, tensor])),
  };
}
