import type { Device } from "@ocelli/core";
import type { EvaluationRecord, Mistake } from "@ocelli/inspect/report";
import {
  type Batch,
  type EvaluatedSamples,
  type Evaluation,
  evaluator,
  type Loader,
  makeLoss,
  perClass,
} from "@ocelli/training";
import { lossPerSampleOf } from "@ocelli/zoo";
import { checkFinite } from "../commands/eval.js";
import type { LoadedModel } from "../model.js";

export interface TestJob {
  readonly device: Device;
  readonly loaded: LoadedModel;
  readonly test: Loader;
  /** Number of mistakes to keep, the worst of all. */
  readonly mistakes: number;
  readonly signal: AbortSignal;
  /** After each batch: images done. */
  readonly onProgress: (images: number) => void;
}

/** Classes that are named for each mistake. */
const guesses = 3;

/** What a model makes of test images: its scores, what it confuses, its worst mistakes. */
export async function testModel(job: TestJob): Promise<Omit<EvaluationRecord, "name">> {
  const { device, loaded, test, mistakes, signal, onProgress } = job;
  const { model, transform, entry, file, run: config } = loaded;
  const tally = tallyOf(test.dataset.classes);
  let worst: readonly Mistake[] = [];
  const state = await device.createState(loaded.values);
  try {
    const lossPerSample = lossPerSampleOf(entry, config?.loss && makeLoss(config.loss).perSample);
    const run = evaluator(device, state, { model, transform, lossPerSample, samples: true });
    for await (const batch of test.epoch(0)) {
      signal.throwIfAborted();
      // Batch by batch: the probabilities of all images in a thousand classes would take more memory than the images.
      const result = await run([batch]);
      checkFinite(file, result);
      onProgress(tally.add(result));
      const all = [...worst, ...mistakesOf(batch, result.samples as EvaluatedSamples)];
      worst = all.sort((a, b) => b.loss - a.loss).slice(0, mistakes);
    }
  } finally {
    state.dispose();
  }
  return { ...tally.record(), mistakes: worst };
}

/** Adds up the evaluations of batches. */
function tallyOf(classes: readonly string[]) {
  const confusion = new Float64Array(classes.length ** 2);
  const sums = { loss: 0, right: 0, top5: 0, count: 0 };
  return {
    /** Gives the number of images so far. */
    add({ loss, accuracy, top5, count, confusion: counts }: Evaluation): number {
      sums.loss += loss * count;
      sums.right += accuracy * count;
      sums.top5 += top5 * count;
      for (const [i, more] of counts.entries()) confusion[i] = (confusion[i] as number) + more;
      sums.count += count;
      return sums.count;
    },
    record(): Omit<EvaluationRecord, "name" | "mistakes"> {
      const { loss, right, top5, count } = sums;
      return {
        count,
        loss: loss / count,
        top1: right / count,
        // Of five classes or fewer, all are among the top 5.
        ...(classes.length > 5 && { top5: top5 / count }),
        classes,
        confusion,
        perClass: perClass(confusion, classes.length),
      };
    },
  };
}

function mistakesOf({ images }: Batch, samples: EvaluatedSamples): Mistake[] {
  const { labels, predicted, losses, probabilities, indices } = samples;
  const [, ...shape] = images.shape as [number, number, number, number];
  const size = images.data.length / labels.length;
  const classes = probabilities.length / labels.length;
  const wrong = [...labels.keys()].filter((i) => predicted[i] !== labels[i]);
  return wrong.map((i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const label = labels[i] as number;
    return {
      pixels: (images.data as Uint8Array).slice(i * size, (i + 1) * size),
      shape,
      index: indices[i] as number,
      label,
      loss: losses[i] as number,
      probability: row[label] as number,
      predicted: likeliest(row, guesses),
    };
  });
}

function likeliest(row: Float32Array, count: number): Mistake["predicted"] {
  return Array.from(row, (probability, label) => ({ label, probability }))
    .sort((a, b) => b.probability - a.probability || a.label - b.label)
    .slice(0, count);
}
