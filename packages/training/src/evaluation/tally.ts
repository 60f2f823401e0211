import { ArgumentError, type HostTensor, toNumbers } from "@ocelli/core";
import { confusionMatrix } from "../metrics/index.js";

export interface Evaluation {
  /** Mean over the samples. */
  readonly loss: number;
  /** Share of samples whose largest logit is the label's. */
  readonly accuracy: number;
  /** Share of samples whose label is among the five largest logits. */
  readonly top5: number;
  readonly count: number;
  /** Samples whose logits are all finite. The others are no hits, and the loss is NaN or infinite. */
  readonly finite: number;
  readonly classes: number;
  /** How often each class was taken for each: `[true, predicted]`, row-major, `classes * classes` counts. */
  readonly confusion: Int32Array;
  /** When they were asked for. */
  readonly samples?: EvaluatedSamples;
}

/** Each sample by itself, in the order of evaluation. */
export interface EvaluatedSamples {
  /** Positions in the data set. */
  readonly indices: Int32Array;
  readonly labels: Int32Array;
  /** Class of the largest logit; -1 where they are not all finite. */
  readonly predicted: Int32Array;
  readonly losses: Float32Array;
  /** `[count, classes]` */
  readonly probabilities: Float32Array;
}

/** What is known of some samples. */
export interface Scored {
  readonly indices: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  readonly losses: ArrayLike<number>;
  /** 1 where the label is among the five largest. */
  readonly top5: ArrayLike<number>;
  /** `[count, classes]` */
  readonly probabilities?: ArrayLike<number> | undefined;
}

/** The evaluation of samples that came in parts. @throws ArgumentError when there are none, or a label is no class */
export function evaluationOf(parts: readonly Scored[], classes: number): Evaluation {
  const joined = (name: keyof Scored): number[] => parts.flatMap((part) => Array.from(part[name] ?? []));
  const labels = Int32Array.from(joined("labels"));
  const predicted = Int32Array.from(joined("predicted"));
  const losses = joined("losses");
  const count = labels.length;
  if (count === 0) throw new ArgumentError("evaluate: there are no samples");
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / count;
  const hits = losses.map((_, i) => (labels[i] === predicted[i] ? 1 : 0));
  return {
    loss: mean(losses),
    accuracy: mean(hits),
    top5: mean(joined("top5")),
    count,
    finite: predicted.reduce((total, guess) => total + (guess >= 0 ? 1 : 0), 0),
    classes,
    confusion: confusionMatrix(labels, predicted, classes),
    ...(parts[0]?.probabilities === undefined
      ? {}
      : {
          samples: {
            indices: Int32Array.from(joined("indices")),
            labels,
            predicted,
            losses: Float32Array.from(losses),
            probabilities: stacked(parts, count * classes),
          },
        }),
  };
}

/** Not by way of plain arrays: there may be many classes. */
function stacked(parts: readonly Scored[], length: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(length);
  let at = 0;
  for (const { probabilities = [] } of parts) {
    all.set(probabilities, at);
    at += probabilities.length;
  }
  return all;
}

/**
 * The evaluation of class probabilities `[N, classes]` that come from anywhere (the mean over an ensemble). The loss is the cross-entropy.
 * @throws ArgumentError when there are none, the counts differ, or a label is no class
 */
export function scoreProbabilities(probabilities: HostTensor, labels: ArrayLike<number>): Evaluation {
  const [count, classes] = probabilities.shape as readonly [number, number];
  if (probabilities.shape.length !== 2 || count !== labels.length) {
    throw new ArgumentError(
      `scoreProbabilities: probabilities are [${probabilities.shape.join(", ")}], and there are ${labels.length} labels; it needs [N, classes] and N labels`,
    );
  }
  const values = toNumbers(probabilities);
  const rows = Array.from({ length: count }, (_, i) =>
    scoreRow(values.subarray(i * classes, (i + 1) * classes), labels[i] as number),
  );
  const scored: Scored = {
    indices: Int32Array.from({ length: count }, (_, i) => i),
    labels,
    predicted: rows.map(({ predicted }) => predicted),
    losses: rows.map(({ loss }) => loss),
    top5: rows.map(({ top5 }) => top5),
    probabilities: values,
  };
  return evaluationOf([scored], classes);
}

function scoreRow(row: Float64Array, label: number): { predicted: number; loss: number; top5: number } {
  const chosen = row[label] as number;
  if (!row.every(Number.isFinite)) return { predicted: -1, loss: Number.NaN, top5: 0 };
  // Of equal ones the smaller class comes first, as in `topK`: many may be too small for float32, which makes them 0.
  const before = row.reduce((n, value, i) => n + (value > chosen || (value === chosen && i < label) ? 1 : 0), 0);
  // A probability that float32 cannot hold is no certain error.
  return {
    predicted: row.indexOf(Math.max(...row)),
    loss: -Math.log(Math.max(chosen, 1.2e-38)),
    top5: before < 5 ? 1 : 0,
  };
}
