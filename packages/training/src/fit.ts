import { type Device, item, mean, type State, type StateDict, type Tensor } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import type { ImageDataset } from "./data/dataset.js";
import { loader } from "./data/loader.js";
import { TrainingError } from "./errors.js";
import { type Evaluation, evaluator } from "./evaluate.js";
import { nonFiniteEntry } from "./finite.js";
import type { LossScale } from "./loss-scale.js";
import type { Optimizer } from "./optim/index.js";
import { constantSchedule, type Schedule } from "./schedule/index.js";
import { type StepResult, type TrainStep, trainStep } from "./train-step.js";
import type { Transform } from "./transform.js";

export interface EpochSummary {
  /** From 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number | null;
  readonly testAccuracy: number | null;
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
}

export type FitEvent =
  | {
      readonly type: "start";
      readonly steps: number;
      readonly batches: number;
      readonly epochs: number;
      readonly from: Progress;
    }
  | { readonly type: "compiled"; readonly ms: number; readonly nodes: number }
  | {
      readonly type: "step";
      readonly epoch: number;
      readonly batch: number;
      readonly batches: number;
      readonly step: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly lr: number;
      /** Over the epoch so far, compilation not counted. */
      readonly imagesPerSecond: number;
    }
  | ({
      readonly type: "epoch";
      /**
       * Over the epoch's training steps, evaluation not counted. Not part of the summary, which goes into checkpoints: they are the
       * same bytes however fast the machine was.
       */
      readonly imagesPerSecond: number;
    } & EpochSummary);

export interface FitOptions<Out = Tensor> {
  readonly device: Device;
  readonly model: Module<Tensor, Out>;
  /** Parameters and buffers; when resuming, all that the checkpoint holds. */
  readonly state: State;
  readonly train: ImageDataset;
  /** Evaluated after each epoch. */
  readonly test?: ImageDataset | undefined;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  readonly schedule?: Schedule;
  /** Loss of each sample, `[N]`; the batch's mean is minimised. */
  readonly lossPerSample: (output: Out, labels: Tensor) => Tensor;
  readonly transform?: Transform | undefined;
  /** As for `trainStep`. A loss that is not finite still ends the run: no scale mends a forward pass. */
  readonly lossScale?: LossScale | undefined;
  readonly seed?: number;
  /** Where to go on. */
  readonly from?: Progress;
  readonly checkpoints?: CheckpointSink | undefined;
  /** Aborting saves a checkpoint after the steps in flight and returns. */
  readonly signal?: AbortSignal | undefined;
  readonly on?: ((event: FitEvent) => void) | undefined;
}

export interface FitResult {
  readonly status: "done" | "interrupted";
  readonly progress: Progress;
  readonly testAccuracy: number | null;
}

/**
 * Trains for `epochs` epochs with evaluation and checkpoints. The same options, seed, device and thread count give the same bits,
 * whether the run was interrupted and resumed or not.
 * @throws TrainingError when a loss or a parameter stops being finite; the last checkpoint is then the last good one
 */
export async function fit<Out = Tensor>(options: FitOptions<Out>): Promise<FitResult> {
  return new Fit(options).run();
}

class Fit<Out> {
  readonly #options: FitOptions<Out>;
  readonly #schedule: Schedule;
  readonly #step: TrainStep;
  readonly #batches: ReturnType<typeof loader>;
  #progress: Progress;
  /** Queued steps whose results have not been read. */
  readonly #pending: { readonly result: StepResult; readonly lr: number }[] = [];
  #clock = { start: 0, images: 0 };

  constructor(options: FitOptions<Out>) {
    const { device, state, model, optimizer, lossPerSample, lossScale, transform, train, batchSize } = options;
    const { seed = 0, from = freshProgress, schedule = constantSchedule() } = options;
    this.#options = options;
    this.#schedule = schedule;
    this.#progress = from;
    const loss = (output: Out, labels: Tensor): Tensor => mean(lossPerSample(output, labels));
    this.#step = trainStep(device, state, { model, loss, lossScale, optimizer, transform, seed, startStep: from.step });
    this.#batches = loader(train, { batchSize, shuffle: true, seed });
  }

