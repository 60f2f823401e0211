import { type Attrs, input, Node, type Op, type Spec } from "@ocelli/core";
import { PassClock } from "./clock.js";
import { type CompileOptions, compile } from "./compile/compile.js";
import type { Plan, Step, Value } from "./compile/plan.js";
import { Ways } from "./compile/ways.js";
import type { Gpu } from "./gpu.js";
import type { Kernel } from "./kernel.js";
import { usage } from "./memory.js";

/** One class of sites: what has to be the same for two to share a choice. Holds no graph. */
export interface Subject {
  readonly key: string;
  readonly op: Op;
  readonly attrs: Attrs;
  readonly inputs: readonly Spec[];
  readonly outputs: readonly Spec[];
  readonly vectorizable: readonly boolean[];
  readonly kernel: Kernel;
  /** JSON values, the best guess first. */
  readonly variants: readonly unknown[];
  /** Multiply-adds, or elements moved where they are more. */
  readonly work: number;
}

export interface TrialOptions {
  readonly gpu: Gpu;
  /** As the programs are compiled. */
  readonly compile: Omit<CompileOptions, "ways" | "choose">;
}

/** Passes that are timed; the shortest counts. */
const passes = 3;
/** A pass should last this many milliseconds: browsers round their clock to a tenth of one. */
const passMs = 2;
const mostRepeats = 50;
/** Beyond so many multiply-adds one repetition is long enough, and a first one for warming up would cost too much. */
const huge = 2e10;

interface Compiled {
  readonly step: Step;
  readonly pipeline: GPUComputePipeline;
}

/** Variants of one kernel on memory of their own, run and timed. */
export class Trial {
  readonly #subject: Subject;
  readonly #gpu: Gpu;
  readonly #compile: TrialOptions["compile"];
  readonly #clock: PassClock | undefined;
  /** Of inputs by name, and of everything else by order: variants use each other's. */
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(subject: Subject, { gpu, compile: options }: TrialOptions) {
    this.#subject = subject;
    this.#gpu = gpu;
    this.#compile = options;
    this.#clock = gpu.device.features.has("timestamp-query") ? new PassClock(gpu, passes) : undefined;
  }

