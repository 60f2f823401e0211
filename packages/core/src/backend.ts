/**
 * What the maker of a device writes: memory, and a compiler for one finished graph. {@link createDevice} adds everything that devices
 * share: tracing, passes, the cache of programs, the queue, and checks of inputs and state.
 */
import type { CompileOptions, Device, DeviceInfo, Handle, Program, Specs, Tensors, Traceable } from "./device.js";
import { ArgumentError, DisposedError, DTypeError, ShapeError, StateError } from "./errors.js";
import { structuralHash, topologicalOrder } from "./graph.js";
import type { HostTensor } from "./host.js";
import type { Op } from "./op.js";
import { constant, input } from "./ops/leaf.js";
import { optimize } from "./passes/index.js";
import { Queue } from "./queue.js";
import { sameShape } from "./shape.js";
import { type Memory, State } from "./state.js";
import { formatSpec, type Spec, type Tensor } from "./tensor.js";

export type { ConvAttrs } from "./ops/conv.js";
export { type KernelTable, type PrimitiveName, primitives } from "./ops/index.js";
export type { PadAttrs } from "./ops/layout.js";
export { type MatmulAttrs, matmulSizes } from "./ops/matmul.js";
export { batchAxes, batchCount, type LrnAttrs } from "./ops/norm.js";
export { type AvgPoolAttrs, type PoolAttrs, windowSizes } from "./ops/pool.js";
export { decompose, fold, optimize, rewrite, share, uniformValue } from "./passes/index.js";

/** A finished graph: every op is one that the backend supports. */
export interface ProgramGraph {
  readonly hash: string;
  /** Leaves that each run feeds, by name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Leaves that are state entries, by qualified name. */
  readonly state: ReadonlyMap<string, Tensor>;
  readonly outputs: readonly Tensor[];
  /** New values of state entries, by qualified name (all of them keys of `state`). */
  readonly updates: ReadonlyMap<string, Tensor>;
}

export interface Call<B> {
  readonly inputs: ReadonlyMap<string, HostTensor>;
  readonly state: ReadonlyMap<string, B>;
  /** Memory of an update's size that it may write into: the value before last. */
  readonly spare: ReadonlyMap<string, B>;
}

export interface Executable<B> {
  /** Bytes it holds, as far as they are known. */
  readonly bytes: number;
  /** Runs once. `updates` may be in place (the state's own memory), in the spare, or fresh. Calls never overlap. */
  run(call: Call<B>): Promise<{ readonly outputs: readonly B[]; readonly updates: ReadonlyMap<string, B> }>;
  dispose(): void | Promise<void>;
}

export interface Backend<B = unknown> {
  readonly info: DeviceInfo;
  /** True for ops that run as they are; the others are replaced by their definitions. */
  supports(op: Op): boolean;
  upload(host: HostTensor): B | Promise<B>;
  download(buffer: B, spec: Spec): Promise<HostTensor>;
  free(buffer: B): void;
  compile(graph: ProgramGraph): Promise<Executable<B>>;
  dispose(): void | Promise<void>;
}

export interface DeviceOptions {
  /** Compiled programs that nobody uses are kept up to this many bytes. Default 512 MiB. */
  readonly cacheBytes?: number;
}

/** A device on top of a backend. */
export function createDevice<B>(backend: Backend<B>, options: DeviceOptions = {}): Device {
  return new BackedDevice(backend, options.cacheBytes ?? 512 * 2 ** 20);
}

interface Cached<B> {
  readonly ready: Promise<Executable<B>>;
  /** What `ready` gave. */
  executable?: Executable<B>;
  users: number;
}

/** A cached program that is ready. */
type Ready<B> = Cached<B> & { readonly executable: Executable<B> };

const asyncDisposeKey: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);
const disposeKey: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

class BackedDevice<B> implements Device {
  readonly info: DeviceInfo;
  readonly #backend: Backend<B>;
  readonly #memory: Memory<B>;
  readonly #queue = new Queue();
  readonly #cache = new Map<string, Cached<B>>();
  readonly #cacheBytes: number;
  #disposing: Promise<void> | undefined;
  #gone = false;

  constructor(backend: Backend<B>, cacheBytes: number) {
    this.info = backend.info;
    this.#backend = backend;
    this.#cacheBytes = cacheBytes;
    this.#memory = {
      queue: this.#queue,
      upload: (host) => backend.upload(host),
      download: (buffer, spec) => backend.download(buffer, spec),
      // A backend that is gone has freed everything itself.
      free: (buffer) => (this.#gone ? undefined : backend.free(buffer)),
      check: () => this.#check(),
    };
  }