  async run(): Promise<FitResult> {
    const { epochs, on } = this.#options;
    const { batches } = this.#batches;
    on?.({ type: "start", epochs, batches, steps: epochs * batches, from: this.#progress });
    while (this.#progress.epoch < epochs) {
      if (!(await this.#trainEpoch())) return this.#interrupted();
      await this.#finishEpoch();
    }
    return {
      status: "done",
      progress: this.#progress,
      testAccuracy: this.#progress.history.at(-1)?.testAccuracy ?? null,
    };
  }

  /** Runs the rest of the current epoch; false when the signal cut it short. */
  async #trainEpoch(): Promise<boolean> {
    const { epoch, batch: first } = this.#progress;
    this.#clock = { start: performance.now(), images: 0 };
    for await (const batch of this.#batches.epoch(epoch, { from: first })) {
      if (this.#options.signal?.aborted) break;
      if (this.#step.count === (this.#options.from ?? freshProgress).step) await this.#compile(batch);
      const lr = this.#rate(epoch + batch.index / this.#batches.batches);
      this.#pending.push({ result: await this.#step(batch, { lr }), lr });
      if (this.#pending.length > 1) await this.#collect();
    }
    while (this.#pending.length > 0) await this.#collect();
    return this.#progress.batch === this.#batches.batches;
  }

  #rate(epoch: number): number {
    return (
      this.#options.optimizer.lr *
      this.#schedule.factor({ epoch, epochs: this.#options.epochs, history: this.#progress.history })
    );
  }

  async #compile(batch: Parameters<TrainStep>[0]): Promise<void> {
    const { stats } = await this.#step.program(batch);
    this.#options.on?.({ type: "compiled", ms: stats.compileMs, nodes: stats.nodes });
    this.#clock = { start: performance.now(), images: 0 };
  }

  /** Reads the oldest queued step's results and counts it as done. */
  async #collect(): Promise<void> {
    const { result, lr } = this.#pending.shift() as { result: StepResult; lr: number };
    const loss = item(await result.loss.read());
    const accuracy = item(await (result.accuracy as StepResult["loss"]).read());
    const { epoch, batch, step } = this.#progress;
    if (!Number.isFinite(loss)) this.#fail(`the loss is ${loss}`);
    this.#progress = {
      ...this.#progress,
      batch: batch + 1,
      step: step + 1,
      lossSum: this.#progress.lossSum + loss,
      accuracySum: this.#progress.accuracySum + accuracy,
    };
    this.#clock.images += this.#options.batchSize;
    const { batches } = this.#batches;
    const imagesPerSecond = this.#speed();
    this.#options.on?.({
      type: "step",
      epoch: epoch + 1,
      batch: batch + 1,
      batches,
      step: step + 1,
      loss,
      accuracy,
      lr,
      imagesPerSecond,
    });
  }

  #speed(): number {
    return (1000 * this.#clock.images) / Math.max(performance.now() - this.#clock.start, 1e-3);
  }

  async #finishEpoch(): Promise<void> {
    const { epoch, lossSum, accuracySum, batch, step, history } = this.#progress;
    const imagesPerSecond = this.#speed();
    const values = await this.#readFinite();
    const test = await this.#evaluate();
    if (test !== null && !Number.isFinite(test.loss)) this.#fail(`the test loss is ${test.loss}`);
    const summary: EpochSummary = {
      epoch: epoch + 1,
      trainLoss: lossSum / batch,
      trainAccuracy: accuracySum / batch,
      testLoss: test?.loss ?? null,
      testAccuracy: test?.accuracy ?? null,
      lr: this.#rate(epoch),
    };
    const best = Math.max(...history.map((past) => past.testAccuracy ?? 0), 0);
    this.#progress = { epoch: epoch + 1, batch: 0, step, lossSum: 0, accuracySum: 0, history: [...history, summary] };
    const { checkpoints, on } = this.#options;
    if (test !== null && (history.length === 0 || test.accuracy > best))
      await checkpoints?.save("best", values, this.#progress);
    await checkpoints?.save("last", values, this.#progress);
    on?.({ type: "epoch", ...summary, imagesPerSecond });
  }

  async #evaluate(): Promise<Evaluation | null> {
    const { device, state, model, transform, lossPerSample, test, batchSize } = this.#options;
    if (test === undefined) return null;
    this.#evaluator ??= evaluator(device, state, { model, transform, lossPerSample });
    return this.#evaluator(loader(test, { batchSize: Math.max(batchSize, 100) }).epoch(0));
  }

  #evaluator: ReturnType<typeof evaluator<Out>> | undefined;

  async #interrupted(): Promise<FitResult> {
    if (this.#options.checkpoints !== undefined)
      await this.#options.checkpoints.save("last", await this.#readFinite(), this.#progress);
    return { status: "interrupted", progress: this.#progress, testAccuracy: null };
  }

  /** The state's values, all of them finite. */
  async #readFinite(): Promise<StateDict> {
    const values = await this.#options.state.read();
    const bad = nonFiniteEntry(values);
    if (bad !== undefined) this.#fail(`${bad} holds a value that is not finite`);
    return values;
  }

  #fail(what: string): never {
    const { epoch, batch, step } = this.#progress;
    throw new TrainingError(
      `fit: ${what} at step ${step + 1} (epoch ${epoch + 1}, batch ${batch + 1}). No checkpoint was written since; the last one is good. Try a lower learning rate.`,
      { step: step + 1, epoch: epoch + 1, batch: batch + 1 },
    );
  }
}
