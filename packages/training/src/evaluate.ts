import {
  ArgumentError,
  cast,
  correct,
  crossEntropyPerSample,
  type Device,
  equal,
  greater,
  type Handle,
  type HostTensor,
  hostTensor,
  isFinite as isFiniteTensor,
  item,
  less,
  mul,
  oneHot,
  type Program,
  type Spec,
  type State,
  sum,
  type Tensor,
} from "@ocelli/core";
import { Context, logitsOf, type Module } from "@ocelli/layers";
import type { HostBatch } from "./train-step.js";
import type { BatchTensors, Transform } from "./transform.js";

export interface EvaluateOptions<Out = Tensor> {
  readonly model: Module<Tensor, Out>;
  readonly transform?: Transform | undefined;
  /** Loss of each sample, `[N]`, from output and labels. Default: cross-entropy of the logits. */
  readonly lossPerSample?: ((output: Out, labels: Tensor) => Tensor) | undefined;
}

export interface Evaluation {
  readonly loss: number;
  /** Share of samples whose largest logit is the label's. */
  readonly accuracy: number;
  /** Share of samples whose label is among the five largest logits. */
  readonly top5: number;
  readonly count: number;
  /** Samples whose logits are all finite. The others are no hits, and the loss is NaN or infinite. */
  readonly finite: number;
}

/** Runs over batches on the live state. Programs are compiled once for each shape; a smaller last batch is padded, never counted. */
export type Evaluator = (batches: AsyncIterable<HostBatch> | Iterable<HostBatch>) => Promise<Evaluation>;

/**
 * An evaluator that reads the state as it is, so that it may run between training steps.
 * @throws ArgumentError when there is nothing to evaluate, or a batch is larger than the first
 */
export function evaluator<Out = Tensor>(device: Device, state: State, options: EvaluateOptions<Out>): Evaluator {
  const programs = new Map<string, Promise<Program>>();
  const programFor = (images: HostTensor): Promise<Program> => {
    const key = `${images.dtype}[${images.shape.join()}]`;
    const found = programs.get(key) ?? device.compile(evaluationProgram(options, images));
    programs.set(key, found);
    return found;
  };
  return async (batches) => {
    const sums = { loss: 0, correct: 0, top5: 0, finite: 0, count: 0 };
    const pending: Readonly<Record<string, Handle>>[] = [];
    let size: number | undefined;
    const collect = async (): Promise<void> => {
      const handles = pending.shift() as Readonly<Record<string, Handle>>;
      for (const name of ["loss", "correct", "top5", "finite"] as const)
        sums[name] += item(await (handles[name] as Handle).read());
    };
    for await (const batch of batches) {
      const count = batch.images.shape[0] as number;
      size ??= count;
      sums.count += count;
      const padded = padBatch(batch, size);
      pending.push(await (await programFor(padded.images)).run({ ...padded }, state));
      if (pending.length > 1) await collect();
    }
    while (pending.length > 0) await collect();
    if (sums.count === 0) throw new ArgumentError("evaluate: there are no samples");
    const { count, finite } = sums;
    return { loss: sums.loss / count, accuracy: sums.correct / count, top5: sums.top5 / count, count, finite };
  };
}

/** The batch filled up to `size` by zeros, with a mask of what is real. */
function padBatch({ images, labels }: HostBatch, size: number): HostBatch & { readonly valid: HostTensor } {
  const count = images.shape[0] as number;
  if (count > size) throw new ArgumentError(`evaluate: a batch has ${count} samples; the first one had ${size}`);
  const valid = new Float32Array(size).fill(1, 0, count);
  const grow = (host: HostTensor): HostTensor => {
    if (count === size) return host;
    const data = new (host.data.constructor as new (length: number) => typeof host.data)(
      (host.data.length / count) * size,
    );
    data.set(host.data as never);
    return { dtype: host.dtype, shape: [size, ...host.shape.slice(1)], data };
  };
  return { images: grow(images), labels: grow(labels), valid: hostTensor(valid) };
}

function evaluationProgram<Out>(
  { model, transform, lossPerSample }: EvaluateOptions<Out>,
  images: Spec,
): Parameters<Device["compile"]>[0] {
  const count = images.shape[0] as number;
  return {
    inputs: {
      images: { shape: images.shape, dtype: images.dtype },
      labels: { shape: [count], dtype: "int32" },
      valid: { shape: [count], dtype: "float32" },
    },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const ctx = new Context(model, { state, training: false });
      const batch = transform === undefined ? (inputs as BatchTensors) : transform.apply(inputs as BatchTensors, ctx);
      const output = ctx.call(model, batch.images);
      const labels = inputs.labels as Tensor;
      const logits = logitsOf(output);
      const masked = (perSample: Tensor): Tensor => sum(mul(perSample, inputs.valid as Tensor));
      const loss = lossPerSample?.(output, labels) ?? crossEntropyPerSample(logits, labels);
      const finite = finiteRows(logits);
      return {
        outputs: {
          loss: masked(loss),
          correct: masked(mul(correct(logits, labels), finite)),
          top5: masked(amongTop(logits, labels, 5)),
          finite: masked(finite),
        },
      };
    },
  };
}

/** 1 where all logits are finite, else 0: float32 `[N]`. What a comparison with NaN gives differs from device to device. */
function finiteRows(logits: Tensor): Tensor {
  return cast(equal(sum(cast(isFiniteTensor(logits), "float32"), { axes: 1 }), logits.shape[1] as number), "float32");
}

/** 1 where fewer than `k` logits exceed the label's and all are finite, else 0: float32 `[N]`. */
export function amongTop(logits: Tensor, labels: Tensor, k: number): Tensor {
  const chosen = sum(mul(logits, oneHot(labels, logits.shape[1] as number)), { axes: 1, keepDims: true });
  const above = sum(cast(greater(logits, chosen), "float32"), { axes: 1 });
  return mul(cast(less(above, k), "float32"), finiteRows(logits));
}
