import {
  ArgumentError,
  cast,
  constant,
  crossEntropy,
  type Device,
  type HostTensor,
  hostTensor,
  mul,
  type StateDict,
  sub,
  type Tensor,
} from "@ocelli/core";
import { Linear } from "@ocelli/layers";
import { epochOrder } from "../data/loader.js";
import { TrainingError } from "../errors.js";
import { evaluator } from "../evaluate.js";
import { nonFiniteEntry } from "../finite.js";
import { adam } from "../optim/index.js";
import { type HostBatch, trainStep } from "../train-step.js";
import type { Transform } from "../transform.js";
import type { Evaluation } from "./tally.js";

/** Vectors as rows, uint8 or float32 `[N, D]` (or `[N, ...]`), with the class of each. */
export interface LabelledRows {
  readonly features: HostTensor;
  readonly labels: ArrayLike<number>;
}

export interface LinearProbeOptions {
  readonly classes: number;
  /** Default 20, or as many as 1000 steps take. */
  readonly epochs?: number | undefined;
  /** Default 256, or all there are. */
  readonly batchSize?: number | undefined;
  /** Of Adam, on features of unit variance; it falls to 0 in equal steps. Default 1e-3. */
  readonly lr?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((epoch: number, epochs: number) => void) | undefined;
}

/** A linear classifier of features as they are, `[N, D]` -> logits `[N, classes]`. */
export interface LinearProbe {
  readonly model: Linear;
  readonly values: StateDict;
}

/**
 * Trains a linear classifier on fixed features: how far they alone tell the classes apart (Alain and Bengio 2017). Features are
 * standardised in training, and the classifier handed back for them as they are.
 * @throws ArgumentError for options, shapes or labels that do not fit; TrainingError when a weight stops being finite
 */
export async function linearProbe(
  device: Device,
  rows: LabelledRows,
  { classes, lr = 1e-3, seed = 0, signal, onProgress, ...sizes }: LinearProbeOptions,
): Promise<LinearProbe> {
  const { count, width } = checkedRows(rows);
  const size = Math.min(sizes.batchSize ?? 256, count);
  const epochs = sizes.epochs ?? Math.max(20, Math.ceil(1000 / Math.floor(count / size)));
  for (const [name, value] of Object.entries({ classes, epochs, batchSize: size })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ArgumentError(`linearProbe: ${name} is ${value}; it needs a whole number, 1 or more`);
  }
  const strange = Array.from(rows.labels).findIndex(
    (label) => !(Number.isInteger(label) && label >= 0 && label < classes),
  );
  if (strange >= 0)
    throw new ArgumentError(
      `linearProbe: label ${rows.labels[strange]} of row ${strange} is outside the ${classes} classes`,
    );
  const model = new Linear(width, classes);
  const spread = spreadOf(rows.features, count, width);
  using state = await device.init(model, { seed });
  using step = trainStep(device, state, {
    model,
    loss: crossEntropy,
    optimizer: adam({ lr }),
    transform: standardized(spread),
    metrics: {},
    seed,
  });
  const steps = epochs * Math.floor(count / size);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = epochOrder(count, { seed, epoch });
    for (let at = 0; at + size <= count; at += size) {
      signal?.throwIfAborted();
      await step(picked(rows, order.subarray(at, at + size)), { lr: lr * (1 - step.count / steps) });
    }
    onProgress?.(epoch + 1, epochs);
  }
  const values = forRawFeatures(await state.read(["params"]), spread);
  const bad = nonFiniteEntry(values);
  if (bad !== undefined) throw new TrainingError(`linearProbe: ${bad} is not finite. Try a lower learning rate.`);
  return { model, values };
}

/** How well a probe tells the classes of features apart. @throws ArgumentError for shapes that do not fit, or labels out of range */
export async function evaluateProbe(
  device: Device,
  { model, values }: LinearProbe,
  rows: LabelledRows,
): Promise<Evaluation> {
  const { count } = checkedRows(rows);
  using state = await device.createState(values);
  const size = Math.min(count, 1000);
  const all = epochOrder(count);
  const pieces = Array.from({ length: Math.ceil(count / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
  function* batches(): Iterable<HostBatch> {
    for (const indices of pieces) yield picked(rows, indices);
  }
  using evaluate = evaluator(device, state, { model, transform: asFloats });
  return await evaluate(batches());
}

/** Bytes become numbers; nothing else. */
const asFloats: Transform = {
  name: "asFloats",
  options: {},
  apply: ({ images, ...rest }) => ({ ...rest, images: cast(images, "float32") }),
};

function checkedRows({ features, labels }: LabelledRows): { count: number; width: number } {
  const [count = 0] = features.shape;
  if (count > 0 && features.shape.length > 1 && count === labels.length)
    return { count, width: features.data.length / count };
  throw new ArgumentError(
    `linearProbe: features are [${features.shape.join(", ")}], and there are ${labels.length} labels; it needs [N, ...] and N labels, N above 0`,
  );
}

/** Some of the rows, as a batch. */
function picked({ features, labels }: LabelledRows, indices: Int32Array): HostBatch {
  const width = features.data.length / (features.shape[0] as number);
  const Data = features.data.constructor as new (length: number) => typeof features.data;
  const data = new Data(indices.length * width);
  for (const [i, index] of indices.entries())
    data.set(features.data.subarray(index * width, (index + 1) * width) as never, i * width);
  return {
    images: { dtype: features.dtype, shape: [indices.length, width], data },
    labels: hostTensor(Int32Array.from(indices, (index) => labels[index] as number)),
  };
}

/** Of each feature. */
interface Spread {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

function spreadOf({ data }: HostTensor, count: number, width: number): Spread {
  const sums = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let i = 0; i < data.length; i++) sums[i % width] = (sums[i % width] as number) + (data[i] as number);
  const mean = sums.map((sum) => sum / count);
  for (let i = 0; i < data.length; i++)
    squares[i % width] = (squares[i % width] as number) + ((data[i] as number) - (mean[i % width] as number)) ** 2;
  const std = squares.map((square) => Math.sqrt(square / count));
  // A feature that never changes, but for float32's rounding, says nothing, and has no spread to divide by.
  return { mean, std: std.map((value, i) => (value > 1e-7 * Math.abs(mean[i] as number) ? value : 1)) };
}

function standardized({ mean, std }: Spread): Transform {
  const row = (values: Float64Array): Tensor => constant(hostTensor(Float32Array.from(values), [1, values.length]));
  return {
    name: "standardized",
    options: {},
    apply: ({ images, ...rest }) => ({
      ...rest,
      images: mul(sub(cast(images, "float32"), row(mean)), row(std.map((value) => 1 / value))),
    }),
  };
}

/** `w (x - mean) / std + b` as `w' x + b'`. */
function forRawFeatures({ params }: StateDict, { mean, std }: Spread): StateDict {
  const { weight, bias } = params as Record<"weight" | "bias", HostTensor>;
  const width = mean.length;
  const scaled = Float32Array.from(weight.data, (value, i) => value / (std[i % width] as number));
  const shifted = Float32Array.from(bias.data, (value, row) => {
    const moved = mean.reduce(
      (sum, m, i) => sum + ((weight.data[row * width + i] as number) * m) / (std[i] as number),
      0,
    );
    return value - moved;
  });
  return { params: { weight: { ...weight, data: scaled }, bias: { ...bias, data: shifted } } };
}
