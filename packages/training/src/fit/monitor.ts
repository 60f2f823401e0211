import { ArgumentError } from "@ocelli/core";
import type { EpochSummary } from "./progress.js";

/** What an epoch is judged by: on the validation data; without any on the test data; without those on the training data. */
export type Monitor = "accuracy" | "error" | "loss";

export interface EarlyStopping {
  /** Epochs without a better one after which the run ends: the best epoch's number plus `patience` is the last. */
  readonly patience: number;
  /** By how much an epoch must be better to count. Default 0. */
  readonly minDelta?: number | undefined;
}

export const monitors: readonly Monitor[] = ["accuracy", "error", "loss"];

/** @throws ArgumentError for anything but a {@link Monitor} */
export function checkMonitor(where: string, monitor: Monitor): void {
  if (monitors.includes(monitor)) return;
  throw new ArgumentError(`${where}: monitor is ${JSON.stringify(monitor)}; it needs one of ${monitors.join(", ")}`, {
    monitor,
  });
}

/** The epoch's figure. Of the error and the loss, less is better; of the accuracy, more. */
export function monitored(summary: EpochSummary, monitor: Monitor): number {
  const { trainLoss, trainAccuracy, testLoss, testAccuracy, validationLoss, validationAccuracy } = summary;
  if (monitor === "loss") return validationLoss ?? testLoss ?? trainLoss;
  const accuracy = validationAccuracy ?? testAccuracy ?? trainAccuracy;
  return monitor === "accuracy" ? accuracy : 1 - accuracy;
}

/** Position in `history` of the best epoch, of equal ones the first; -1 in an empty one. Better means: by more than `minDelta`. */
export function bestEpoch(history: readonly EpochSummary[], monitor: Monitor, minDelta = 0): number {
  const sign = monitor === "accuracy" ? 1 : -1;
  let best = -1;
  let figure = Number.NEGATIVE_INFINITY;
  for (const [i, summary] of history.entries()) {
    const value = sign * monitored(summary, monitor);
    // The first epoch counts whatever it brought.
    if (best >= 0 && !(value > figure + minDelta)) continue;
    best = i;
    figure = value;
  }
  return best;
}

/** Whether patience is at an end: a function of the history alone, so that a resumed run stops where it would have stopped. */
export function isExhausted(
  history: readonly EpochSummary[],
  { patience, minDelta }: EarlyStopping,
  monitor: Monitor,
): boolean {
  return history.length > 0 && history.length - 1 - bestEpoch(history, monitor, minDelta) >= patience;
}
