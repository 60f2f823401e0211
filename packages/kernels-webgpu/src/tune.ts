/**
 * Which variant of a kernel is fastest here, found by running them. The first use of a shape class measures; after that the choice is
 * remembered, in this process and in a store. Results of different variants differ in rounding, so bit-exact repetition needs the same
 * choices: the same store, or `tune: "off"`.
 */
import { ArgumentError, type Attrs, byteSize, costOf, formatSpec, hashBytes, type Spec } from "@ocelli/core";
import { isSoftware } from "./adapter.js";
import type { Gpu } from "./gpu.js";
import type { Kernel, Site } from "./kernel.js";
import type { ChoiceStore } from "./tune-store.js";
import { type Subject, Trial, type TrialOptions } from "./tune-trial.js";

/**
 * `auto`: measure on graphics cards, take the best guess on processors, whose time says little. `always`: measure on both. `off`: take
 * the best guess, which is the same everywhere.
 */
export type TuneMode = "auto" | "off" | "always";

/** Whether to measure on an adapter. @throws ArgumentError for a mode that is none */
export function measures(mode: TuneMode, adapter: GPUAdapter): boolean {
  if (!["auto", "off", "always"].includes(mode)) {
    throw new ArgumentError(`webgpu: tune is ${JSON.stringify(mode)}; there are "auto", "off" and "always"`, {
      tune: mode,
    });
  }
  return mode === "always" || (mode === "auto" && !isSoftware(adapter));
}

export type Choose = (site: Site, kernel: Kernel) => unknown;

export interface TunerOptions {
  readonly gpu: Gpu;
  readonly compile: TrialOptions["compile"];
  /** Whether to measure at all. */
  readonly measures: boolean;
  /** The adapter, and the versions of what runs below: choices for another are not taken. */
  readonly adapter: string;
  readonly store: ChoiceStore;
  /** Milliseconds after which no further class is measured for a program; in twice that, all is done. Default 2000. */
  readonly budget?: number;
}

/** Work below this is done before a difference could be seen. */
const leastWork = 1e6;

/** Another variant has to be this much faster than the best guess: choices should not hang on noise. */
const margin = 0.97;

/** Chooses variants of kernels. */
export class Tuner {
  readonly #options: TunerOptions;
  readonly #device: string;
  readonly #known = new Map<string, unknown>();
  /** Classes by kernel and by all that tells its sites apart, so that their shaders are written once. */
  readonly #subjects = new WeakMap<Kernel, Map<string, Subject>>();
  #pending = new Map<string, Subject>();
  #loaded: Promise<void> | undefined;
  #measuring: Promise<void> = Promise.resolve();

  constructor(options: TunerOptions) {
    this.#options = options;
    this.#device = JSON.stringify([options.adapter, options.compile.limits, options.compile.f16]);
  }

