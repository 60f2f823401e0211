import type { State } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { type EvaluatedSamples, type Evaluation, evaluator, loader, makeTransform, perClass } from "@ocelli/training";
import type { Confusion, Mistakes, Picture } from "./api.js";
import { breathing } from "./breath.js";
import { picturesOf } from "./images.js";
import { type Inside, withJudged } from "./looks.js";
import { handedOver } from "./pictures.js";

const smallImage = 3 * 64 * 64;

/** The last one: the confusion and the mistakes of one moment are one evaluation. */
let last: { readonly state: State; readonly step: number; readonly evaluation: Evaluation } | undefined;

/** The images that judge the run, as the network takes them now. */
async function judge(inside: Inside): Promise<Evaluation> {
  const { state, step } = inside;
  if (last?.state === state && last.step === step) return last.evaluation;
  const evaluation = await withJudged(inside, (values) => evaluated({ ...inside, state: values }));
  last = { state, step, evaluation };
  return evaluation;
}

async function evaluated({ device, state, built, transform, data, training }: Inside): Promise<Evaluation> {
  const { judged } = data;
  const evaluate = evaluator(device, state, {
    model: built.model,
    transform: makeTransform(transform),
    lossPerSample: built.lossPerSample(),
    samples: true,
  });
  // Small images go by the hundred; of large ones as many as in a step are known to fit.
  const small = judged.shape.reduce((a, b) => a * b, 1) <= smallImage;
  const batchSize = small ? Math.max(training.batchSize, 100) : training.batchSize;
  try {
    return await evaluate(loader(breathing(judged), { batchSize }).epoch(0));
  } finally {
    evaluate[disposeKey]();
  }
}

/** See `TrainApi.confusion`. */
export async function confusionOf(inside: Inside): Promise<Confusion> {
  const { confusion, accuracy, loss, count, classes } = await judge(inside);
  const { summary } = inside.data;
  return {
    ...{ at: inside.step, of: summary.judged, count, accuracy, loss, classes: summary.classes },
    matrix: Int32Array.from(confusion),
    perClass: perClass(confusion, classes),
  };
}

/** See `TrainApi.mistakes`. */
export async function mistakesOf(inside: Inside, atMost = 24): Promise<Mistakes> {
  const { samples, count, classes } = await judge(inside);
  const { indices, labels, predicted, probabilities } = samples as EvaluatedSamples;
  const probability = (row: number, of: number): number => probabilities[row * classes + of] ?? 0;
  const wrong = [...labels.keys()].filter((row) => predicted[row] !== labels[row]);
  const sureness = (row: number): number => probability(row, predicted[row] as number);
  const shown = wrong.sort((a, b) => sureness(b) - sureness(a)).slice(0, atMost);
  const { judged, summary } = inside.data;
  const pictures = await picturesOf(
    judged,
    shown.map((row) => indices[row] as number),
  );
  const mistakes = shown.map((row, i) => ({
    index: indices[row] as number,
    picture: pictures[i] as Picture,
    label: labels[row] as number,
    predicted: predicted[row] as number,
    probability: sureness(row),
    right: probability(row, labels[row] as number),
  }));
  return handedOver({ at: inside.step, of: summary.judged, total: wrong.length, count, mistakes }, pictures);
}