  async compile(program: Traceable, { frozen = {} }: CompileOptions = {}): Promise<Program> {
    this.#check();
    const start = performance.now();
    const traced = trace(program, frozen);
    const graph = finish(traced, (op) => this.#backend.supports(op));
    const known = this.#cache.has(graph.hash);
    const cached = await this.#acquire(graph);
    const nodes = topologicalOrder([...graph.outputs, ...graph.updates.values()]).length;
    const stats = {
      hash: graph.hash,
      compileMs: performance.now() - start,
      cached: known,
      nodes,
      bytes: cached.executable.bytes,
    };
    return new CompiledProgram(this.#memory, this.#queue, graph, Object.keys(traced.outputs), cached, stats, () =>
      this.#trim(),
    );
  }

  async createState(values: Parameters<Device["createState"]>[0]): Promise<State> {
    this.#check();
    const state = new State(this.#memory as Memory);
    try {
      await state.write(values);
    } catch (error) {
      state.dispose();
      throw error;
    }
    return state;
  }

  async init(model: Parameters<Device["init"]>[0], { seed = 0 }: { readonly seed?: number } = {}): Promise<State> {
    return this.createState(model.initialState({ seed }));
  }

  async run(tensors: readonly Tensor[]): Promise<HostTensor[]> {
    const outputs = Object.fromEntries(tensors.map((tensor, i) => [`${i}`, tensor]));
    const program = await this.compile({ inputs: {}, build: () => ({ outputs }) });
    try {
      const handles = await program.run({});
      return await Promise.all(tensors.map((_, i) => (handles[`${i}`] as Handle).read()));
    } finally {
      program[disposeKey]();
    }
  }

  dispose(): Promise<void> {
    this.#disposing ??= this.#release();
    return this.#disposing;
  }

  [asyncDisposeKey](): Promise<void> {
    return this.dispose();
  }

  async #release(): Promise<void> {
    await this.#queue.idle();
    for (const { ready } of this.#cache.values()) {
      const executable = await ready.catch(() => undefined);
      await executable?.dispose();
    }
    this.#cache.clear();
    this.#gone = true;
    await this.#backend.dispose();
  }

  #check(): void {
    if (this.#disposing !== undefined) throw new DisposedError(`device ${this.info.name}: it was disposed`);
  }

  /** The executable of a structure: the one at hand, or a new one. Compiling the same structure twice at once waits for the first. */
  async #acquire(graph: ProgramGraph): Promise<Ready<B>> {
    const { hash } = graph;
    const entry = this.#cache.get(hash) ?? { ready: this.#backend.compile(graph), users: 0 };
    // Set anew, so that the map's order is that of last use.
    this.#cache.delete(hash);
    this.#cache.set(hash, entry);
    // Counted before waiting, so that nobody drops it meanwhile.
    entry.users++;
    try {
      entry.executable = await entry.ready;
    } catch (error) {
      if (this.#cache.get(hash) === entry) this.#cache.delete(hash);
      throw error;
    }
    return entry as Ready<B>;
  }

  /** Drops the programs unused for longest until the rest fits. */
  async #trim(): Promise<void> {
    const idle = [...this.#cache].flatMap(([hash, { executable, users }]) =>
      users === 0 && executable !== undefined ? [[hash, executable] as const] : [],
    );
    let bytes = idle.reduce((total, [, executable]) => total + executable.bytes, 0);
    const dropped = idle.filter(([hash, executable]) => {
      const drop = bytes > this.#cacheBytes && this.#cache.delete(hash);
      if (drop) bytes -= executable.bytes;
      return drop;
    });
    for (const [, executable] of dropped) await this.#queue.add(() => executable.dispose());
  }
}

interface TracedProgram {
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
  throw new StateError(`compile: frozen entry ${name} is ${formatSpec(host)}; the program needs ${formatSpec(spec)}`, { name });
}

/** Runs the passes and names the structure. */
function finish({ inputs, state, outputs, updates }: TracedProgram, supports: (op: Op) => boolean): ProgramGraph {
  const count = Object.keys(outputs).length;
  const results = optimize([...Object.values(outputs), ...Object.values(updates)], { supports });
  const names = Object.keys(updates);
  return {
    hash: `${structuralHash(results)}-${count}-${names.join()}`,
    inputs,
    state,
    outputs: results.slice(0, count),
    updates: new Map(results.slice(count).map((tensor, i) => [names[i] as string, tensor])),
  };
}

