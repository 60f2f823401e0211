/** From a finished graph to a plan: passes, fusion, order, shaders. No device is needed for it. */
import { type HostTensor, type Node, sameShape, sizeOf, type Tensor } from "@ocelli/core";
import type { ProgramGraph } from "@ocelli/core/backend";
import type { Kernel, Limits, Site } from "../kernel.js";
import { packedBytes, storageOf } from "../wgsl/storage.js";
import { type Fusion, fuse, type Group } from "./fuse.js";
import { lower } from "./lower.js";
import { lowered, ownMemory } from "./passes.js";
import { type Copy, type Home, type Plan, pathOf, Value } from "./plan.js";
import { Dependencies, scheduled, written } from "./schedule.js";
import { type SplitGraph, splitOversized, tooLarge } from "./split.js";
import { baseOf } from "./store.js";
import type { Ways } from "./ways.js";

export interface CompileOptions {
  readonly ways: Ways;
  readonly limits: Limits;
  /** Whether buffers may hold f16. */
  readonly f16: boolean;
  /** Keep float32 activations and their gradients in half precision between dispatches. */
  readonly mixed?: boolean;
  /** Bytes that can be bound at once. */
  readonly largest: number;
  readonly choose: (site: Site, kernel: Kernel) => unknown;
}

export function compile(whole: ProgramGraph, options: CompileOptions): Plan {
  const graph = splitOversized(whole, options.largest, options.ways);
  const names = [...graph.updates.keys()];
  const results = ownMemory(lowered([...graph.outputs, ...graph.updates.values()], options.ways), options.ways);
  const fusion = fuse({ ways: options.ways, buffers: options.limits.buffers, required: results });
  const outputs = results.slice(0, graph.outputs.length).map(baseOf);
  const updates = new Map(names.map((name, i) => [name, baseOf(results[graph.outputs.length + i] as Tensor)]));
  return new Planner(graph, options, fusion, new Set([...outputs, ...updates.values()])).plan(outputs, updates);
}

/** Elements below which half precision would save nothing. */
const smallestHalf = 1024;

class Planner {
  readonly #graph: SplitGraph;
  readonly #options: CompileOptions;
  readonly #groups: readonly Group[];
  readonly #inMemory: ReadonlySet<Tensor>;
  readonly #dependencies: Dependencies;
  readonly #values = new Map<Tensor, Value>();
  /** Groups that depend on constants alone. */
  readonly #fixed = new Set<Group>();
  /** Outputs and updates. */
  readonly #results: ReadonlySet<Tensor>;

  constructor(graph: SplitGraph, options: CompileOptions, { groups, inMemory }: Fusion, results: ReadonlySet<Tensor>) {
    this.#results = results;
    this.#graph = graph;
    this.#options = options;
    this.#groups = groups;
    this.#inMemory = inMemory;
    this.#dependencies = new Dependencies(groups);
  }

  plan(outputs: readonly Tensor[], updates: ReadonlyMap<string, Tensor>): Plan {
    const inputs = this.#leaves(this.#graph.inputs, (name) => ({ kind: "input", name }));
    const state = this.#leaves(this.#graph.state, (name) => {
      const { entry, part } = this.#graph.partOf.get(name) as { entry: string; part: number };
      return { kind: "state", name: entry, part };
    });
    this.#findFixed(new Set(updates.values()));
    const copies: Copy[] = [];
    for (const [name, tensor] of updates) {
      const to = state.get(name) as Value;
      const leaf = this.#graph.state.get(name) as Tensor;
      const writer = this.#dependencies.writerOf(tensor);
      const inPlace = writer === undefined || this.#dependencies.overwrite(writer, leaf);
      if (inPlace) this.#values.set(tensor, to);
      else copies.push({ from: this.#placeOf(tensor), to });
    }
    const bytes = (tensor: Tensor): number => {
      const value = this.#placeOf(tensor);
      return value.home.kind === "arena" ? value.bytes : 0;
    };
    const order = scheduled(this.#groups, this.#dependencies, bytes);
    const steps = (fixed: boolean) =>
      order.filter((group) => this.#fixed.has(group) === fixed).flatMap((group) => this.#lower(group));
    return {
      prelude: steps(true),
      steps: steps(false),
      copies,
      outputs: outputs.map((tensor) => this.#placeOf(tensor)),
      inputs,
      state,
    };
  }

  #lower(group: Group) {
    return lower(group, {
      ...this.#options,
      inMemory: this.#inMemory,
      placeOf: (tensor) => this.#placeOf(tensor),
    });
  }

  #leaves(leaves: ReadonlyMap<string, Tensor>, homeOf: (name: string) => Home): Map<string, Value> {
    return new Map(
      [...leaves].map(([name, leaf]) => {
        const value = this.#make(leaf, homeOf(name));
        this.#values.set(leaf, value);
        return [name, value] as const;
      }),
    );
  }

  #findFixed(updated: ReadonlySet<Tensor>): void {
    const isFixed = (tensor: Tensor): boolean => {
      if (tensor.node.op.name === "constant") return true;
      const writer = this.#dependencies.writerOf(tensor);
      return writer !== undefined && this.#fixed.has(writer);
    };
    // Groups come in the order of the graph, so what one reads has been looked at.
    for (const group of this.#groups) {
      const everyRun = written(group).some((tensor) => updated.has(tensor)) || group.after.size > 0;
      if (!everyRun && [...group.reads.keys()].every(isFixed)) this.#fixed.add(group);
    }
  }

  #placeOf(tensor: Tensor): Value {
    let value = this.#values.get(tensor);
    if (value === undefined) {
      value = this.#make(tensor, this.#homeOf(tensor));
      this.#values.set(tensor, value);
    }
    return value;
  }

  #homeOf(tensor: Tensor): Home {
    if (tensor.node.op.name === "constant") {
      return { kind: "constant", host: (tensor.node.attrs as { value: HostTensor }).value };
    }
    const writer = this.#dependencies.writerOf(tensor);
    return writer !== undefined && this.#fixed.has(writer) ? { kind: "kept" } : { kind: "arena" };
  }

  /**
   * Whether a tensor is an activation or an activation's gradient, in mixed precision. Gradients of weights, statistics, losses and what
   * leaves the device keep full precision; so do all sums within a kernel.
   */
  #isHalf(tensor: Tensor, home: Home): boolean {
    if (this.#options.mixed !== true || home.kind !== "arena" || tensor.dtype !== "float32") return false;
    const image = tensor.shape.length === 4 && sizeOf(tensor.shape) >= smallestHalf;
    const isParameter = [...this.#graph.state.values()].some(({ shape }) => sameShape(shape, tensor.shape));
    return image && !isParameter && !this.#results.has(tensor);
  }

  #make(tensor: Tensor, home: Home): Value {
    const { dtype, shape, node } = tensor;
    const fed = home.kind === "input" && dtype === "uint8";
    const held = this.#isHalf(tensor, home) ? "float16" : dtype;
    const storage = fed ? packedBytes : storageOf(held, { f16: this.#options.f16 });
    const value = new Value(labelOf(node), storage, sizeOf(shape), home);
    const { largest } = this.#options;
    if (value.bytes > largest) throw tooLarge(`the tensor of ${value.label}`, tensor, largest);
    return value;
  }
}

const labelOf = (node: Node): string =>
  node.op.name === "input" ? (node.attrs as { name: string }).name : pathOf(node, node.op.name);
