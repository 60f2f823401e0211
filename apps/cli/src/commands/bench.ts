import { type Device, type HostTensor, hostTensor, mean, type Tensor } from "@ocelli/core";
import { normalize, predictor, sgd, type Transform, trainStep } from "@ocelli/training";
import { lossPerSampleOf, type ModelEntry, type ModelOutput } from "@ocelli/zoo";
import { describeDevice, openDevice } from "../device.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print, printJson } from "../io.js";
import { entryOf, imageOf } from "../model.js";
import {
  checkProfile,
  type ProfileFlags,
  pauseProfile,
  profileJson,
  type Recorded,
  record,
  showProfile,
  writeTrace,
} from "../profiling.js";
import { colors, formatInteger, labelled } from "../terminal.js";

export interface BenchFlags extends ProfileFlags {
  readonly mode: "train" | "infer";
  readonly batch: number;
  readonly seconds: number;
  readonly json?: boolean;
}

const warmUps = 3;
const fewestSteps = 5;
const mostSteps = 100_000;

/** One kind of work, compiled: `step` queues a batch and resolves to the wait for its result. */
interface Work {
  readonly compileMs: number;
  step(): Promise<() => Promise<unknown>>;
  dispose(): void;
}

/** `ocelli bench MODEL`: speed on synthetic images. */
export async function bench(io: Io, name: string, flags: BenchFlags): Promise<void> {
  const { mode, batch } = flags;
  checkProfile(flags);
  const entry = entryOf(name);
  await interruptible(io, "stopping ...", async (signal) => {
    const device = await openDevice({ ...flags, profile: flags.profile !== undefined }, (line) => note(io, line));
    try {
      await pauseProfile(device, flags);
      const work = await (mode === "train" ? trainingWork : inferenceWork)(device, entry, batch);
      const { times, recorded } = await measureAll(device, work, flags, signal).finally(work.dispose);
      const msMedian = times[Math.floor(times.length / 2)] as number;
      const result = {
        model: name,
        mode,
        device: device.info.name,
        adapter: device.info.adapter,
        batch,
        threads: device.info.threads ?? null,
        imagesPerSecond: (1000 * batch) / msMedian,
        msMedian,
        msMin: times[0] as number,
        msMax: times.at(-1) as number,
        compileMs: work.compileMs,
        peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      };
      if (recorded !== undefined) await writeTrace(recorded);
      if (flags.json)
        return printJson(io, recorded === undefined ? result : { ...result, profile: profileJson(recorded) });
      show(io, result, { steps: times.length, device: describeDevice(device) });
      if (recorded !== undefined) await showProfile(io, recorded);
    } finally {
      await device.dispose();
    }
  });
}

interface Result {
  readonly model: string;
  readonly mode: string;
  readonly batch: number;
  readonly imagesPerSecond: number;
  readonly msMedian: number;
  readonly msMin: number;
  readonly msMax: number;
  readonly compileMs: number;
  readonly peakMemoryBytes: number;
}

function show(io: Io, result: Result, { steps, device }: { readonly steps: number; readonly device: string }): void {
  const ms = (value: number): string => `${value < 100 ? value.toFixed(2) : formatInteger(value)} ms`;
  const { msMedian, msMin, msMax } = result;
  const lines = labelled(
    [
      ["model", `${result.model}, ${result.mode}, batches of ${result.batch}`],
      ["device", device],
      ["speed", `${formatInteger(result.imagesPerSecond)} images/s`],
      ["step", `${ms(msMedian)} median, ${ms(msMin)} to ${ms(msMax)} over ${formatInteger(steps)} steps`],
      ["compiling", ms(result.compileMs)],
      ["memory", `${formatInteger(result.peakMemoryBytes / 2 ** 20)} MiB at most`],
    ],
    colors(io).dim,
  );
  for (const line of lines) print(io, line);
}

/** Milliseconds of steps, the shortest first; and after those, where it was asked for, steps with a time for each kernel. */
async function measureAll(
  device: Device,
  work: Work,
  flags: BenchFlags,
  signal: AbortSignal,
): Promise<{ readonly times: readonly number[]; readonly recorded: Recorded | undefined }> {
  const { seconds } = flags;
  const times = (await measure(work, seconds, signal)).sort((a, b) => a - b);
  const step = async (): Promise<unknown> => (await work.step())();
  return { times, recorded: await record(device, flags, step, { seconds, signal }) };
}

/** Milliseconds from one result to the next, with the following step already queued, as in a training. */
async function measure(work: Work, seconds: number, signal: AbortSignal): Promise<number[]> {
  for (let i = 0; i < warmUps; i++) await (await work.step())();
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  let waiting = await work.step();
  let last = performance.now();
  while ((performance.now() < end || times.length < fewestSteps) && times.length < mostSteps) {
    signal.throwIfAborted();
    const next = await work.step();
    await waiting();
    waiting = next;
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  await waiting();
  return times;
}

async function trainingWork(device: Device, entry: ModelEntry, batch: number): Promise<Work> {
  const model = entry.build();
  const state = await device.init(model, { seed: 0 });
  const perSample = lossPerSampleOf(entry);
  const loss = (output: ModelOutput, labels: Tensor): Tensor => mean(perSample(output, labels));
  // Small steps: synthetic labels are noise, and a loss that grows without bound would slow some processors down.
  const optimizer = sgd({ lr: 1e-4, momentum: 0.9, weightDecay: 1e-4 });
  const step = trainStep(device, state, { model, loss, optimizer, transform: transformOf(entry) });
  const images = syntheticImages(entry, batch);
  const labels = hostTensor(Int32Array.from({ length: batch }, (_, i) => i % entry.numClasses));
  const { stats } = await step.program({ images, labels });
  return {
    compileMs: stats.compileMs,
    step: async () => {
      const result = await step({ images, labels });
      return () => result.loss.read();
    },
    dispose: () => state.dispose(),
  };
}

async function inferenceWork(device: Device, entry: ModelEntry, batch: number): Promise<Work> {
  const model = entry.build();
  const run = await predictor(device, model.initialState({ seed: 0 }), { model, transform: transformOf(entry) });
  const images = syntheticImages(entry, batch);
  const program = await run.program(images);
  return {
    compileMs: program.stats.compileMs,
    step: async () => {
      const { output } = await program.run({ images });
      return () => (output as NonNullable<typeof output>).read();
    },
    // The device's own disposal takes programs along.
    dispose: () => undefined,
  };
}

function transformOf(entry: ModelEntry): Transform {
  const { mean: average, std, pad = 0 } = entry.preprocessing;
  const each = (value: number): number[] => Array.from({ length: entry.input[0] }, () => value);
  return normalize({ mean: average ?? each(0.5), std: std ?? each(0.25), pad });
}

function syntheticImages(entry: ModelEntry, batch: number): HostTensor {
  const shape = [batch, ...imageOf(entry)];
  const pixels = new Uint8Array(shape.reduce((a, b) => a * b, 1));
  // A linear congruential generator: any noise will do.
  for (let i = 0, seed = 1; i < pixels.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    pixels[i] = seed >>> 24;
  }
  return hostTensor(pixels, shape);
}