  /** Compiles, and once more when what was chosen had to be measured first. `compile` is pure: it may be called twice. */
  async plan<T>(compile: (choose: Choose) => T): Promise<T> {
    const choose: Choose = (site, kernel) => this.choose(site, kernel);
    if (!this.#options.measures) return compile(choose);
    await this.load();
    const first = compile(choose);
    if (this.pending === 0) return first;
    await this.measure();
    const second = compile(choose);
    // Those that the time did not suffice for: the next program that has them tries again.
    this.#pending.clear();
    return second;
  }

  /** Fetches what was remembered, once. */
  load(): Promise<void> {
    this.#loaded ??= this.#options.store.load(this.#device).then((choices) => {
      for (const [key, variant] of choices) this.#known.set(key, variant);
    });
    return this.#loaded;
  }

  /** The remembered variant; else the best guess, and the site's class is pending. */
  choose(site: Site, kernel: Kernel): unknown {
    const variants = kernel.variants?.(site) ?? [];
    const guess = variants[0];
    if (variants.length < 2 || !this.#options.measures) return guess;
    const work = workOf(site);
    if (work < leastWork) return guess;
    const subject = this.#subjectOf(site, kernel, variants, work);
    const known = this.#remembered(subject);
    if (known === undefined) this.#pending.set(subject.key, subject);
    return known ?? guess;
  }

  /** Only what the kernel itself offers: a store may hold anything. */
  #remembered({ key, variants }: Subject): unknown {
    if (!this.#known.has(key)) return undefined;
    const text = JSON.stringify(this.#known.get(key));
    return variants.find((variant) => JSON.stringify(variant) === text);
  }

  /** Classes that {@link measure} would look at. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Measures what is pending, the most work first, until the time is spent; what is left keeps its best guess. */
  measure(budget: number = this.#options.budget ?? 2000): Promise<void> {
    const subjects = [...this.#pending.values()].sort((a, b) => b.work - a.work);
    this.#pending = new Map();
    // One at a time: two would time each other.
    this.#measuring = this.#measuring.then(() => this.#measure(subjects, budget));
    return this.#measuring;
  }

  async #measure(subjects: readonly Subject[], budget: number): Promise<void> {
    const found = new Map<string, unknown>();
    const deadline = performance.now() + budget;
    for (const subject of subjects) {
      if (performance.now() >= deadline || this.#isBroken()) break;
      // Measured meanwhile for another program.
      if (this.#remembered(subject) !== undefined) continue;
      // The last one begun may take as long again: a class that is given up halfway is begun anew at each start.
      const fastest = await this.#fastest(subject, deadline + budget).catch(() => undefined);
      // A card that gave up on one of the variants would do so at each start.
      const variant = this.#isBroken() ? subject.variants[0] : fastest;
      if (variant === undefined) continue;
      this.#known.set(subject.key, variant);
      found.set(subject.key, variant);
    }
    if (found.size > 0) await this.#options.store.save(this.#device, found).catch(() => undefined);
  }

  #isBroken(): boolean {
    try {
      this.#options.gpu.check();
      return false;
    } catch {
      return true;
    }
  }

  /** Undefined when nothing ran or the time was spent before all had run. */
  async #fastest(subject: Subject, deadline: number): Promise<unknown> {
    const trial = new Trial(subject, this.#options);
    try {
      const times = await trial.times(deadline);
      if (times === undefined) return undefined;
      let best = 0;
      for (const [i, ms] of times.entries()) {
        const current = times[best] as number;
        if (ms < current * (best === 0 ? margin : 1)) best = i;
      }
      return Number.isFinite(times[best]) ? subject.variants[best] : undefined;
    } finally {
      trial.dispose();
    }
  }

  #subjectOf(site: Site, kernel: Kernel, variants: readonly unknown[], work: number): Subject {
    const vectorizable = site.inputs.map((_, i) => site.vectorizable(i));
    const near = `${describe(site)} ${vectorizable.map(Number).join("")} ${JSON.stringify(variants)}`;
    let subjects = this.#subjects.get(kernel);
    if (subjects === undefined) {
      subjects = new Map();
      this.#subjects.set(kernel, subjects);
    }
    let subject = subjects.get(near);
    if (subject === undefined) {
      // The shader names the kernel's version: a choice does not outlive what it was measured with.
      const code = JSON.stringify(kernel.dispatches(site, variants[0]));
      const { node, attrs } = site;
      subject = {
        key: `${describe(site)} #${hashBytes(new TextEncoder().encode(`${near}\n${code}`))}`,
        op: node.op,
        attrs,
        inputs: site.inputs.map(plainSpec),
        outputs: site.outputs.map(plainSpec),
        vectorizable,
        kernel,
        variants,
        work,
      };
      subjects.set(near, subject);
    }
    return subject;
  }
}

/** Without the graph that a tensor hangs on. */
const plainSpec = ({ shape, dtype }: Spec): Spec => ({ shape, dtype });

function workOf({ node, inputs, outputs }: Site): number {
  const bytes = [...inputs, ...outputs].reduce((total, spec) => total + byteSize(spec), 0);
  return Math.max(costOf(node).macs, bytes / 4);
}

/** `conv2d float32[8, 64, 28, 28] float32[64, 64, 3, 3] -> float32[8, 64, 28, 28] {"stride":[1,1]}` */
function describe({ node, inputs, outputs, attrs }: Site): string {
  return `${node.op.name} ${inputs.map(formatSpec).join(" ")} -> ${outputs.map(formatSpec).join(" ")} ${attrsText(attrs)}`;
}

/** Attributes in an order of their own. Of host data only the spec: its values change no kernel's time. */
export function attrsText(attrs: Attrs): string {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const entries = value as Readonly<Record<string, unknown>>;
    if (ArrayBuffer.isView(entries.data)) return formatSpec(value as Spec);
    return Object.fromEntries(
      Object.keys(entries)
        .sort()
        .map((name) => [name, entries[name]]),
    );
  };
  return JSON.stringify(attrs, plain);
}
