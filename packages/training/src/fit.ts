import { ArgumentError, type Handle, item, mean, type StateDict, type Tensor } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { type Batch, type Loader, loader } from "./data/loader.js";
import type { LabelledImages } from "./data/source.js";
import { TrainingError } from "./errors.js";
import type { Evaluation } from "./evaluate.js";
import { nonFiniteEntry } from "./finite.js";
import { Clock } from "./fit/clock.js";
import { RunEvaluator } from "./fit/evaluation.js";
import type { FitEvent, LogEvent } from "./fit/events.js";
import { bestEpoch, isExhausted } from "./fit/monitor.js";
import { checkFitOptions, type FitOptions, type FitResult } from "./fit/options.js";
import { type EpochSummary, freshProgress, type Progress } from "./fit/progress.js";
import { constantSchedule, type Schedule } from "./schedule/schedule.js";
import { type StepResult, type TrainStep, trainStep } from "./train-step.js";

export type {
  CompiledEvent,
  DoneEvent,
  EpochEvent,
  FitEvent,
  LogEvent,
  Pace,
  StartEvent,
  StepEvent,
} from "./fit/events.js";
export type { EarlyStopping, Monitor } from "./fit/monitor.js";
export type { FitOptions, FitResult } from "./fit/options.js";
export { type CheckpointSink, type EpochSummary, freshProgress, type Progress } from "./fit/progress.js";

/**
 * Trains for `epochs` epochs with evaluation and checkpoints. The same options, seed, device and thread count give the same bits,
 * whether the run was interrupted and resumed or not.
 * @throws TrainingError when a loss or a parameter stops being finite, or the loss explodes; the last checkpoint is then the last good one
 * @throws ArgumentError for options out of range, a schedule that gives no learning rate, or progress that is not of this data
 */
export async function fit<Out = Tensor>(options: FitOptions<Out>): Promise<FitResult> {
  const run = new Fit(options);
  try {
    return await run.run();
  } finally {
    run.dispose();
  }
}

/** A queued step. */
interface Queued {
  readonly lr: number;
  readonly read: Promise<StepNumbers>;
}

/** A step's results on the host. */
interface StepNumbers extends Pick<LogEvent, "loss" | "accuracy" | "gradientNorm" | "statistics"> {}

interface Interval {
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
}

const noSteps: Interval = { steps: 0, loss: 0, accuracy: 0 };

class Fit<Out> {
  readonly #options: FitOptions<Out>;
  readonly #schedule: Schedule;
  readonly #step: TrainStep;
  readonly #loader: Loader;
  readonly #logEvery: number;
  #progress: Progress;
  /** Queued steps whose results have not been counted. */
  readonly #pending: Queued[] = [];
  readonly #clock = new Clock();
  #compiled = false;
  #stopAsked = false;
  /** Since the last log event. */
  #interval = noSteps;
  /** The last checkpoint of a run's standing. */
  #saved: { readonly step: number; readonly time: number };
  readonly #evaluator: RunEvaluator<Out>;
  /** Of the last epoch. */
  #evaluationSeconds = 0;
  /** Of the best epoch, kept only where no sink keeps them. */
  #best: StateDict | undefined;

