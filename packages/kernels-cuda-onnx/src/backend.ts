import { type HostTensor, type Node, type Op, type Tensor, topologicalOrder } from "@ocelli/core";
import {
  type Backend,
  type Call,
  type Executable,
  type KernelTable,
  type ProgramGraph,
  peakBytes,
} from "@ocelli/core/backend";
import { type Lowering, type LoweringTable, lowerGraph, opsOf, type Packing } from "@ocelli/formats/onnx";
import { draw, type HostRandom, hostRandom } from "./random.js";
import type { Runtime, RuntimeTensor } from "./runtime.js";
import { Session, type SessionOptions } from "./session.js";
import { blank, copyIn, copyOut, wrap } from "./tensors.js";

export interface OnnxBackendOptions {
  readonly info: Backend["info"];
  readonly runtime: Runtime;
  readonly session: Omit<SessionOptions, "optimize">;
  /** Whether runs write into given memory ({@link writesInPlace}). */
  readonly inPlace: boolean;
  /** For programs that the runtime may rewrite, and where nothing can be packed. */
  readonly plain: Lowerings;
  /** For training steps: with values in the order that the processor's vector units prefer. Ops with an entry are those of `plain`. */
  readonly packed: Lowerings | undefined;
  /** Pack in every program. */
  readonly packAlways: boolean;
  /** Lowerings of a user's own ops. */
  readonly kernels: Kernels;
}

export interface Lowerings {
  readonly table: KernelTable<Lowering>;
  readonly packing?: Packing | undefined;
}

type Kernels = ReadonlyMap<Op, Lowering>;

/** A table with a user's own ops in it. */
function lowerings(
  { table, packing }: Lowerings,
  kernels: Kernels,
): { table: LoweringTable; packing: Packing | undefined } {
  const own = Object.fromEntries([...kernels].map(([op, lowering]) => [op.name, lowering]));
  return { table: { ...table, ...own }, packing };
}

/** Memory and compiler of the device: values are tensors of the runtime in host memory, a program is one session. */
export function onnxBackend(options: OnnxBackendOptions): Backend<RuntimeTensor> {
  const { runtime } = options;
  const ops = new Set([...opsOf(options.plain.table), ...options.kernels.keys()]);
  return {
    info: options.info,
    keepsSpares: options.inPlace,
    supports: (op) => ops.has(op),
    // A copy: an update writes into the memory of the value before last.
    upload: (host) => copyIn(runtime, host),
    download: async (tensor, spec) => copyOut(tensor, spec),
    free: (tensor) => tensor.dispose?.(),
    compile: (graph) => OnnxProgram.create(graph, options),
    dispose: () => undefined,
  };
}

type Values = ReadonlyMap<string, RuntimeTensor>;

class OnnxProgram implements Executable<RuntimeTensor> {
  readonly bytes: number;
  readonly #graph: ProgramGraph;
  readonly #session: Session;
  readonly #options: OnnxBackendOptions;
  readonly #random: readonly HostRandom[];
  /** Names of the inputs and state entries that the model reads. */
  readonly #used: { readonly inputs: readonly string[]; readonly state: readonly string[] };

  private constructor(
    graph: ProgramGraph,
    session: Session,
    options: OnnxBackendOptions,
    random: readonly HostRandom[],
    used: Used,
    bytes: number,
  ) {
    this.#graph = graph;
    this.#session = session;
    this.#options = options;
    this.#random = random;
    this.#used = { inputs: used.inputs.map(([name]) => name), state: used.state.map(([name]) => name) };
    this.bytes = bytes;
  }

