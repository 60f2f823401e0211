import type { StatisticsRows } from "../step/statistics.js";
import type { EpochSummary, Progress } from "./progress.js";

/** Speed of the epoch so far. Compilation of the first program and evaluation are not counted. */
export interface Pace {
  readonly imagesPerSecond: number;
  /** Share of the time for which the device had nothing to do because data had not come. */
  readonly waiting: number;
}

/** Before the first step. */
export interface StartEvent {
  readonly type: "start";
  /** Of the whole run. */
  readonly steps: number;
  readonly batches: number;
  readonly epochs: number;
  /** Steps between two log events. */
  readonly logEvery: number;
  /** Where it goes on. */
  readonly from: Progress;
}

/** The step has been compiled, once. */
export interface CompiledEvent {
  readonly type: "compiled";
  readonly ms: number;
  readonly nodes: number;
}

/** A step's results are there. */
export interface StepEvent extends Pace {
  readonly type: "step";
  /** From 1, as are batch and step. */
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly lr: number;
  /** Until the end of the run at this pace, with evaluation once one has been timed. */
  readonly secondsLeft: number;
}

/** Every `logEvery` steps of an epoch, and after its last one. */
export interface LogEvent extends Pace {
  readonly type: "log";
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly lr: number;
  /** Means over the steps since the last log event (of this sitting). */
  readonly loss: number;
  readonly accuracy: number;
  /** Of the gradients of this one step, before `clipNorm`. */
  readonly gradientNorm?: number | undefined;
  /** Of the epoch's last step that changes parameters, where they are asked for. */
  readonly statistics?: StatisticsRows | undefined;
}

/** An epoch is over and evaluated; its checkpoint is written next. */
export interface EpochEvent extends EpochSummary, Pace {
  readonly type: "epoch";
  readonly step: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
  /** Of the part that this sitting had, evaluation included. */
  readonly seconds: number;
}

/** Nothing comes after it. */
export interface DoneEvent {
  readonly type: "done";
  readonly status: "done" | "stopped" | "interrupted";
  readonly epoch: number;
  readonly step: number;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** The number of the best epoch; null without evaluation. */
  readonly best: number | null;
}

/** What `fit` tells as it goes. Speeds are no part of a summary, which goes into checkpoints: they are the same bytes on any machine. */
export type FitEvent = StartEvent | CompiledEvent | StepEvent | LogEvent | EpochEvent | DoneEvent;
