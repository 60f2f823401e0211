import { join } from "node:path";
import { type Device, hashBytes } from "@ocelli/core";
import { recomputing } from "@ocelli/layers";
import {
  type FitEvent,
  type FitOptions,
  type FitResult,
  fit,
  freshProgress,
  type LabelledImages,
  makeAverage,
  makeClip,
  makeLoss,
  makeOptimizer,
  makeSchedule,
  makeTransform,
  stepStatistics,
  TrainingError,
} from "@ocelli/training";
import type { Checkpoint, RunConfig, RunDirectory } from "@ocelli/training/node";
import { lossPerSampleOf, type ModelEntry, type ModelOutput, type ZooModel } from "@ocelli/zoo";
import { Failure, Interrupted } from "./errors.js";
import { type Io, print, printJson } from "./io.js";
import { entryOf } from "./model.js";
import { trainReporter } from "./progress.js";
import { formatPercent, plural, quoted } from "./terminal.js";

/** What a run trains on and is judged by. */
export interface TrainingData {
  readonly train: LabelledImages;
  readonly validation?: LabelledImages | undefined;
  readonly test: LabelledImages;
}

export interface TrainingJob {
  readonly run: RunDirectory;
  readonly data: TrainingData;
  readonly device: Device;
  /** Where to go on; left out by a run that begins. */
  readonly saved?: Checkpoint | undefined;
  /** Default: what the run says. */
  readonly epochs?: number | undefined;
  /** The run was made for this training: when it fails before the first checkpoint, it leaves nothing. */
  readonly created?: boolean | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** The command that goes on after an interruption. */
  readonly resumeCommand: string;
  /** What takes the place of some of fit's options, worked out on the device when all else is there. */
  readonly prepare?: ((options: FitOptions<ModelOutput>) => Promise<Partial<FitOptions<ModelOutput>>>) | undefined;
}

/**
 * Trains a run from where it stands, with progress on the terminal, and saves it. No other process can train it meanwhile.
 * @throws Interrupted after Ctrl-C, with the run saved; Failure when numbers stop being finite
 */
export async function trainRun(io: Io, job: TrainingJob): Promise<FitResult> {
  const { run, data, json } = job;
  checkLabels(run, data);
  const unlock = await run.lock();
  const reporter = trainReporter(io, { json, judge: data.validation === undefined ? "test" : "validation" });
  const on = (event: FitEvent): Promise<void> => {
    reporter.on(event);
    return run.record(event);
  };
  job.signal.addEventListener("abort", reporter.stop);
  try {
    const result = await fitRun(job, on);
    reporter.stop();
    if (result.status === "interrupted") throw interrupted(io, job, result);
    return result;
  } catch (error) {
    reporter.stop();
    // A full disk and Ctrl-C leave a run to go on with.
    if (isFull(error)) {
      throw new Failure(
        `${run.path}: the disk is full. ${await lastGood(run)}\n  Free some space, then: ${job.resumeCommand}`,
      );
    }
    if (job.created && !(error instanceof Interrupted)) await run.discard();
    throw error instanceof TrainingError ? new Failure(`${plainMessage(error)}\n  ${await lastGood(run)}`) : error;
  } finally {
    job.signal.removeEventListener("abort", reporter.stop);
    await unlock();
  }
}

async function fitRun(
  { run, data, device, saved, epochs, signal, prepare }: TrainingJob,
  on: (event: FitEvent) => Promise<void>,
): Promise<FitResult> {
  const { config } = run;
  const entry = entryOf(config.model.name);
  const model = entry.build(config.model.options);
  const state =
    saved === undefined ? await device.init(model, { seed: config.seed }) : await device.createState(saved.values);
  try {
    const options: FitOptions<ModelOutput> = {
      ...fitOptionsOf(config, entry, model),
      device,
      state,
      train: data.train,
      validation: data.validation,
      test: data.test,
      epochs: epochs ?? config.epochs,
      from: saved?.progress ?? freshProgress,
      checkpoints: run,
      signal,
      on,
    };
    return await fit({ ...options, ...(await prepare?.(options)) });
  } finally {
    state.dispose();
  }
}

/** What of `fit`'s options a run's configuration decides. */
export type ConfiguredOptions = Omit<
  FitOptions<ModelOutput>,
  "device" | "state" | "train" | "validation" | "test" | "from" | "checkpoints" | "signal" | "on"
>;

