/** What the tests of `fit` share: a small problem, a small net, and a sink that remembers. */
import { crossEntropyPerSample, type Device, flattenState, hashBytes, type StateDict, type Tensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { type ImageDataset, imageDataset } from "../src/data/index.js";
import type { FitOptions } from "../src/fit/options.js";
import type { CheckpointSink, Progress } from "../src/fit/progress.js";
import { sgd } from "../src/optim/index.js";
import { stepSchedule } from "../src/schedule/index.js";
import { normalize } from "../src/transform.js";

/** Bars on a noisy background: class 0 horizontal, 1 vertical, 2 none. */
export function bars(count: number, seed: number): ImageDataset {
  const images = new Uint8Array(count * 64);
  const labels = new Uint8Array(count);
  let word = seed * 2654435761 + 12345;
  const next = (below: number): number => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return Math.floor((word / 2 ** 32) * below);
  };
  for (let n = 0; n < count; n++) {
    const label = n % 3;
    const at = next(8);
    labels[n] = label;
    for (let i = 0; i < 64; i++) images[n * 64 + i] = next(90);
    for (let i = 0; i < 8 && label < 2; i++) images[n * 64 + (label === 0 ? at * 8 + i : i * 8 + at)] = 220;
  }
  return imageDataset({ name: "bars", images, labels, shape: [1, 8, 8], classes: ["horizontal", "vertical", "none"] });
}

export class Net extends Module {
  readonly features = new Sequential(
    new Conv2d(1, 6, { kernelSize: 3 }),
    new BatchNorm2d(6),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
  );
  readonly head = new Sequential(new Flatten(), new Dropout(0.1), new Linear(54, 3));
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.head);
  }
}

export interface Kept extends CheckpointSink {
  readonly saved: { kind: string; values: StateDict; progress: Progress }[];
}

export function memorySink(): Kept {
  const saved: Kept["saved"] = [];
  return { saved, save: async (kind, values, progress) => void saved.push({ kind, values, progress }) };
}

export async function withRun<T>(fn: (device: Device, options: FitOptions) => Promise<T>): Promise<T> {
  // In float64 a state would lose digits on its way through a float32 checkpoint.
  const device = await reference({ precision: "float32" });
  const model = new Net();
  const state = await device.init(model, { seed: 3 });
  const options: FitOptions = {
    device,
    model,
    state,
    train: bars(150, 1),
    test: bars(40, 2),
    epochs: 3,
    batchSize: 16,
    seed: 5,
    optimizer: sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-3 }),
    schedule: stepSchedule({ stepSize: 2, gamma: 0.5 }),
    lossPerSample: crossEntropyPerSample,
    transform: normalize({ mean: [0.2], std: [0.25] }),
  };
  try {
    return await fn(device, options);
  } finally {
    state.dispose();
    await device.dispose();
  }
}

/** A short name of each value's bytes. */
export const bytesOf = (values: StateDict): string =>
  [...flattenState(values)]
    .map(([name, { data }]) => `${name} ${hashBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`)
    .join("\n");