class CompiledProgram<B> implements Program {
  readonly stats: Program["stats"];
  readonly #memory: Memory<B>;
  readonly #queue: Queue;
  readonly #graph: ProgramGraph;
  readonly #outputNames: readonly string[];
  readonly #cached: Ready<B>;
  readonly #released: () => Promise<void>;
  readonly #stateSpecs: ReadonlyMap<string, Spec>;
  #disposed = false;

  constructor(
    memory: Memory<B>,
    queue: Queue,
    graph: ProgramGraph,
    outputNames: readonly string[],
    cached: Ready<B>,
    stats: Program["stats"],
    released: () => Promise<void>,
  ) {
    this.stats = stats;
    this.#memory = memory;
    this.#queue = queue;
    this.#graph = graph;
    this.#outputNames = outputNames;
    this.#cached = cached;
    this.#released = released;
    this.#stateSpecs = new Map(graph.state);
  }

  async run(inputs: Readonly<Record<string, HostTensor>>, state?: State): Promise<Readonly<Record<string, Handle>>> {
    if (this.#disposed) throw new DisposedError("run: the program was disposed");
    this.#memory.check();
    const feeds = this.#checkInputs(inputs);
    if (this.#graph.state.size > 0) this.#expectState(state);
    await this.#queue.slot();
    try {
      // Again, because much may have happened while this run was waiting.
      this.#memory.check();
      if (this.#graph.state.size > 0) this.#expectState(state);
    } catch (error) {
      this.#queue.leave();
      throw error;
    }
    const job = this.#queue.add(() => this.#execute(feeds, state), { inSlot: true });
    job.catch((error) => state?.fail(error));
    return Object.fromEntries(
      this.#outputNames.map((name, i) => [name, new JobHandle(this.#graph.outputs[i] as Spec, job, i, this.#memory)]),
    );
  }

  [disposeKey](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#cached.users--;
    void this.#released();
  }

  async #execute(feeds: ReadonlyMap<string, HostTensor>, state: State | undefined): Promise<readonly B[]> {
    // A run ahead in the queue may have failed.
    if (this.#graph.state.size > 0) state?.checkFailure();
    const current = new Map<string, B>();
    const spare = new Map<string, B>();
    for (const name of this.#graph.state.keys()) {
      const entry = (state as State).entry(name);
      current.set(name, entry.buffer as B);
      if (entry.spare !== undefined) spare.set(name, entry.spare as B);
    }
    const { outputs, updates } = await this.#cached.executable.run({ inputs: feeds, state: current, spare });
    for (const [name, buffer] of updates) (state as State).replace(name, buffer);
    return outputs;
  }

  #expectState(state: State | undefined): void {
    if (state === undefined) throw new ArgumentError("run: the program reads state; pass the state as second argument");
    state.expect(this.#stateSpecs, this.#memory as Memory);
  }

  #checkInputs(given: Readonly<Record<string, HostTensor>>): Map<string, HostTensor> {
    const unknown = Object.keys(given).filter((name) => !this.#graph.inputs.has(name));
    const missing = [...this.#graph.inputs.keys()].filter((name) => given[name] === undefined);
    if (unknown.length > 0 || missing.length > 0) {
      const needed = [...this.#graph.inputs.keys()].join(", ") || "none";
      throw new ArgumentError(
        `run: the program's inputs are ${needed}; missing: ${missing.join(", ") || "none"}, unknown: ${unknown.join(", ") || "none"}`,
      );
    }
    return new Map(
      [...this.#graph.inputs].map(([name, spec]) => [name, checked(name, given[name] as HostTensor, spec)]),
    );
  }
}

function checked(name: string, host: HostTensor, spec: Spec): HostTensor {
  if (!sameShape(host.shape, spec.shape))
    throw new ShapeError(`run: input ${name} is ${formatSpec(host)}; the program needs ${formatSpec(spec)}`);
  if (host.dtype !== spec.dtype)
    throw new DTypeError(`run: input ${name} is ${formatSpec(host)}; the program needs ${formatSpec(spec)}`);
  return host;
}

class JobHandle<B> implements Handle {
  readonly spec: Spec;
  readonly #value: () => Promise<HostTensor>;
  #read: Promise<HostTensor> | undefined;

  constructor({ shape, dtype }: Spec, job: Promise<readonly B[]>, index: number, memory: Memory<B>) {
    this.spec = { shape, dtype };
    this.#value = async () => {
      const buffer = (await job)[index] as B;
      try {
        return await memory.download(buffer, this.spec);
      } finally {
        memory.free(buffer);
      }
    };
  }

  read(): Promise<HostTensor> {
    this.#read ??= this.#value();
    return this.#read;
  }
}
