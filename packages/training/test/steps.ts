import { readFileSync } from "node:fs";
import {
  crossEntropy,
  type Device,
  type HostTensor,
  hostTensor,
  item,
  type State,
  type StateDict,
  sizeOf,
} from "@ocelli/core";
import { BatchNorm1d, Linear, type Module, ReLU, Sequential } from "@ocelli/layers";
import { makeAverage, makeClip, makeOptimizer, type Named, sgd } from "../src/index.js";
import { type HostBatch, type TrainStep, type TrainStepOptions, trainStep } from "../src/train-step.js";

/** One case of fixtures/steps.json: options of `trainStep` as data, and what PyTorch made of them. */
export interface FixtureCase {
  readonly calls: number;
  readonly optimizer: Named;
  readonly clip?: Named;
  readonly average?: Named;
  readonly accumulate?: number;
  readonly freeze?: readonly string[];
  readonly losses: readonly number[];
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly averages?: Readonly<Record<string, readonly number[]>>;
}

export const fixtures = JSON.parse(
  readFileSync(new URL("../fixtures/steps.json", import.meta.url), "utf8"),
) as FixtureCase[];

export function optionsOf({ optimizer, clip, average, accumulate, freeze }: FixtureCase): Partial<TrainStepOptions> {
  return {
    optimizer: makeOptimizer(optimizer),
    clip: clip && makeClip(clip),
    average: average && makeAverage(average),
    accumulate,
    freeze,
  };
}

/** The fixture's network. */
export const net = (): Module => new Sequential(new Linear(5, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 3));

/** The fixture's numbers. */
export function formula(shape: readonly number[], phase: number, scale: number): HostTensor {
  return hostTensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(phase + 1.3 * i)),
    shape,
  );
}

/** The fixture's batches. `first` replaces a pixel. */
export function batchOf(i: number, first?: number): HostBatch {
  const images = formula([6, 5], 10 * i, 1);
  if (first !== undefined) images.data[0] = first;
  return { images, labels: hostTensor(Int32Array.from({ length: 6 }, (_, j) => (i + j * j) % 3)) };
}

/** What the fixture starts from. */
export function initialValues(model: Module): StateDict {
  const params = [...model.parameters()].map(([name, { shape }], i) => [name, formula(shape, i, 0.8)]);
  return { ...model.initialState({ seed: 0 }), params: Object.fromEntries(params) };
}

export interface Run {
  readonly model: Module;
  readonly state: State;
  readonly step: TrainStep;
}

/** A step of the fixture's network, with SGD unless told otherwise. */
export async function withStep<T>(
  device: Device,
  { values, ...options }: Partial<TrainStepOptions> & { readonly values?: StateDict },
  fn: (run: Run) => Promise<T>,
): Promise<T> {
  const model = net();
  using state = await device.createState(values ?? initialValues(model));
  const optimizer = sgd({ lr: 0.1, momentum: 0.9 });
  return await fn({
    model,
    state,
    step: trainStep(device, state, { model, loss: crossEntropy, optimizer, ...options }),
  });
}

/** Trains on some of the fixture's batches; resolves to their losses. */
export async function train(step: TrainStep, batches: Iterable<number>): Promise<number[]> {
  const losses: number[] = [];
  for (const i of batches) losses.push(item(await (await step(batchOf(i))).loss.read()));
  return losses;
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** The device, counting what it compiles. */
export function counting(device: Device): { readonly device: Device; compiled: number } {
  const counter = { device, compiled: 0 };
  const compile: Device["compile"] = (...args) => {
    counter.compiled++;
    return device.compile(...args);
  };
  counter.device = new Proxy(device, {
    get: (target, name) => {
      if (name === "compile") return compile;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return counter;
}
