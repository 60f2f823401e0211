import type { EpochRecord, Score, StatisticsRecord, StepRecord } from "@ocelli/inspect/report";
import type { EpochSummary } from "@ocelli/training";
import type { LogLine } from "@ocelli/training/node";

/** How a run went, as its log tells. */
export interface Course {
  readonly history: readonly EpochRecord[];
  readonly steps: readonly StepRecord[];
  readonly statistics: readonly StatisticsRecord[];
  /** Whether early stopping ended it. */
  readonly stopped: boolean;
  /** Of all epochs, evaluation included; undefined where the log does not say. */
  readonly seconds: number | undefined;
}

type EpochLine = Extract<LogLine, { type: "epoch" }>;

/** A run's log as a report takes it. @param summaries of a checkpoint, for a run whose log is gone */
export function courseOf(log: readonly LogLine[], summaries: readonly EpochSummary[]): Course {
  const epochs = log.filter((line) => line.type === "epoch");
  const steps = log.filter((line) => line.type === "step");
  const batches = log.filter((line) => line.type === "start").at(-1)?.batches ?? Number.NaN;
  const place = (line: { readonly epoch: number; readonly batch: number }): number =>
    line.epoch - 1 + line.batch / batches;
  const seconds = epochs.reduce((sum, line) => sum + number(line.seconds), 0);
  const last = log.at(-1);
  return {
    history: epochs.length > 0 ? epochs.map(epochRecord) : summaries.map(epochRecord),
    steps: steps.map((line) => ({
      epoch: place(line),
      loss: number(line.loss),
      lr: number(line.lr),
      gradientNorm: line.gradientNorm,
    })),
    statistics: steps.flatMap((line) => (line.statistics ? [{ epoch: place(line), ...line.statistics }] : [])),
    stopped: last?.type === "done" && last.status === "stopped",
    seconds: epochs.length > 0 && Number.isFinite(seconds) ? seconds : undefined,
  };
}

/** JSON has no NaN: it is null there. Logs of older versions lack some numbers. */
const number = (value: number | null | undefined): number => value ?? Number.NaN;

function epochRecord(line: EpochSummary & Partial<Pick<EpochLine, "imagesPerSecond" | "waiting">>): EpochRecord {
  const score = (loss: number | null | undefined, accuracy: number | null | undefined): Score | undefined =>
    loss == null && accuracy == null ? undefined : { loss: number(loss), accuracy: number(accuracy) };
  return {
    epoch: line.epoch,
    lr: number(line.lr),
    train: { loss: number(line.trainLoss), accuracy: number(line.trainAccuracy) },
    validation: score(line.validationLoss, line.validationAccuracy),
    test: score(line.testLoss, line.testAccuracy),
    imagesPerSecond: line.imagesPerSecond,
    waiting: line.waiting,
  };
}
