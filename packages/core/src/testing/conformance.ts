import type { Device } from "../device.js";
import { OcelliError } from "../errors.js";
import { gradients } from "../gradients.js";
import { type HostTensor, hostTensor } from "../host.js";
import type { PrimitiveName } from "../ops/index.js";
import { prepare } from "../reference/index.js";
import type { Tensor } from "../tensor.js";
import { compareTensors } from "./compare.js";
import { graphOf, lossOf, type SampleGraph } from "./graph.js";
import { allSamples, type OpSample } from "./samples/index.js";

export type Pass = "forward" | "gradient";

/** One sample, one way. */
export interface ConformanceCase {
  /** The op that the sample is for; `random` for one made by {@link randomSample}. */
  readonly op: PrimitiveName | "random";
  readonly sample: OpSample;
  readonly pass: Pass;
}

export interface ConformanceOptions {
  /** Says why a case is left out, or nothing. */
  readonly skip?: (which: ConformanceCase) => string | undefined;
  /** A tolerance in place of the sample's, or nothing. */
  readonly tolerance?: (which: ConformanceCase) => number | undefined;
}

export interface ConformanceResult {
  /** `conv2d: depthwise (gradient)` */
  readonly sample: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly error: number;
  readonly tolerance: number;
  /** Why it failed or was skipped. */
  readonly reason: string;
}

/** A test for whatever runs tests: `for (const { name, skip, run } of tests) it.skipIf(skip !== undefined)(name, run)`. */
export interface ConformanceTest {
  readonly name: string;
  /** Why it is left out; `run` then does nothing. */
  readonly skip?: string;
  readonly run: () => Promise<void>;
}

const titleOf = ({ op, sample, pass }: ConformanceCase): string =>
  `${op}: ${sample.name}${pass === "gradient" ? " (gradient)" : ""}`;

/** Every sample forward, and backward wherever a gradient exists. */
export function conformanceCases(): ConformanceCase[] {
  return allSamples().flatMap(({ op, sample }) => {
    const backward = !sample.tags.includes("nonfinite") && lossOf(graphOf(sample)) !== undefined;
    const passes: readonly Pass[] = backward ? ["forward", "gradient"] : ["forward"];
    return passes.map((pass) => ({ op, sample, pass }));
  });
}

/** Runs every case on a device and compares it with the float64 reference. The device is disposed of at the end. */
export async function conformance(
  makeDevice: () => Promise<Device>,
  options: ConformanceOptions = {},
): Promise<ConformanceResult[]> {
  const device = await makeDevice();
  const results: ConformanceResult[] = [];
  try {
    for (const which of conformanceCases()) results.push(await runCase(device, which, options));
  } finally {
    await device.dispose();
  }
  return results;
}

/** Runs one case. Errors of the device become failures. */
export async function runCase(
  device: Device,
  which: ConformanceCase,
  options: ConformanceOptions = {},
): Promise<ConformanceResult> {
  const tolerance = options.tolerance?.(which) ?? which.sample.tolerance;
  const base = { sample: titleOf(which), tolerance };
  const skip = options.skip?.(which);
  if (skip !== undefined) return { ...base, status: "skipped", error: 0, reason: skip };
  try {
    const { error, reason } = await compareCase(device, which);
    return error <= tolerance
      ? { ...base, status: "passed", error, reason: "" }
      : { ...base, status: "failed", error, reason };
  } catch (error) {
    return { ...base, status: "failed", error: Number.POSITIVE_INFINITY, reason: messageOf(error) };
  }
}

const messageOf = (error: unknown): string =>
  error instanceof OcelliError
    ? `${error.name}: ${error.message}`
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);

async function compareCase(
  device: Device,
  { sample, pass }: ConformanceCase,
): Promise<{ error: number; reason: string }> {
  const actual = await computeOn(device, sample, pass);
  const specs = resultsOf(graphOf(sample), pass);
  const expected = prepare(specs).run(new Map(sample.inputs.map((host, i) => [`x${i}`, host])));
  const compared = actual.map((result, i) => compareTensors(result, expected[i]!, specs[i]!, sample.scale));
  return compared.reduce((worst, next) => (next.error > worst.error ? next : worst), { error: 0, reason: "" });
}

const resultsOf = (graph: SampleGraph, pass: Pass): readonly Tensor[] =>
  pass === "forward" ? graph.outputs : gradients(lossOf(graph) as Tensor, graph.floats);

/** Compiles and runs a sample as a program of its own. Its inputs are inputs, so that nothing is folded away. */
async function computeOn(device: Device, sample: OpSample, pass: Pass): Promise<HostTensor[]> {
  const named = <T>(values: readonly T[]): Record<string, T> =>
    Object.fromEntries(values.map((value, i) => [`x${i}`, value]));
  using program = await device.compile({
    inputs: named(sample.inputs.map(({ shape, dtype }) => ({ shape, dtype }))),
    build: (inputs) => ({ outputs: named(resultsOf(graphOf(sample, inputs), pass)) }),
  });
  const handles = await program.run(
    named(sample.inputs.map(({ data, shape, dtype }) => hostTensor(data.slice(), shape, dtype))),
  );
  return await Promise.all(Object.values(handles).map((handle) => handle.read()));
}

/**
 * The same as {@link conformance}, as one test a case for any test runner. They share one device, made by the first that runs; the
 * last test disposes of it.
 */
export function conformanceTests(
  makeDevice: () => Promise<Device>,
  options: ConformanceOptions = {},
): ConformanceTest[] {
  let device: Promise<Device> | undefined;
  const shared = (): Promise<Device> => {
    device ??= makeDevice();
    return device;
  };
  const tests = conformanceCases().map((which): ConformanceTest => {
    const skip = options.skip?.(which);
    if (skip !== undefined) return { name: titleOf(which), skip, run: async () => undefined };
    return { name: titleOf(which), run: async () => assertPassed(await runCase(await shared(), which, options)) };
  });
  return [...tests, { name: "disposes of the device", run: async () => (await device)?.dispose() }];
}

function assertPassed({ sample, status, error, tolerance, reason }: ConformanceResult): void {
  if (status === "failed") throw new Error(`${sample}: error ${error} is above the tolerance ${tolerance}: ${reason}`);
}
