import {
  argmax,
  crossEntropyPerSample,
  type Device,
  greater,
  type Handle,
  type HostTensor,
  type Program,
  type Spec,
  type State,
  select,
  softmax,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, logitsOf } from "@ocelli/layers";
import { type EvaluationBatch, type EvaluationBatches, filledUp } from "./evaluation/fill.js";
import { outputOf, type Viewing } from "./evaluation/output.js";
import { type Evaluation, evaluationOf, type Scored } from "./evaluation/tally.js";
import { finiteRows, topK } from "./metrics/top-k.js";
import { release } from "./release.js";

export type { Evaluation };

export interface EvaluateOptions<Out = Tensor> extends Viewing<Out> {
  /**
   * Loss of each sample, `[N]`, from output and labels. Default: cross-entropy of the logits. Rows that only fill up a smaller batch have
   * the label -1 and count nowhere. With `views` it is given the logarithm of the mean probabilities.
   */
  readonly lossPerSample?: ((output: Out, labels: Tensor) => Tensor) | undefined;
  /** Also hand back each sample's label, prediction, loss and probabilities. Default false. */
  readonly samples?: boolean | undefined;
}

/**
 * Runs over batches on the live state. Programs are compiled once for each shape and kept until it is disposed; a smaller last batch is
 * filled up, never counted.
 */
export interface Evaluator extends Disposable {
  (batches: EvaluationBatches): Promise<Evaluation>;
}

/**
 * An evaluator that reads the state as it is, so that it may run between training steps.
 * @throws ArgumentError when there is nothing to evaluate, or a label is no class of the model
 */
export function evaluator<Out = Tensor>(device: Device, state: State, options: EvaluateOptions<Out>): Evaluator {
  const programs = new Map<string, Promise<Program>>();
  const programFor = (images: HostTensor): Promise<Program> => {
    const key = `${images.dtype}[${images.shape.join()}]`;
    const found = programs.get(key) ?? device.compile(evaluationProgram(options, images));
    programs.set(key, found);
    return found;
  };
  const evaluate = async (batches: EvaluationBatches): Promise<Evaluation> => {
    const parts: Scored[] = [];
    const pending: { readonly batch: EvaluationBatch; readonly handles: Readonly<Record<string, Handle>> }[] = [];
    let [seen, size, classes] = [0, 0, 0];
    const collect = async (): Promise<void> => {
      const { batch, handles } = pending.shift() as (typeof pending)[number];
      classes = (handles.probabilities as Handle).spec.shape[1] as number;
      const part = await scoredRows(batch, { from: seen, handles, samples: options.samples === true });
      parts.push(part);
      seen += part.labels.length;
    };
    for await (const batch of batches) {
      size = Math.max(size, batch.images.shape[0] as number);
      const filled = filledUp(batch, size);
      pending.push({ batch, handles: await (await programFor(filled.images)).run({ ...filled }, state) });
      if (pending.length > 1) await collect();
    }
    while (pending.length > 0) await collect();
    return evaluationOf(parts, classes);
  };
  return Object.assign(evaluate, { [disposeKey]: () => release(programs.values()) });
}

interface Collected {
  /** Samples before this batch. */
  readonly from: number;
  readonly handles: Readonly<Record<string, Handle>>;
  readonly samples: boolean;
}

/** What the device found, of the batch's own rows. */
async function scoredRows(batch: EvaluationBatch, { from, handles, samples }: Collected): Promise<Scored> {
  const count = batch.images.shape[0] as number;
  const rows = async (name: string): Promise<Float64Array> => {
    const values = toNumbers(await (handles[name] as Handle).read());
    return values.subarray(0, (values.length / ((handles[name] as Handle).spec.shape[0] as number)) * count);
  };
  return {
    indices: batch.indices ?? Int32Array.from({ length: count }, (_, i) => from + i),
    labels: batch.labels.data,
    predicted: await rows("predicted"),
    losses: await rows("loss"),
    top5: await rows("top5"),
    probabilities: samples ? await rows("probabilities") : undefined,
  };
}

function evaluationProgram<Out>(options: EvaluateOptions<Out>, images: Spec): Parameters<Device["compile"]>[0] {
  const { model, lossPerSample } = options;
  const { shape, dtype } = images;
  return {
    inputs: { images: { shape, dtype }, labels: { shape: [shape[0] as number], dtype: "int32" } },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const ctx = new Context(model, { state, training: false });
      const output = outputOf(options, inputs.images as Tensor, ctx) as Out;
      const labels = inputs.labels as Tensor;
      const logits = logitsOf(output);
      return {
        outputs: {
          loss: lossPerSample?.(output, labels) ?? crossEntropyPerSample(logits, labels),
          predicted: select(greater(finiteRows(logits), 0), argmax(logits, 1), -1),
          top5: topK(logits, labels, 5),
          probabilities: softmax(logits),
        },
      };
    },
  };
}