  /**
   * Milliseconds of each variant; infinite for those that do not run, or are far slower than another.
   * @param deadline of `performance.now()`
   * @returns undefined when the time was spent first
   */
  async times(deadline: number): Promise<number[] | undefined> {
    const { variants, work } = this.#subject;
    const compiling = Promise.all(variants.map((variant) => this.#compiled(variant)));
    const compiled = await before(deadline, compiling);
    if (compiled === undefined) return undefined;
    const times = variants.map(() => Number.POSITIVE_INFINITY);
    for (const [i, steps] of compiled.entries()) {
      if (performance.now() >= deadline) return undefined;
      if (steps === undefined) continue;
      if (work < huge) await this.#time(steps, 1, 1);
      times[i] = await this.#time(steps, 1, 1);
    }
    const best = Math.min(...times);
    if (work >= huge || !Number.isFinite(best)) return times;
    // The same for all, so that what a submit itself costs weighs the same.
    const repeats = Math.min(mostRepeats, Math.max(1, Math.ceil(passMs / Math.max(best, 1e-3))));
    for (const [i, steps] of compiled.entries()) {
      if (performance.now() >= deadline) return undefined;
      const isSlow = (times[i] as number) > 2 * best;
      times[i] = steps === undefined || isSlow ? Number.POSITIVE_INFINITY : await this.#time(steps, passes, repeats);
    }
    return times;
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#gpu.destroy(buffer);
    this.#buffers.clear();
    this.#clock?.dispose();
  }

  /** A variant's pipelines. They are not kept: no program has these very shaders. Undefined when one does not compile. */
  async #compiled(variant: unknown): Promise<readonly Compiled[] | undefined> {
    try {
      const plan = this.#plan(variant);
      return await Promise.all([...plan.prelude, ...plan.steps].map((step) => this.#pipeline(step)));
    } catch {
      return undefined;
    }
  }

  /** A program of the one op, on leaves that are read as the site reads its inputs. */
  #plan(variant: unknown): Plan {
    const { op, attrs, inputs, outputs, kernel, vectorizable } = this.#subject;
    const leaves = inputs.map((spec, i) => input(`x${i}`, spec));
    const node = new Node(op, leaves, attrs, outputs, "");
    const fixed: Kernel = {
      ...(kernel.inlines === undefined ? {} : { inlines: kernel.inlines }),
      dispatches: (site) => kernel.dispatches({ ...site, vectorizable: (i) => vectorizable[i] === true }, variant),
    };
    const graph = {
      hash: "",
      inputs: new Map(),
      state: new Map(leaves.map((leaf, i) => [`x${i}`, leaf])),
      outputs: node.outputs,
      updates: new Map(),
    };
    const ways = new Ways(new Map<Op, { kernel: Kernel }>([[op, { kernel: fixed }]]));
    return compile(graph, { ...this.#compile, ways, choose: () => undefined });
  }

  async #pipeline(step: Step): Promise<Compiled> {
    const { device } = this.#gpu;
    const access = step.bindings.map(({ access: kind }) => kind);
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: step.label, code: step.code });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [this.#gpu.layout(access)] });
    const made = device.createComputePipelineAsync({ layout, compute: { module, entryPoint: "main" } });
    const [error, pipeline] = await this.#settled(Promise.all([device.popErrorScope(), made]));
    if (error !== null) throw new Error(error.message);
    return { step, pipeline };
  }

  /** Milliseconds of one repetition, infinite when it does not run. */
  async #time(steps: readonly Compiled[], count: number, repeats: number): Promise<number> {
    try {
      const groups = await this.#gpu.guarded("memory to measure in", () => this.#bind(steps));
      const before = performance.now();
      await this.#gpu.guarded("a kernel that is measured", () => this.#submit(steps, groups, count, repeats));
      const spans = this.#clock === undefined ? [] : await this.#settled(this.#clock.read(count));
      await this.#settled(this.#gpu.device.queue.onSubmittedWorkDone());
      const wall = (performance.now() - before) / count;
      const timed = spans.map(({ ms }) => ms).filter((ms) => ms > 0);
      return (timed.length > 0 ? Math.min(...timed) : wall) / repeats;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  #settled<T>(promise: Promise<T>): Promise<T> {
    return this.#gpu.settled("measuring a kernel", promise);
  }

  #submit(steps: readonly Compiled[], groups: readonly GPUBindGroup[], count: number, repeats: number): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: "measuring" });
    for (let k = 0; k < count; k++) {
      const pass = encoder.beginComputePass(
        this.#clock === undefined ? {} : { timestampWrites: this.#clock.writes(k) },
      );
      for (let r = 0; r < repeats; r++) {
        for (const [i, { step, pipeline }] of steps.entries()) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, groups[i] as GPUBindGroup);
          pass.dispatchWorkgroups(...(step.workgroups as [number, number, number]));
        }
      }
      pass.end();
    }
    this.#clock?.resolve(encoder, count);
    this.#gpu.submit(encoder);
  }

  #bind(steps: readonly Compiled[]): GPUBindGroup[] {
    const names = new Map<Value, string>();
    return steps.map(({ step }) => {
      const entries = step.bindings.map(({ value }, binding) => {
        const name = names.get(value) ?? nameOf(value, names.size);
        names.set(value, name);
        return { binding, resource: { buffer: this.#buffer(name, value.bytes), size: value.bytes } };
      });
      const layout = this.#gpu.layout(step.bindings.map(({ access }) => access));
      return this.#gpu.device.createBindGroup({ layout, entries });
    });
  }

  /** Memory of zeros: kernels take as long for them as for other numbers. */
  #buffer(name: string, bytes: number): GPUBuffer {
    const known = this.#buffers.get(name);
    if (known !== undefined && known.size >= bytes) return known;
    if (known !== undefined) this.#gpu.destroy(known);
    const made = this.#gpu.buffer(`measuring ${name}`, bytes, usage.storage);
    this.#buffers.set(name, made);
    return made;
  }
}

/** What a promise gives, or undefined when that takes too long. */
async function before<T>(deadline: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, deadline - performance.now()));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const nameOf = ({ home, label }: Value, count: number): string =>
  home.kind === "state" ? `state ${home.name}` : `${label} ${count}`;
