import type { Device, HostTensor } from "@ocelli/core";
import {
  confusionMatrix,
  type Evaluation,
  evaluateProbe,
  type FeaturesOptions,
  featuresOf,
  type ImageFeatures,
  type LabelledImages,
  linearProbe,
  loader,
  type Metric,
  nearestNeighbours,
  voted,
} from "@ocelli/training";
import { UsageError } from "../errors.js";
import { listed } from "../terminal.js";

export interface FeatureFlags {
  readonly knn?: number;
  readonly metric?: Metric;
  readonly probe?: boolean;
  /** Module whose output is taken. */
  readonly features?: string;
}

interface OtherFlags {
  readonly views?: string | undefined;
  readonly mean?: unknown;
  readonly std?: unknown;
  readonly model?: unknown;
  readonly checkpoint?: unknown;
}

/** @throws UsageError for flags that do not go together */
export function checkFeatureFlags(paths: readonly string[], flags: FeatureFlags & OtherFlags): void {
  const { knn, metric, probe, features, views } = flags;
  if (metric !== undefined && knn === undefined) throw new UsageError("--metric is for --knn");
  if (knn === undefined && probe !== true) {
    if (features !== undefined) throw new UsageError("--features is for --knn or --probe");
    return;
  }
  if (knn !== undefined && probe === true) throw new UsageError("--knn and --probe: one at a time");
  const flag = probe === true ? "--probe" : "--knn";
  if (views !== undefined) throw new UsageError(`${flag} sees each image once: leave --views out`);
  if (paths.length > 1) throw new UsageError(`${flag} takes the features of one model; ${paths.length} are given`);
  if (paths.length > 0) return;
  if (features !== undefined) throw new UsageError("--features names a layer of a model: name a run or weights, too");
  const idle = (["mean", "std", "model", "checkpoint"] as const).filter((name) => flags[name] !== undefined);
  if (idle.length > 0)
    throw new UsageError(
      `${listed(idle.map((name) => `--${name}`))}: for a model; ${flag} sees the pixels as they are`,
    );
}

/** A network whose features are taken instead of the pixels. */
export type Network = FeaturesOptions<unknown> & { readonly values: Parameters<typeof featuresOf>[1] };

export interface FeatureJob {
  readonly device: Device;
  readonly data: { readonly train: LabelledImages; readonly test: LabelledImages };
  /** Undefined: the pixels themselves. */
  readonly network: Network | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** What there is to say of a classifier of features; a vote of neighbours has no loss. */
export type FeatureScore = Pick<Evaluation, "accuracy" | "count" | "confusion" | "classes"> &
  Partial<Pick<Evaluation, "top5" | "loss">> & { readonly dimensions: number };

/** The classes of test images by the vote of the `k` training images that are nearest. */
export async function scoreNeighbours(
  job: FeatureJob,
  { k, metric }: { readonly k: number; readonly metric: Metric },
): Promise<FeatureScore> {
  const { device, data, signal, onProgress } = job;
  const [train, test] = [await vectorsOf(job, data.train), await vectorsOf(job, data.test)];
  const classes = data.test.classes.length;
  const neighbours = await nearestNeighbours(device, train.features, test.features, {
    k,
    metric,
    signal,
    onProgress: (done, total) => onProgress("comparing", done, total),
  });
  const predicted = voted(train.labels, neighbours, classes);
  const right = predicted.reduce((total, guess, i) => total + (guess === test.labels[i] ? 1 : 0), 0);
  const count = test.labels.length;
  const confusion = confusionMatrix(test.labels, predicted, classes);
  return { accuracy: right / count, count, classes, confusion, dimensions: dimensionsOf(test.features) };
}

/** A linear classifier that is trained on the training images' features alone. */
export async function scoreProbe(job: FeatureJob): Promise<FeatureScore> {
  const { device, data, signal, onProgress } = job;
  const [train, test] = [await vectorsOf(job, data.train), await vectorsOf(job, data.test)];
  const classes = data.test.classes.length;
  const probe = await linearProbe(device, train, {
    classes,
    signal,
    onProgress: (epoch, epochs) => onProgress("training", epoch, epochs),
  });
  return { ...(await evaluateProbe(device, probe, test)), dimensions: dimensionsOf(test.features) };
}

const dimensionsOf = ({ shape, data }: HostTensor): number => data.length / (shape[0] as number);

async function vectorsOf(job: FeatureJob, data: LabelledImages): Promise<ImageFeatures> {
  const { device, network, batchSize, signal, onProgress } = job;
  async function* batches() {
    const size = Math.min(batchSize, data.count);
    for await (const batch of loader(data, { batchSize: size }).epoch(0)) {
      signal.throwIfAborted();
      yield batch;
      onProgress("reading", Math.min((batch.index + 1) * size, data.count), data.count);
    }
  }
  if (network !== undefined) return featuresOf(device, network.values, batches(), network);
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  for await (const batch of batches()) {
    images.push(batch.images.data as Uint8Array);
    labels.push(...(batch.labels.data as Int32Array));
  }
  const pixels = new Uint8Array(images.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of images) {
    pixels.set(part, at);
    at += part.length;
  }
  const shape = [labels.length, ...data.shape];
  return { features: { dtype: "uint8", shape, data: pixels }, labels: Int32Array.from(labels) };
}
