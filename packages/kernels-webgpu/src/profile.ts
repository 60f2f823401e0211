/** Times every dispatch of a device made with `profile: true`. */
import { ArgumentError, type Device } from "@ocelli/core";
import { PassClock, type Span } from "./clock.js";
import type { Step } from "./compile/plan.js";
import type { Gpu } from "./gpu.js";

/** One dispatch of a program, over all its runs. */
export interface ProfileRow {
  /** `layer1.0.conv1/conv2d` */
  readonly label: string;
  /** `conv2d`, `conv2dWeightGrad.reduce`, `mul+add` */
  readonly kernel: string;
  /** Path of the module it belongs to, `layer1.0.conv1`; "" for what belongs to none. */
  readonly module: string;
  readonly count: number;
  /** Milliseconds of all runs together. */
  readonly msTotal: number;
  readonly msMean: number;
  /** Multiply-adds of one run; 0 where they are not what counts. */
  readonly macs: number;
  /** 10^9 floating-point operations a second, two a multiply-add. 0 where the time is not known. */
  readonly gflops: number;
  /** Bytes of everything bound in one run: what is read several times counts once. */
  readonly bytes: number;
  /** 10^9 of those bytes a second. */
  readonly gbps: number;
  /** Of the time of all rows, 0 to 1. */
  readonly share: number;
}

/** One dispatch of one run. */
export interface ProfileEvent {
  readonly label: string;
  readonly kernel: string;
  readonly module: string;
  /** Number of the run, from 0. */
  readonly run: number;
  /** Microseconds since the first event. */
  readonly start: number;
  /** Microseconds. */
  readonly duration: number;
  readonly macs: number;
  readonly bytes: number;
}

export interface Profile {
  /** `device`: by timestamps. `host`: by the clock of this process, a submit for each dispatch; small ones look slower than they are. */
  readonly clock: "device" | "host";
  /** Set to false, runs go at full speed and are not recorded. */
  enabled: boolean;
  /** Runs that were recorded. */
  readonly runs: number;
  /** The slowest first. */
  readonly rows: readonly ProfileRow[];
  /** Of the latest runs: older ones are dropped beyond 100,000. */
  readonly events: readonly ProfileEvent[];
  /** Forgets everything recorded. */
  reset(): void;
}

/** A dispatch with all that it takes to encode it. */
export interface Recordable {
  readonly step: Step;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}

interface Entry {
  readonly label: string;
  readonly kernel: string;
  readonly module: string;
  readonly macs: number;
  readonly bytes: number;
  count: number;
  ms: number;
}

type Event = Omit<ProfileEvent, "start" | "duration"> & Span;

const mostEvents = 100_000;

