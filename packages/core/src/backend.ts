/**
 * What the maker of a device writes: memory, and a compiler for one finished graph. {@link createDevice} adds everything that devices
 * share: tracing, passes, the cache of programs, the queue, and checks of inputs and state.
 */
import type { CompileOptions, Device, DeviceInfo, Handle, Program, Traceable } from "./device.js";
import { asyncDisposeKey, disposeKey } from "./dispose.js";
import { DisposedError } from "./errors.js";
import { topologicalOrder } from "./graph.js";
import type { HostTensor } from "./host.js";
import type { Op } from "./op.js";
import { CompiledProgram } from "./program.js";
import { Queue } from "./queue.js";
import { type Memory, State } from "./state.js";
import type { Spec, Tensor } from "./tensor.js";
import { finish, trace } from "./trace.js";

export { disposeKey } from "./dispose.js";
export { allocate } from "./dtype.js";
export { peakBytes } from "./liveness.js";
export type { ConvAttrs } from "./ops/conv.js";
export { type KernelTable, type PrimitiveName, primitives } from "./ops/index.js";
export type { PadAttrs } from "./ops/layout.js";
export { type MatmulAttrs, matmulSizes } from "./ops/matmul.js";
export { alongChannels, batchAxes, batchCount, type LrnAttrs } from "./ops/norm.js";
export { type AvgPoolAttrs, type PoolAttrs, windowSizes } from "./ops/pool.js";
export { decompose, fold, optimize, rewrite, share, uniformValue } from "./passes/index.js";
export { trace } from "./trace.js";

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
  /** True where updates are written into the spare memory of a call; a state then keeps the value before last for it. */
  readonly keepsSpares?: boolean;
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
      keepsSpares: backend.keepsSpares ?? false,
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
    const release = (): void => {
      cached.users--;
      void this.#trim();
    };
    const outputNames = Object.keys(traced.outputs);
    return new CompiledProgram({
      memory: this.#memory,
      graph,
      outputNames,
      executable: cached.executable,
      stats,
      release,
    });
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