  constructor(options: FitOptions<Out>) {
    checkFitOptions(options);
    const { device, state, lossPerSample, train, batchSize } = options;
    const { seed = 0, from = freshProgress, schedule = constantSchedule() } = options;
    this.#options = options;
    this.#schedule = schedule;
    this.#progress = from;
    this.#saved = { step: from.step, time: performance.now() };
    this.#loader = loader(train, { batchSize, shuffle: true, seed });
    this.#logEvery = options.logEvery ?? Math.max(1, Math.round(this.#loader.batches / 20));
    this.#evaluator = new RunEvaluator(options);
    checkProgress(from, this.#loader);
    const { model, optimizer, transform, lossScale, recompute, clip, accumulate, average, freeze } = options;
    this.#step = trainStep(device, state, {
      ...{ model, optimizer, transform, lossScale, recompute, clip, accumulate, average, freeze },
      loss: (output: Out, labels: Tensor): Tensor => mean(lossPerSample(output, labels)),
      seed,
      startStep: from.step,
    });
  }

  dispose(): void {
    this.#evaluator.dispose();
    this.#step[disposeKey]();
  }

  async run(): Promise<FitResult> {
    const { epochs, earlyStopping, monitor = "accuracy" } = this.#options;
    const { batches } = this.#loader;
    const steps = epochs * batches;
    await this.#emit({ type: "start", epochs, batches, steps, logEvery: this.#logEvery, from: this.#progress });
    const isOver = (): boolean =>
      earlyStopping !== undefined && isExhausted(this.#progress.history, earlyStopping, monitor);
    while (this.#progress.epoch < epochs && !isOver()) {
      const whole = (await this.#trainEpoch()) && (await this.#finishEpoch());
      if (!whole) return this.#interrupted();
    }
    return this.#finish(this.#progress.epoch < epochs ? "stopped" : "done");
  }

  get #isStopping(): boolean {
    return this.#stopAsked || this.#options.signal?.aborted === true;
  }

  async #emit(event: FitEvent): Promise<void> {
    if ((await this.#options.on?.(event)) === "stop") this.#stopAsked = true;
  }

  /** Runs the rest of the current epoch; false when it was cut short. */
  async #trainEpoch(): Promise<boolean> {
    const { epoch, batch: from } = this.#progress;
    this.#clock.restart();
    this.#interval = noSteps;
    const batches = this.#loader.epoch(epoch, { from })[Symbol.asyncIterator]();
    try {
      while (!this.#isStopping) {
        const { done, value: batch } = await this.#clock.waitFor(batches.next());
        if (done || this.#isStopping) break;
        await this.#queue(batch);
        if (this.#pending.length > 1) await this.#collect();
        if (this.#isCheckpointDue()) await this.#checkpoint();
      }
      await this.#drain();
    } finally {
      await batches.return?.();
    }
    return this.#progress.batch === this.#loader.batches;
  }

  async #queue(batch: Batch): Promise<void> {
    if (!this.#compiled) await this.#compile(batch);
    const lr = this.#rate(batch.epoch + batch.index / this.#loader.batches);
    const logs = this.#isLogged(batch.index + 1);
    this.#clock.queued();
    const measured = this.#isMeasured(batch.index + 1);
    const result = await this.#step(batch, { lr, statistics: measured ? this.#options.statistics : undefined });
    const read = readStep(result, logs).finally(() => this.#clock.finished(batch.labels.shape[0] as number));
    // A failure is reported when its turn comes.
    read.catch(() => undefined);
    this.#pending.push({ lr, read });
  }

  #isLogged(batch: number): boolean {
    return batch % this.#logEvery === 0 || batch === this.#loader.batches || this.#isMeasured(batch);
  }

  /** Statistics come once an epoch, for they fill the log: of its last batch that changes parameters. */
  #isMeasured(batch: number): boolean {
    const { statistics, accumulate = 1 } = this.#options;
    const { batches } = this.#loader;
    const step = this.#progress.epoch * batches + batch;
    return statistics !== undefined && step % accumulate === 0 && batch + accumulate > batches;
  }

  #rate(epoch: number): number {
    const { optimizer, epochs } = this.#options;
    const { batches } = this.#loader;
    const factor = this.#schedule.factor({ epoch, epochs, batches, history: this.#progress.history });
    if (Number.isFinite(factor) && factor >= 0) return optimizer.lr * factor;
    throw new ArgumentError(
      `fit: the schedule ${this.#schedule.name} gives the factor ${factor} at epoch ${epoch}; it needs a finite number >= 0`,
      { epoch, factor },
    );
  }

  async #compile(batch: Batch): Promise<void> {
    const { stats } = await this.#step.program(batch);
    this.#compiled = true;
    await this.#emit({ type: "compiled", ms: stats.compileMs, nodes: stats.nodes });
    this.#clock.restart();
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) await this.#collect();
  }

  /** Waits for the oldest queued step and counts it as done. */
  async #collect(): Promise<void> {
    const { read, lr } = this.#pending.shift() as Queued;
    const numbers = await read;
    const { loss, accuracy } = numbers;
    const { lossSum, accuracySum } = this.#progress;
    const batch = this.#progress.batch + 1;
    const step = this.#progress.step + 1;
    const sums = { lossSum: lossSum + loss, accuracySum: accuracySum + accuracy };
    this.#progress = { ...this.#progress, batch, step, ...sums };
    this.#checkLoss(loss);
    const { steps, loss: losses, accuracy: accuracies } = this.#interval;
    this.#interval = { steps: steps + 1, loss: losses + loss, accuracy: accuracies + accuracy };
    const at = { epoch: this.#progress.epoch + 1, batch, step, lr };
    const { batches } = this.#loader;
    const secondsLeft = this.#secondsLeft();
    await this.#emit({ type: "step", ...at, batches, loss, accuracy, ...this.#pace(), secondsLeft });
    if (this.#isLogged(batch))
      await this.#emit({ type: "log", ...numbers, ...at, ...this.#takeMeans(), ...this.#pace() });
  }

  /** Of the steps since the last log event. */
  #takeMeans(): { loss: number; accuracy: number } {
    const { steps, loss, accuracy } = this.#interval;
    this.#interval = noSteps;
    return { loss: loss / steps, accuracy: accuracy / steps };
  }

  #pace(): { imagesPerSecond: number; waiting: number } {
    const { imagesPerSecond, waiting } = this.#clock;
    return { imagesPerSecond, waiting };
  }

  #secondsLeft(): number {
    const { epochs, batchSize } = this.#options;
    const { epoch, step } = this.#progress;
    const images = (epochs * this.#loader.batches - step) * batchSize;
    return images / Math.max(this.#clock.imagesPerSecond, 1e-3) + (epochs - epoch) * this.#evaluationSeconds;
  }

  #isCheckpointDue(): boolean {
    const { checkpoints, checkpointEvery: every } = this.#options;
    if (checkpoints === undefined || every === undefined) return false;
    const steps = this.#progress.step - this.#saved.step;
    const minutes = (performance.now() - this.#saved.time) / 60_000;
    return steps > 0 && (steps >= (every.steps ?? Infinity) || minutes >= (every.minutes ?? Infinity));
  }

  /** Saves the run as it stands after the steps in flight. */
  async #checkpoint(): Promise<void> {
    await this.#drain();
    await this.#save(await this.#readFinite());
  }

  async #save(values: StateDict): Promise<void> {
    await this.#options.checkpoints?.save("last", values, this.#progress);
    this.#saved = { step: this.#progress.step, time: performance.now() };
  }

  /** Evaluates and saves; false when evaluation was cut short, which leaves the run at the end of the epoch's last step. */
  async #finishEpoch(): Promise<boolean> {
    const { validation, test, monitor = "accuracy", checkpoints, restoreBest } = this.#options;
    const pace = this.#pace();
    const values = await this.#readFinite();
    const started = performance.now();
    const judged = validation ?? test;
    const evaluation = judged === undefined ? null : await this.#evaluate(judged, values);
    if (evaluation === undefined) return false;
    this.#evaluationSeconds = (performance.now() - started) / 1000;
    const summary = this.#summarize(evaluation);
    const { epoch, step } = this.#progress;
    const history = [...this.#progress.history, summary];
    this.#progress = { epoch: epoch + 1, batch: 0, step, lossSum: 0, accuracySum: 0, history };
    const best = evaluation !== null && bestEpoch(history, monitor) === history.length - 1;
    await this.#emit({ type: "epoch", ...summary, step, best, ...pace, seconds: this.#clock.seconds });
    if (best) {
      await checkpoints?.save("best", values, this.#progress);
      if (restoreBest && checkpoints?.load === undefined) this.#best = values;
    }
    await this.#save(values);
    return true;
  }

  #summarize(evaluation: Evaluation | null): EpochSummary {
    const { epoch, batch, lossSum, accuracySum } = this.#progress;
    const hasValidation = this.#options.validation !== undefined;
    const [loss, accuracy] = [evaluation?.loss ?? null, evaluation?.accuracy ?? null];
    return {
      epoch: epoch + 1,
      trainLoss: lossSum / batch,
      trainAccuracy: accuracySum / batch,
      validationLoss: hasValidation ? loss : null,
      validationAccuracy: hasValidation ? accuracy : null,
      testLoss: hasValidation ? null : loss,
      testAccuracy: hasValidation ? null : accuracy,
      lr: this.#rate(epoch),
    };
  }

  /** Undefined when the signal cut it short. */
  async #evaluate(data: LabelledImages, values: StateDict): Promise<Evaluation | undefined> {
    const found = await this.#evaluator.evaluate(data, values);
    // Large it may be: while batch-norm's running statistics lag behind, deep plain networks come to 1e18.
    if (found !== undefined && !Number.isFinite(found.loss)) this.#fail(`the loss on ${data.name} is ${found.loss}`);
    return found;
  }

  async #finish(status: "done" | "stopped"): Promise<FitResult> {
    const { state, validation, test, restoreBest } = this.#options;
    const { history } = this.#progress;
    if (restoreBest && history.length > 0) await this.#restoreBest();
    // Without validation data the test data was evaluated with each epoch.
    const known = restoreBest ? this.#bestSummary() : history.at(-1);
    const waits = test !== undefined && validation !== undefined && history.length > 0;
    const tested = waits ? await this.#evaluate(test, await state.read()) : null;
    if (tested === undefined) return this.#end("interrupted", null, null);
    return this.#end(status, tested?.loss ?? known?.testLoss ?? null, tested?.accuracy ?? known?.testAccuracy ?? null);
  }

  /** None without data to judge by. */
  #bestSummary(): EpochSummary | undefined {
    const { validation, test, monitor = "accuracy" } = this.#options;
    const { history } = this.#progress;
    return validation === undefined && test === undefined ? undefined : history[bestEpoch(history, monitor)];
  }

  async #restoreBest(): Promise<void> {
    const { state, checkpoints } = this.#options;
    const values = this.#best ?? (await checkpoints?.load?.("best"))?.values;
    if (values !== undefined) await state.write(values);
  }

  async #interrupted(): Promise<FitResult> {
    if (this.#options.checkpoints !== undefined) await this.#checkpoint();
    return this.#end("interrupted", null, null);
  }

  async #end(status: FitResult["status"], testLoss: number | null, testAccuracy: number | null): Promise<FitResult> {
    const { epoch, step } = this.#progress;
    const best = this.#bestSummary();
    const tested = { testLoss, testAccuracy };
    await this.#emit({ type: "done", status, epoch, step, ...tested, best: best?.epoch ?? null });
    return { status, progress: this.#progress, ...tested, best };
  }

  /** The state's values, all of them finite. */
  async #readFinite(): Promise<StateDict> {
    const values = await this.#options.state.read();
    const bad = nonFiniteEntry(values);
    if (bad !== undefined) this.#fail(`${bad} holds a value that is not finite`);
    return values;
  }

  #checkLoss(loss: number): void {
    const { maxLoss = 1e8 } = this.#options;
    if (!Number.isFinite(loss)) this.#fail(`the loss is ${loss}`);
    if (loss > maxLoss) this.#fail(`the loss is ${loss.toExponential(1)}, which is above ${maxLoss}: it explodes`);
  }

  /** Names the last step that was counted. */
  #fail(what: string): never {
    const { batches } = this.#loader;
    const step = Math.max(1, this.#progress.step);
    const [epoch, batch] = [Math.ceil(step / batches), ((step - 1) % batches) + 1];
    throw new TrainingError(
      `fit: ${what} at step ${step} (epoch ${epoch}, batch ${batch}). No checkpoint was written since; the last one is good. Try a lower learning rate.`,
      { step, epoch, batch },
    );
  }
}

async function readStep(result: StepResult, all: boolean): Promise<StepNumbers> {
  const read = async (name: string): Promise<number> => item(await (result[name] as Handle).read());
  const { gradientNorm, statistics } = result;
  return {
    loss: await read("loss"),
    accuracy: await read("accuracy"),
    ...(all && gradientNorm !== undefined && { gradientNorm: await read("gradientNorm") }),
    ...(all && statistics !== undefined && { statistics: await statistics.rows() }),
  };
}

/** @throws ArgumentError when a run that got this far had epochs of another length */
function checkProgress({ epoch, batch, step }: Progress, { batches, batchSize, images }: Loader): void {
  if (step === epoch * batches + batch && batch <= batches) return;
  throw new ArgumentError(
    `fit: the run to go on with took ${step} steps in ${epoch} epochs and ${batch} batches; here an epoch has ${batches} batches (${images} images by ${batchSize}). It was another data set or batch size.`,
    { step, epoch, batch, batches },
  );
}