/** @throws ArgumentError for a part that there is not, or that does not go with the model */
export function fitOptionsOf(config: RunConfig, entry: ModelEntry, model: ZooModel): ConfiguredOptions {
  const { loss, clip, average, statistics, recompute } = config;
  const { epochs, batchSize, seed, accumulate, freeze, logEvery, checkpointEvery } = config;
  const { monitor, earlyStopping, restoreBest } = config;
  return {
    ...{ model, epochs, batchSize, seed, accumulate, freeze, logEvery, checkpointEvery },
    ...{ monitor, earlyStopping, restoreBest },
    optimizer: makeOptimizer(config.optimizer),
    schedule: makeSchedule(config.schedule),
    transform: makeTransform(config.transform),
    lossPerSample: lossPerSampleOf(entry, loss && makeLoss(loss).perSample),
    clip: clip && makeClip(clip),
    average: average && makeAverage(average),
    recompute: recompute && recomputing(model, recompute),
    statistics: statistics ? stepStatistics() : undefined,
  };
}

/** Names the labels of training images, in their order: `data.labels` of a run. */
export function labelsHash({ labels, classes, shape }: Pick<LabelledImages, "labels" | "classes" | "shape">): string {
  const hashes = [new TextEncoder().encode(JSON.stringify([classes, shape])), Int32Array.from(labels)].map((data) =>
    hashBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
  return hashes.join("-");
}

/** Whether the training images are not those that a run began with. Of standard sets it keeps no record. */
export function hasOtherImages({ data, image }: RunConfig, { labels, classes }: LabelledImages): boolean {
  // In the run's own shape: an evaluation may see them larger.
  return data.labels !== undefined && data.labels !== labelsHash({ labels, classes, shape: image });
}

/** @throws Failure when the images are not those that the run began with */
function checkLabels({ path, config }: RunDirectory, { train }: TrainingData): void {
  const { name } = config.data;
  if (!hasOtherImages(config, train)) return;
  throw new Failure(
    `${path} was trained on other images: ${name} has ${plural(train.count, "training image")} now, and they are not in the classes that they were in then. Put them back, or start a new run.`,
  );
}

function interrupted(io: Io, { run, json, resumeCommand }: TrainingJob, { progress }: FitResult): Interrupted {
  const { epoch, batch, step } = progress;
  const checkpoint = run.checkpointPath("last");
  if (json) printJson(io, { event: "interrupted", epoch, batch, step, checkpoint });
  const place = batch === 0 ? `after ${plural(epoch, "epoch")}` : `after ${batch} batches of epoch ${epoch + 1}`;
  return new Interrupted(`stopped ${place}; saved ${checkpoint}\ngo on with: ${resumeCommand}`);
}

/** Without what is for programmers, and without what {@link lastGood} says better. */
function plainMessage(error: TrainingError): string {
  return error.message.replace(/^fit: /, "").replace(" No checkpoint was written since; the last one is good.", "");
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

async function lastGood(run: RunDirectory): Promise<string> {
  for (const kind of ["last", "best"] as const)
    if (await run.has(kind)) return `The last good checkpoint is ${run.checkpointPath(kind)}.`;
  return "No checkpoint had been saved yet.";
}

/** The lines or the object that end a training. */
export function reportDone(io: Io, run: RunDirectory, result: FitResult, json: boolean): void {
  const { status, testLoss, testAccuracy, best, progress } = result;
  const checkpoint = run.checkpointPath("last");
  const { epoch, step } = progress;
  if (json) {
    const { epoch: bestEpoch = null } = best ?? {};
    printJson(io, { event: "done", status, epoch, step, testLoss, testAccuracy, best: bestEpoch, checkpoint });
    return;
  }
  print(io);
  if (status === "stopped") print(io, `stopped early   no epoch was better than epoch ${best?.epoch}`);
  print(io, `test accuracy   ${testAccuracy === null ? "-" : formatPercent(testAccuracy)}`);
  print(io, `checkpoint      ${checkpoint}`);
  if (best === undefined || best.epoch === epoch) return;
  const { validationAccuracy, testAccuracy: tested } = best;
  const figure = `${formatPercent((validationAccuracy ?? tested) as number)}${validationAccuracy === null ? "" : " in validation"}`;
  print(io, `best            ${figure} after epoch ${best.epoch}: ${join(run.path, "best.safetensors")}`);
}

export function resumeCommand(io: Io, run: RunDirectory, extra: readonly string[] = []): string {
  return [io.command, "train", "--resume", quoted(run.path), ...extra].join(" ");
}