  static async create(graph: ProgramGraph, options: OnnxBackendOptions): Promise<OnnxProgram> {
    const random = hostRandom(graph);
    const used = usedLeaves(graph, random);
    // Programs without updates are left to the runtime's own rewriting: it prepacks and fuses constants better than we can say.
    const optimize = graph.updates.size === 0 && !options.packAlways;
    const { table, packing } = lowerings(optimize ? options.plain : (options.packed ?? options.plain), options.kernels);
    const model = lowerGraph(named(graph, used, random), table, packing).encode();
    const session = await Session.create(options.runtime, model, { ...options.session, optimize });
    // The runtime's memory grows to what is in use at once, and is not given back before the session is released.
    const bytes = model.length + peakBytes([...graph.outputs, ...graph.updates.values()]);
    return new OnnxProgram(graph, session, options, random, used, bytes);
  }

  async run(call: Call<RuntimeTensor>): Promise<{ outputs: RuntimeTensor[]; updates: Values }> {
    const { runtime } = this.#options;
    const feeds: Record<string, RuntimeTensor> = {};
    for (const name of this.#used.inputs) feeds[`input:${name}`] = wrap(runtime, call.inputs.get(name) as HostTensor);
    for (const name of this.#used.state) feeds[`state:${name}`] = call.state.get(name) as RuntimeTensor;
    for (const [i, random] of this.#random.entries()) {
      feeds[`random:${i}`] = wrap(runtime, draw(random, this.#keyOf(random, call)));
    }
    const results = await this.#session.run(feeds, this.#fetches(call));
    const outputs = this.#graph.outputs.map((_, i) => results[`output:${i}`] as RuntimeTensor);
    const updates = [...this.#graph.updates.keys()].map(
      (name) => [name, results[`update:${name}`] as RuntimeTensor] as const,
    );
    return { outputs, updates: new Map(updates) };
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  #keyOf({ key }: HostRandom, call: Call<RuntimeTensor>): ArrayLike<number> {
    const find = (leaves: ReadonlyMap<string, Tensor>): string | undefined =>
      [...leaves].find(([, leaf]) => leaf.node === key.node)?.[0];
    const input = find(this.#graph.inputs);
    if (input !== undefined) return (call.inputs.get(input) as HostTensor).data;
    return (call.state.get(find(this.#graph.state) as string) as RuntimeTensor).data as Uint32Array;
  }

  #fetches({ spare }: Call<RuntimeTensor>): Record<string, RuntimeTensor | null> {
    const fetches: Record<string, RuntimeTensor | null> = {};
    for (const i of this.#graph.outputs.keys()) fetches[`output:${i}`] = null;
    for (const [name, spec] of this.#graph.updates) {
      fetches[`update:${name}`] = this.#options.inPlace
        ? (spare.get(name) ?? blank(this.#options.runtime, spec))
        : null;
    }
    return fetches;
  }
}

type Leaves = readonly (readonly [string, Tensor])[];
interface Used {
  readonly inputs: Leaves;
  readonly state: Leaves;
}

/** The leaves that something still reads once random numbers are fed. */
function usedLeaves(graph: ProgramGraph, random: readonly HostRandom[]): Used {
  const fed = new Set<Node>(random.map(({ tensor }) => tensor.node));
  const reached = new Set(topologicalOrder([...graph.outputs, ...graph.updates.values()], fed));
  const pick = (leaves: ReadonlyMap<string, Tensor>): Leaves =>
    [...leaves].filter(([, leaf]) => reached.has(leaf.node));
  return { inputs: pick(graph.inputs), state: pick(graph.state) };
}

function named(graph: ProgramGraph, used: Used, random: readonly HostRandom[]) {
  const inputs = new Map<string, Tensor>();
  for (const [name, leaf] of used.inputs) inputs.set(`input:${name}`, leaf);
  for (const [name, leaf] of used.state) inputs.set(`state:${name}`, leaf);
  for (const [i, { tensor }] of random.entries()) inputs.set(`random:${i}`, tensor);
  const outputs = new Map(graph.outputs.map((tensor, i) => [`output:${i}`, tensor]));
  for (const [name, tensor] of graph.updates) outputs.set(`update:${name}`, tensor);
  return { inputs, outputs };
}
