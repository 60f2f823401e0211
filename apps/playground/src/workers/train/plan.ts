import { sizeOf } from "@ocelli/core";
import { peakMemory } from "@ocelli/inspect";
import { makeAverage, makeClip, makeLoss, makeOptimizer, makeSchedule, type Schedule } from "@ocelli/training";
import type { BuiltModel } from "../../model/build.js";
import { buildModel } from "../../model/build.js";
import { changedTraining, type TrainingSpec } from "../../model/training.js";
import { optimizerFor, proposal } from "../../recipes.js";
import type { PlanRequest, TrainPlan } from "./api.js";
import { describe, summaryOf } from "./data.js";
import { fitted } from "./fitting.js";
import { plannedOrigin } from "./transfer.js";

/** See `TrainApi.plan`. */
export async function plan({ spec: given, data, changes = {}, from }: PlanRequest): Promise<TrainPlan> {
  const described = await describe(data, buildModel(given));
  const { spec, built, adaptations } = fitted(given, described.image, described.classes.length);
  const summary = summaryOf(described, changes.validation ?? 0);
  const context = { entry: built.entry, channels: described.image[0], images: summary.train };
  const { epochs, batchSize } = changes;
  const { training: scaled, source } = proposal({ ...context, epochs, batchSize });
  const training = changedTraining({ ...scaled, data }, changes);
  const { schedule } = partsOf(training);
  const batches = Math.max(1, Math.floor(summary.train / training.batchSize));
  return {
    ...{ spec, adaptations, training, source },
    ...(from && { origin: await plannedOrigin(from, { built, classes: described.classes }) }),
    proposal: { ...proposal(context).training, data },
    data: summary,
    parameters: parametersOf(built),
    memory: memoryOf(built, training),
    steps: training.epochs * batches,
    rates: ratesOf(schedule, training, batches),
  };
}

/** The parts of a training, made: so their options are checked. @throws ArgumentError */
export function partsOf(training: TrainingSpec) {
  const { schedule, loss, clip, average } = training;
  return {
    optimizer: optimizerFor(training),
    schedule: makeSchedule(schedule),
    loss: loss && makeLoss(loss),
    clip: clip && makeClip(clip),
    average: average && makeAverage(average),
  };
}

const parametersOf = ({ model }: BuiltModel): number =>
  [...model.parameters().values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** The last one: most of what a reader changes leaves it as it is, and a thousand layers take their time. */
let measured: { readonly key: string; readonly bytes: number } | undefined;

function memoryOf(built: BuiltModel, { optimizer, batchSize }: TrainingSpec): number {
  const optimizerSlots = Object.keys(makeOptimizer(optimizer).slots({ shape: [1, 1], dtype: "float32" }, "")).length;
  const key = JSON.stringify([
    built.title,
    built.input,
    built.numClasses,
    parametersOf(built),
    batchSize,
    optimizerSlots,
  ]);
  if (measured?.key !== key) {
    const { total } = peakMemory(built.model, built.input, { batch: batchSize, training: true, optimizerSlots });
    measured = { key, bytes: total };
  }
  return measured.bytes;
}

const ratePoints = 200;

function ratesOf(schedule: Schedule, { optimizer, epochs }: TrainingSpec, batches: number): number[] {
  const { lr } = makeOptimizer(optimizer);
  return Array.from({ length: ratePoints }, (_, i) => {
    const epoch = Math.min(epochs - 1 / batches, (epochs * i) / (ratePoints - 1));
    return lr * schedule.factor({ epoch, epochs, batches, history: [] });
  });
}
