import type { ModelSpec } from "../../../model/spec.js";
import type { Beginning, DataSpec, Origin, TrainingChanges, TrainingSpec } from "../../../model/training.js";
import type { SavedSource } from "../../../store/source.js";
import type { DataSummary } from "./data.js";

/** What a training begins from, as the page says it. */
export interface GivenBeginning extends Pick<Beginning, "headOnly"> {
  readonly source: SavedSource;
}

export interface PlanRequest {
  readonly spec: ModelSpec;
  readonly data: DataSpec;
  /** What the reader has set of the training. */
  readonly changes?: TrainingChanges;
  /** A network to begin from. Left out: from chance. */
  readonly from?: GivenBeginning | undefined;
}

export interface TrainPlan {
  /** Adapted to the data: so many classes, channels and pixels. */
  readonly spec: ModelSpec;
  /** What of the given spec had to be changed for the data: "10 classes instead of 1000". */
  readonly adaptations: readonly string[];
  /** Of what it begins from, how much. */
  readonly origin?: Origin;
  readonly training: TrainingSpec;
  /** The proposal alone, without the reader's changes. */
  readonly proposal: TrainingSpec;
  /** Whose recipe the proposal is: "He et al. 2016, section 4.2", and what was changed. */
  readonly source: string;
  readonly data: DataSummary;
  readonly parameters: number;
  /** Bytes of a training step at its fullest moment, by rule: `peakMemory` of @ocelli/inspect. */
  readonly memory: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Learning rate at 200 points of the run, evenly from its start to its end. Of a plateau schedule: as if it never stopped getting better. */
  readonly rates: readonly number[];
}