/** What a device records. */
export class Recorder implements Profile {
  readonly clock: Profile["clock"];
  enabled = true;
  readonly #gpu: Gpu;
  #passClock: PassClock | undefined;
  /** By step, without holding on to programs that are gone. */
  #entryOf = new WeakMap<Step, Entry>();
  #entries: Entry[] = [];
  #events: Event[] = [];
  #runs = 0;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.clock = gpu.device.features.has("timestamp-query") ? "device" : "host";
  }

  get runs(): number {
    return this.#runs;
  }

  get rows(): readonly ProfileRow[] {
    const total = this.#entries.reduce((sum, { ms }) => sum + ms, 0);
    const rows = this.#entries.map(({ ms, count, ...entry }): ProfileRow => {
      const perSecond = (amount: number): number => (ms > 0 ? (amount * count) / (ms * 1e6) : 0);
      const speed = { gflops: perSecond(2 * entry.macs), gbps: perSecond(entry.bytes) };
      return { ...entry, count, msTotal: ms, msMean: ms / count, ...speed, share: total > 0 ? ms / total : 0 };
    });
    return rows.sort((a, b) => b.msTotal - a.msTotal);
  }

  get events(): readonly ProfileEvent[] {
    const first = this.#events.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
    return this.#events.map(({ start, ms, ...event }) => ({
      ...event,
      start: (start - first) * 1000,
      duration: ms * 1000,
    }));
  }

  reset(): void {
    this.#entryOf = new WeakMap();
    this.#entries = [];
    this.#events = [];
    this.#runs = 0;
  }

  dispose(): void {
    this.#passClock?.dispose();
    this.#passClock = undefined;
  }

  /** Runs dispatches, then what `finish` encodes, and waits for their times. */
  async submit(steps: readonly Recordable[], finish: (encoder: GPUCommandEncoder) => void): Promise<void> {
    this.#gpu.counts.dispatches += steps.length;
    const spans = await (this.clock === "device" ? this.#timed(steps, finish) : this.#watched(steps, finish));
    const run = this.#runs++;
    for (const [i, { step }] of steps.entries()) this.#record(step, run, spans[i] as Span);
    if (this.#events.length > mostEvents) this.#events.splice(0, this.#events.length - mostEvents);
  }

  #record(step: Step, run: number, span: Span): void {
    let entry = this.#entryOf.get(step);
    if (entry === undefined) {
      const { label, name, macs, bytes } = step;
      const module = label.endsWith(`/${name}`) ? label.slice(0, -name.length - 1) : "";
      entry = { label, kernel: name, module, macs, bytes, count: 0, ms: 0 };
      this.#entryOf.set(step, entry);
      this.#entries.push(entry);
    }
    entry.count++;
    entry.ms += span.ms;
    const { label, kernel, module, macs, bytes } = entry;
    this.#events.push({ label, kernel, module, macs, bytes, run, ...span });
  }

  /** One submit, a pass for each dispatch. */
  async #timed(steps: readonly Recordable[], finish: (encoder: GPUCommandEncoder) => void): Promise<Span[]> {
    if (this.#passClock === undefined || this.#passClock.passes < steps.length) {
      this.dispose();
      this.#passClock = new PassClock(this.#gpu, Math.max(64, steps.length));
    }
    const clock = this.#passClock as PassClock;
    const encoder = this.#gpu.device.createCommandEncoder({ label: "profiled run" });
    for (const [i, step] of steps.entries()) encode(encoder, step, clock.writes(i));
    clock.resolve(encoder, steps.length);
    finish(encoder);
    this.#gpu.submit(encoder);
    return inOrder(await clock.read(steps.length));
  }

  /** A submit for each dispatch. */
  async #watched(steps: readonly Recordable[], finish: (encoder: GPUCommandEncoder) => void): Promise<Span[]> {
    const spans: Span[] = [];
    const { device } = this.#gpu;
    await device.queue.onSubmittedWorkDone();
    for (const step of steps) {
      const start = performance.now();
      const encoder = device.createCommandEncoder({ label: step.step.label });
      encode(encoder, step);
      this.#gpu.submit(encoder);
      await device.queue.onSubmittedWorkDone();
      spans.push({ start, ms: performance.now() - start });
    }
    const encoder = device.createCommandEncoder();
    finish(encoder);
    this.#gpu.submit(encoder);
    return spans;
  }
}

function encode(
  encoder: GPUCommandEncoder,
  { step, pipeline, group }: Recordable,
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const pass = encoder.beginComputePass({ label: step.label, ...(timestampWrites && { timestampWrites }) });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...(step.workgroups as [number, number, number]));
  pass.end();
}

/** Readings that make no sense would tear the time line apart: such a span begins where the one before ended. */
function inOrder(spans: readonly Span[]): Span[] {
  let end = spans.find(({ ms }) => ms > 0)?.start ?? 0;
  return spans.map(({ start, ms }) => {
    const span = { start: ms > 0 ? Math.max(start, end) : end, ms };
    end = span.start + ms;
    return span;
  });
}

const recorders = new WeakMap<Device, Recorder>();

/** Makes a device's recorder known to {@link profileOf}. */
export function attach(device: Device, recorder: Recorder): void {
  recorders.set(device, recorder);
}

/**
 * What a device recorded, live: rows and events grow with each run.
 * @throws ArgumentError for a device that was made without `profile: true`
 */
export function profileOf(device: Device): Profile {
  const recorder = recorders.get(device);
  if (recorder !== undefined) return recorder;
  throw new ArgumentError(
    `profileOf: this device (${device.info.name}) records nothing; it needs one made by webgpu({ profile: true })`,
    { device: device.info.name },
  );
}
