import type { Executable, ProgramGraph } from "./backend.js";
import type { Handle, Program, ProgramStats } from "./device.js";
import { disposeKey } from "./dispose.js";
import { ArgumentError, DisposedError, DTypeError, ShapeError } from "./errors.js";
import type { HostTensor } from "./host.js";
import type { Queue } from "./queue.js";
import { sameShape } from "./shape.js";
import type { Memory, State } from "./state.js";
import { formatSpec, type Spec } from "./tensor.js";

export interface CompiledParts<B> {
  readonly memory: Memory<B>;
  readonly graph: ProgramGraph;
  readonly outputNames: readonly string[];
  readonly executable: Executable<B>;
  readonly stats: ProgramStats;
  /** Called once, when the program is disposed. */
  readonly release: () => void;
}

/** A program that is ready to run: checks what it is given, queues, and puts updates in place. */
export class CompiledProgram<B> implements Program {
  readonly stats: ProgramStats;
  readonly #parts: CompiledParts<B>;
  readonly #memory: Memory<B>;
  readonly #queue: Queue;
  readonly #graph: ProgramGraph;
  #disposed = false;

  constructor(parts: CompiledParts<B>) {
    this.stats = parts.stats;
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#queue = parts.memory.queue;
    this.#graph = parts.graph;
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
      this.#parts.outputNames.map((name, i) => [
        name,
        new JobHandle(this.#graph.outputs[i] as Spec, job, i, this.#memory),
      ]),
    );
  }

  [disposeKey](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.release();
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
    const { outputs, updates } = await this.#parts.executable.run({ inputs: feeds, state: current, spare });
    for (const [name, buffer] of updates) (state as State).replace(name, buffer);
    return outputs;
  }

  #expectState(state: State | undefined): void {
    if (state === undefined) throw new ArgumentError("run: the program reads state; pass the state as second argument");
    state.expect(this.#graph.state, this.#memory as Memory);
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

// A result that nobody reads holds device memory until its handle is collected.
const unread = new FinalizationRegistry<() => void>((free) => free());

/** Made out here: a closure made in the constructor would hold the handle itself, which could then never be collected. */
function freeing<B>(job: Promise<readonly B[]>, index: number, memory: Memory<B>): () => void {
  const free = (buffers: readonly B[]): void => memory.free(buffers[index] as B);
  return () => void job.then(free, () => undefined);
}

class JobHandle<B> implements Handle {
  readonly spec: Spec;
  readonly #value: () => Promise<HostTensor>;
  #read: Promise<HostTensor> | undefined;

  constructor({ shape, dtype }: Spec, job: Promise<readonly B[]>, index: number, memory: Memory<B>) {
    this.spec = { shape, dtype };
    this.#value = async () => {
      // Before the wait: a read that has begun is finished, even if the device is disposed of meanwhile.
      memory.check();
      const buffer = (await job)[index] as B;
      try {
        return await memory.download(buffer, this.spec);
      } finally {
        memory.free(buffer);
      }
    };
    unread.register(this, freeing(job, index, memory), this);
  }

  read(): Promise<HostTensor> {
    unread.unregister(this);
    this.#read ??= this.#value();
    return this.#read;
  }
}
