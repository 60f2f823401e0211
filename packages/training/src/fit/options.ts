import { ArgumentError, type Device, type State, type Tensor } from "@ocelli/core";
import type { LabelledImages } from "../data/source.js";
import type { Schedule } from "../schedule/schedule.js";
import type { StepOptions } from "../step/plan.js";
import type { StepStatistics } from "../step/statistics.js";
import type { FitEvent } from "./events.js";
import { checkMonitor, type EarlyStopping, type Monitor } from "./monitor.js";
import type { CheckpointSink, EpochSummary, Progress } from "./progress.js";

/** What `fit` takes like `trainStep`. A loss that is not finite ends the run also with a `lossScale`: no scale mends a forward pass. */
type SharedOptions<Out> = Pick<
  StepOptions<Out>,
  "model" | "optimizer" | "transform" | "lossScale" | "recompute" | "clip" | "accumulate" | "average" | "freeze"
>;

/**
 * With `accumulate`, a step in what follows is one batch of several that make an update. With `average`, evaluation and so the choice of
 * the best epoch go by the averages; checkpoints hold both.
 */
export interface FitOptions<Out = Tensor> extends SharedOptions<Out> {
  readonly device: Device;
  /** Parameters and buffers; when resuming, all that the checkpoint holds. */
  readonly state: State;
  readonly train: LabelledImages;
  /** Evaluated after each epoch: what the best epoch, early stopping and a plateau go by. */
  readonly validation?: LabelledImages | undefined;
  /** Evaluated at the end of the run; without validation data after each epoch, in its place. */
  readonly test?: LabelledImages | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule?: Schedule | undefined;
  /** Loss of each sample, `[N]`; the batch's mean is minimised. */
  readonly lossPerSample: (output: Out, labels: Tensor) => Tensor;
  readonly seed?: number | undefined;

  /** Where to go on. */
  readonly from?: Progress | undefined;
  readonly checkpoints?: CheckpointSink | undefined;
  /** Checkpoints within epochs, whichever of the two comes first. Default: none; each epoch ends with one. */
  readonly checkpointEvery?: { readonly steps?: number | undefined; readonly minutes?: number | undefined } | undefined;

  /** What the best epoch is chosen by; of equal ones it is the first. Default: accuracy. */
  readonly monitor?: Monitor | undefined;
  /** Ends the run when epochs stop getting better. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Leaves the best epoch's values in the state. Default: the last one's. */
  readonly restoreBest?: boolean | undefined;
  /** A step's loss above it ends the run, as one that is no number does. Default 1e8. */
  readonly maxLoss?: number | undefined;

  /** Steps between log events. Default: a twentieth of an epoch. */
  readonly logEvery?: number | undefined;
  /** Measures the last step of each epoch that changes parameters: `stepStatistics()`. */
  readonly statistics?: StepStatistics | undefined;
  /** Called with each event, and waited for. `"stop"`, returned or promised, does what aborting the signal does. */
  readonly on?: ((event: FitEvent) => unknown) | undefined;
  /** Aborting saves a checkpoint after the steps in flight and returns. */
  readonly signal?: AbortSignal | undefined;
}

export interface FitResult {
  /** `stopped`: by early stopping. */
  readonly status: "done" | "stopped" | "interrupted";
  readonly progress: Progress;
  /** Of what is in the state now; null without test data and after an interruption. */
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
  /** Of all epochs so far; undefined without validation or test data. */
  readonly best: EpochSummary | undefined;
}

/** @throws ArgumentError for options out of range or that do not go together */
export function checkFitOptions<Out>(options: FitOptions<Out>): void {
  const { epochs, logEvery, maxLoss, monitor, earlyStopping, checkpointEvery, restoreBest } = options;
  const { lossPerSample, on } = options;
  const isFunction = typeof lossPerSample === "function";
  need("lossPerSample", lossPerSample, isFunction, "a function of output and labels, such as crossEntropyPerSample");
  need("on", on, on === undefined || typeof on === "function", "a function of an event");
  need("epochs", epochs, isCount(epochs, 0), "a whole number >= 0");
  if (logEvery !== undefined) need("logEvery", logEvery, isCount(logEvery, 1), "a whole number >= 1");
  if (maxLoss !== undefined) need("maxLoss", maxLoss, maxLoss > 0, "a number above 0");
  if (monitor !== undefined) checkMonitor("fit", monitor);
  if (earlyStopping !== undefined) {
    const { patience, minDelta = 0 } = earlyStopping;
    need("earlyStopping.patience", patience, isCount(patience, 1), "a whole number >= 1");
    need("earlyStopping.minDelta", minDelta, Number.isFinite(minDelta) && minDelta >= 0, "a number >= 0");
  }
  for (const [name, value] of Object.entries(checkpointEvery ?? {}))
    if (value !== undefined) need(`checkpointEvery.${name}`, value, value > 0, "a number above 0");
  if (restoreBest) checkRestoreBest(options);
}

function checkRestoreBest<Out>({ validation, test, from, checkpoints }: FitOptions<Out>): void {
  if (validation === undefined && test === undefined)
    throw new ArgumentError("fit: restoreBest needs validation or test data; without any no epoch is the best");
  if ((from?.history.length ?? 0) > 0 && checkpoints?.load === undefined)
    throw new ArgumentError(
      "fit: restoreBest in a resumed run needs checkpoints with a load function; the best epoch may be one from before",
    );
}

const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

function need(name: string, value: unknown, holds: boolean, what: string): void {
  if (!holds) throw new ArgumentError(`fit: ${name} is ${value}; it needs ${what}`, { [name]: value });
}
