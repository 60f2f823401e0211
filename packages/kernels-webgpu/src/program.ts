import { DeviceError, type HostTensor } from "@ocelli/core";
import type { Call, Executable } from "@ocelli/core/backend";
import { type Arena, alignment, planArena } from "./compile/arena.js";
import type { Plan, Step, Value } from "./compile/plan.js";
import { formatBytes } from "./errors.js";
import type { Gpu } from "./gpu.js";
import { encoded } from "./host.js";
import { type Memory, type Resident, type Staging, type StagingPool, usage, write } from "./memory.js";
import type { Recorder } from "./profile.js";

/** Inputs up to this size travel together, in one write. */
const smallInput = 4096;

interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

interface Results {
  readonly buffer: Staging;
  readonly places: readonly { readonly offset: number }[];
}

interface Ready {
  readonly step: Step;
  readonly pipeline: GPUComputePipeline;
}

type Prepared = Ready & { readonly group: GPUBindGroup };

/** A plan with its memory and pipelines on a device. */
export class GpuProgram implements Executable<Memory> {
  readonly plan: Plan;
  readonly arena: Arena;
  readonly #gpu: Gpu;
  readonly #pool: StagingPool;
  readonly #recorder: Recorder | undefined;
  readonly #buffers: GPUBuffer[] = [];
  readonly #ranges = new Map<Value, Range>();
  #steps: readonly Ready[] = [];
  /** Bind groups for the state entries used last: most programs only ever see one state. */
  #bound: { readonly state: readonly GPUBuffer[]; readonly steps: readonly Prepared[] } | undefined;
  #small: { readonly buffer: GPUBuffer; readonly bytes: Uint8Array } | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  private constructor(gpu: Gpu, pool: StagingPool, plan: Plan, largest: number, recorder?: Recorder) {
    this.#gpu = gpu;
    this.#pool = pool;
    this.#recorder = recorder;
    this.plan = plan;
    const kept = [...plan.outputs, ...plan.copies.map(({ from }) => from)];
    this.arena = planArena([...plan.prelude, ...plan.steps], kept, largest);
  }

  /** Allocates, compiles all pipelines at once, and computes what depends on constants alone. */
  static async create(
    gpu: Gpu,
    pool: StagingPool,
    plan: Plan,
    largest: number,
    recorder?: Recorder,
  ): Promise<GpuProgram> {
    const program = new GpuProgram(gpu, pool, plan, largest, recorder);
    const peak = `${formatBytes(program.arena.lowerBound)} of them for what lives between its steps, at its peak`;
    const what = `allocating a program's memory, ${formatBytes(program.bytes)} in all, ${peak}`;
    try {
      await gpu.guarded(what, () => program.#allocate());
      program.#steps = await program.#pipelines(plan.steps);
      const early = await program.#pipelines(plan.prelude);
      await gpu.guarded("a program's first dispatches failed", () => {
        const prelude = program.#bind(early, new Map());
        if (prelude.length > 0) program.#submit(prelude, () => undefined);
      });
    } catch (error) {
      program.dispose();
      throw error;
    }
    return program;
  }

  get bytes(): number {
    return this.arena.chunks.reduce((total, bytes) => total + bytes, 0) + this.#fixedBytes();
  }

  #fixedBytes(): number {
    let total = 0;
    for (const value of this.#values()) if (ownBuffer(value)) total += value.bytes;
    return total;
  }

  *#values(): Iterable<Value> {
    const seen = new Set<Value>();
    for (const { bindings } of [...this.plan.prelude, ...this.plan.steps]) {
      for (const { value } of bindings) {
        if (seen.has(value)) continue;
        seen.add(value);
        yield value;
      }
    }
  }

  async run({ inputs, state }: Call<Memory>): Promise<{ outputs: Memory[]; updates: ReadonlyMap<string, Memory> }> {
    this.#gpu.check();
    const staging = await this.#takeStaging();
    this.#feed(inputs);
    const finish = (encoder: GPUCommandEncoder): void => {
      for (const { from, to } of this.plan.copies) {
        const [source, target] = [this.#ranges.get(from) as Range, rangeOf(state, to)];
        encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, to.bytes);
      }
      for (const [i, { offset }] of (staging?.places ?? []).entries()) {
        const value = this.plan.outputs[i] as Value;
        const source = value.home.kind === "state" ? rangeOf(state, value) : (this.#ranges.get(value) as Range);
        const target = (staging as Results).buffer.buffer;
        if (value.size > 0) encoder.copyBufferToBuffer(source.buffer, source.offset, target, offset, value.bytes);
      }
    };
    if (this.#recorder?.enabled !== true) await this.#dispatch(state, finish);
    else await this.#gpu.settled("a run failed", this.#recorder.submit(this.#boundTo(state), finish));
    await this.#paced();
    const outputs = this.plan.outputs.map(
      ({ storage }, i): Memory => ({
        kind: "result",
        staging: (staging as Results).buffer,
        offset: (staging as Results).places[i]?.offset ?? 0,
        storage,
      }),
    );
    // In place, all of them.
    return { outputs, updates: state };
  }

  /** Waits for the run before this one: two are in flight, so that the card never waits for the host. */
  async #paced(): Promise<void> {
    const before = this.#previous;
    this.#previous = this.#gpu.device.queue.onSubmittedWorkDone();
    this.#previous.catch(() => undefined);
    await this.#gpu.settled("a run failed", before);
  }

  async #takeStaging(): Promise<Results | undefined> {
    if (this.plan.outputs.length === 0) return undefined;
    let total = 0;
    const places = this.plan.outputs.map(({ bytes }) => {
      const offset = total;
      total += bytes;
      return { offset };
    });
    return { buffer: await this.#pool.take(total, places.length), places };
  }

  /** The first run with a state is watched: what the device refuses then, it would refuse every time. */
  async #dispatch(state: ReadonlyMap<string, Memory>, finish: (encoder: GPUCommandEncoder) => void): Promise<void> {
    const known = this.#known(state);
    if (known !== undefined) return this.#submit(known, finish);
    try {
      await this.#gpu.guarded("a run was refused", () => this.#submit(this.#boundTo(state), finish));
    } catch (error) {
      const steps = this.#bound?.steps ?? [];
      this.#bound = undefined;
      throw await this.#blamed(error, steps);
    }
  }

  /** The error with the first step that is refused on its own. */
  async #blamed(error: unknown, steps: readonly Prepared[]): Promise<unknown> {
    const { message } = error as Error;
    // Memory and the device's loss are no step's fault.
    if ((error as Error).constructor !== DeviceError) return error;
    for (const one of steps) {
      const alone = this.#gpu.guarded("", () => void this.#encode([one]).finish());
      const refused = await alone.then(
        () => false,
        () => true,
      );
      if (refused) return new DeviceError(`${message}\n  at ${one.step.label}`);
    }
    return error;
  }

  #submit(steps: readonly Prepared[], finish: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#encode(steps);
    this.#gpu.counts.dispatches += steps.length;
    finish(encoder);
    this.#gpu.submit(encoder);
  }

  #encode(steps: readonly Prepared[]): GPUCommandEncoder {
    const encoder = this.#gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let last: GPUComputePipeline | undefined;
    for (const { step, pipeline, group } of steps) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...(step.workgroups as [number, number, number]));
    }
    pass.end();
    return encoder;
  }

  // --- memory ----------------------------------------------------------------------------------------------------------------

  #allocate(): void {
    const flags = usage.storage | usage.copySource | usage.copyTarget;
    const make = (label: string, bytes: number): GPUBuffer => {
      const buffer = this.#gpu.buffer(label, bytes, flags);
      this.#buffers.push(buffer);
      return buffer;
    };
    const chunks = this.arena.chunks.map((bytes, i) => make(`arena ${i}`, bytes));
    for (const [value, { chunk, offset }] of this.arena.places) {
      this.#ranges.set(value, { buffer: chunks[chunk] as GPUBuffer, offset });
    }
    this.#allocateInputs(make);
    for (const value of this.#values()) {
      if (this.#ranges.has(value) || !ownBuffer(value)) continue;
      const range = { buffer: make(value.label, value.bytes), offset: 0 };
      this.#ranges.set(value, range);
      if (value.home.kind === "constant") write(this.#gpu, range.buffer, 0, encoded(value.home.host, value.storage));
    }
  }

  #allocateInputs(make: (label: string, bytes: number) => GPUBuffer): void {
    let total = 0;
    const small: [Value, number][] = [];
    for (const value of this.plan.inputs.values()) {
      if (value.bytes > smallInput) continue;
      small.push([value, total]);
      total += Math.ceil(value.bytes / alignment) * alignment;
    }
    if (total === 0) return;
    const buffer = make("small inputs", total);
    this.#small = { buffer, bytes: new Uint8Array(total) };
    for (const [value, offset] of small) this.#ranges.set(value, { buffer, offset });
  }

  #feed(inputs: ReadonlyMap<string, HostTensor>): void {
    for (const [name, value] of this.plan.inputs) {
      const range = this.#ranges.get(value);
      // An input that nothing reads has no memory.
      if (range === undefined) continue;
      const bytes = encoded(inputs.get(name) as HostTensor, value.storage);
      if (range.buffer === this.#small?.buffer) this.#small.bytes.set(bytes, range.offset);
      else write(this.#gpu, range.buffer, range.offset, bytes);
    }
    if (this.#small !== undefined) write(this.#gpu, this.#small.buffer, 0, this.#small.bytes);
  }

  // --- pipelines and bindings --------------------------------------------------------------------------------------------------

  async #pipelines(steps: readonly Step[]): Promise<Ready[]> {
    const made = await Promise.allSettled(
      steps.map(async (step) => {
        const access = step.bindings.map(({ access: kind }) => kind);
        return { step, pipeline: await this.#gpu.pipeline(step.label, step.code, access) };
      }),
    );
    return made.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  #boundTo(state: ReadonlyMap<string, Memory>): readonly Prepared[] {
    const known = this.#known(state);
    if (known !== undefined) return known;
    const steps = this.#bind(this.#steps, state);
    this.#bound = { state: this.#buffersOf(state), steps };
    return steps;
  }

  /** The steps as they were bound to this state before. */
  #known(state: ReadonlyMap<string, Memory>): readonly Prepared[] | undefined {
    const bound = this.#bound;
    return bound !== undefined && this.#buffersOf(state).every((buffer, i) => buffer === bound.state[i])
      ? bound.steps
      : undefined;
  }

  #buffersOf(state: ReadonlyMap<string, Memory>): GPUBuffer[] {
    return [...this.plan.state.values()].map((value) => rangeOf(state, value).buffer);
  }

  #bind(steps: readonly Ready[], state: ReadonlyMap<string, Memory>): Prepared[] {
    return steps.map(({ step, pipeline }) => {
      const entries = step.bindings.map(({ value }, binding) => {
        const { buffer, offset } =
          value.home.kind === "state" ? rangeOf(state, value) : (this.#ranges.get(value) as Range);
        return { binding, resource: { buffer, offset, size: value.bytes } };
      });
      const layout = this.#gpu.layout(step.bindings.map(({ access }) => access));
      return { step, pipeline, group: this.#gpu.device.createBindGroup({ label: step.label, layout, entries }) };
    });
  }

  dispose(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.destroy(buffer);
  }
}

const ownBuffer = ({ home }: Value): boolean => ["kept", "input", "constant"].includes(home.kind);

function rangeOf(state: ReadonlyMap<string, Memory>, { home }: Value): Range {
  const { name, part } = home as { readonly name: string; readonly part: number };
  return { buffer: (state.get(name) as Resident).buffers[part] as GPUBuffer, offset: 0 };
}
