import { confusedPairs, type EvaluationRecord } from "@ocelli/inspect/report";
import type { RunConfig } from "@ocelli/training/node";
import type { Cost } from "./facts.js";
import type { Course } from "./history.js";

/** Pairs of confused classes, the most frequent ones. */
const pairs = 50;

interface Numbers {
  readonly config: RunConfig;
  readonly course: Course;
  readonly cost: Cost;
  readonly evaluation: EvaluationRecord | undefined;
}

/** A report's numbers, as JSON. */
export function numbersOf({ config, course, cost, evaluation }: Numbers): object {
  return {
    model: config.model.name,
    data: config.data.name,
    epochs: config.epochs,
    ...cost,
    seconds: course.seconds ?? null,
    history: course.history,
    evaluation: evaluation === undefined ? null : scores(evaluation),
  };
}

function scores(evaluation: EvaluationRecord): object {
  const { name, count, loss, top1, top5, classes, confusion, perClass, mistakes = [] } = evaluation;
  const className = (label: number): string | undefined => classes[label];
  return {
    name,
    count,
    accuracy: top1,
    top5: top5 ?? null,
    loss,
    classes: perClass.map((record, label) => ({ class: className(label), ...record })),
    confused: confusedPairs(confusion, classes.length, pairs).map(({ label, predicted, ...rest }) => ({
      class: className(label),
      predicted: className(predicted),
      ...rest,
    })),
    mistakes: mistakes.map(({ index, label, loss: own, probability, predicted }) => ({
      index,
      class: className(label),
      probability,
      loss: own,
      predicted: predicted.map((guess) => ({ class: className(guess.label), probability: guess.probability })),
    })),
  };
}
