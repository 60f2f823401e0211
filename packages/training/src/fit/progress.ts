import type { StateDict } from "@ocelli/core";

export interface EpochSummary {
  /** From 1. */
  readonly epoch: number;
  /** Means over the epoch's steps, as the parameters changed. */
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  /** After the epoch's last step; null without validation data. */
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  /** The same of the test data; null where validation data judges epochs and the test waits for the end. */
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** At the epoch's first step. */
  readonly lr: number;
}

/** Where a run stands: with the state, all that is needed to go on as if it had never stopped. */
export interface Progress {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches finished of the next one. */
  readonly batch: number;
  /** Steps taken in all. */
  readonly step: number;
  /** Sums over the unfinished epoch's batches. */
  readonly lossSum: number;
  readonly accuracySum: number;
  readonly history: readonly EpochSummary[];
}

export const freshProgress: Progress = { epoch: 0, batch: 0, step: 0, lossSum: 0, accuracySum: 0, history: [] };

/** Where snapshots go. `save` resolves when the snapshot is safe. */
export interface CheckpointSink {
  save(kind: "last" | "best", values: StateDict, progress: Progress): Promise<void>;
  /** Only a resumed run that ends with its best parameters asks for them. */
  load?(kind: "best"): Promise<{ readonly values: StateDict }>;
}
