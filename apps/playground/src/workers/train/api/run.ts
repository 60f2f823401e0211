import type { EpochSummary } from "@ocelli/training";
import type { ModelSpec } from "../../../model/spec.js";
import type { Origin, TrainingSpec } from "../../../model/training.js";
import type { SavedNetwork } from "../../../store/networks.js";
import type { DeviceReport } from "../../device.js";
import type { DataSummary } from "./data.js";
import type { GivenBeginning } from "./plan.js";

export type RunState = "preparing" | "running" | "pausing" | "paused" | "done" | "stopped" | "failed";

export interface RunStatus {
  /** The network's id in `store/networks.ts`. */
  readonly id: string;
  readonly title: string;
  readonly state: RunState;
  readonly device: DeviceReport;
  readonly spec: ModelSpec;
  readonly training: TrainingSpec;
  /** What it began from; left out: from chance. */
  readonly origin?: Origin;
  readonly data: DataSummary;
  /** Of the whole run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Where the learning rate was set by hand: 1 is the schedule's. */
  readonly rateFactor: number;
  readonly live: LiveNumbers;
  readonly storage: StorageState;
  readonly failure?: RunFailure;
  readonly result?: RunResult;
  readonly points: readonly CurvePoint[];
  readonly epochs: readonly EpochPoint[];
}

/** The last step that is known. Before the first one, all but the counts are null. */
export interface LiveNumbers {
  /** Finished epochs with the share of the current one: 2.5 is the middle of the third. */
  readonly epoch: number;
  readonly step: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Learning rate of the step. */
  readonly lr: number | null;
  /** Over the last seconds; pauses are not counted. */
  readonly imagesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Share of the time in which the device had nothing to do for want of data, 0 to 1. */
  readonly waiting: number | null;
  /** The images that judge the run are looked at, and no step is under way. */
  readonly evaluating: boolean;
}

/** A point of the training's curves: means over some steps. At most about a thousand a run. */
export interface CurvePoint {
  readonly step: number;
  /** As `LiveNumbers.epoch`. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly lr: number;
}

/** An epoch's end. */
export interface EpochPoint extends EpochSummary {
  readonly step: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
}

export interface RunFailure {
  /** Class of the error: `TrainingError` (the loss is NaN or explodes: lower the learning rate), `DeviceLostError`, `FormatError` ... */
  readonly name: string;
  readonly message: string;
  /** `resume()` may help: nothing but the steps since the last checkpoint is lost. */
  readonly resumable: boolean;
  /** The step of the checkpoint that it would go on from. */
  readonly from: number;
}

export interface StorageState {
  readonly kept: boolean;
  /** Milliseconds since 1970 and the step of the last save; null before the first. */
  readonly saved: { readonly time: number; readonly step: number } | null;
  /** Why it is not kept. */
  readonly problem?: { readonly reason: "quota" | "denied" | "unsupported" | "failed"; readonly message: string };
}

export interface RunResult {
  /** Of the test images at the end; null where there are none. */
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly bestEpoch: number | null;
}

export interface StartRequest {
  /** As `plan` gave it, or any: it is adapted to the data. */
  readonly spec: ModelSpec;
  readonly training: TrainingSpec;
  /** A network to begin from. Left out: from chance. */
  readonly from?: GivenBeginning | undefined;
  /** Of the network. Default: the model's name and the data's. */
  readonly title?: string;
}

export interface StoredRun {
  readonly network: SavedNetwork;
  /** Where its checkpoint stands. */
  readonly epoch: number;
  readonly step: number;
  readonly epochs: number;
  readonly steps: number;
  /** Milliseconds since 1970. */
  readonly saved: number;
  /** `interrupted`: the page was closed or reloaded in the middle. */
  readonly state: "interrupted" | "paused" | "stopped" | "failed" | "done";
  /** Another tab trains it now. */
  readonly open: boolean;
}
