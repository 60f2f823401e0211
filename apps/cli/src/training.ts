import { join } from "node:path";
import type { Device } from "@ocelli/core";
import {
  type FitEvent,
  type FitResult,
  fit,
  freshProgress,
  makeOptimizer,
  makeSchedule,
  makeTransform,
  TrainingError,
} from "@ocelli/training";
import type { Checkpoint, LoadedDataset, RunDirectory } from "@ocelli/training/node";
import { lossPerSampleOf } from "@ocelli/zoo";
import { Failure, Interrupted } from "./errors.js";
import { type Io, print, printJson } from "./io.js";
import { entryOf } from "./model.js";
import { trainReporter } from "./progress.js";
import { formatPercent, plural, quoted } from "./terminal.js";

export interface TrainingJob {
  readonly run: RunDirectory;
  readonly data: LoadedDataset;
  readonly device: Device;
  /** Where to go on; left out by a run that begins. */
  readonly saved?: Checkpoint | undefined;
  /** Default: what the run says. */
  readonly epochs?: number | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** The command that goes on after an interruption. */
  readonly resumeCommand: string;
}

/**
 * Trains a run from where it stands, with progress on the terminal, and saves it.
 * @throws Interrupted after Ctrl-C, with the run saved; Failure when numbers stop being finite
 */
export async function trainRun(io: Io, job: TrainingJob): Promise<FitResult> {
  const { run, json } = job;
  const reporter = trainReporter(io, { json, batchSize: run.config.batchSize });
  // Lines are written one after another; the first failure surfaces at the end, behind the training.
  let logged: Promise<void> = Promise.resolve();
  const on = (event: FitEvent): void => {
    reporter.on(event);
    if (event.type === "epoch") logged = logged.then(() => run.log({ ...event }));
    logged.catch(() => undefined);
  };
  job.signal.addEventListener("abort", reporter.stop);
  try {
    const result = await fitRun(job, on);
    await logged;
    reporter.stop();
    if (result.status === "interrupted") throw interrupted(io, job, result);
    return result;
  } catch (error) {
    reporter.stop();
    if (error instanceof TrainingError) throw new Failure(`${plainMessage(error)}\n  ${await lastGood(run)}`);
    throw isFull(error)
      ? new Failure(
          `${run.path}: the disk is full. ${await lastGood(run)}\n  Free some space, then: ${job.resumeCommand}`,
        )
      : error;
  }
}

async function fitRun(
  { run, data, device, saved, epochs, signal }: TrainingJob,
  on: (event: FitEvent) => void,
): Promise<FitResult> {
  const { config } = run;
  const entry = entryOf(config.model.name);
  const model = entry.build(config.model.options);
  if (saved === undefined && (await run.has("best"))) {
    throw new Failure(`${run.path} has no last.safetensors to go on from. ${await lastGood(run)}`);
  }
  const state =
    saved === undefined ? await device.init(model, { seed: config.seed }) : await device.createState(saved.values);
  try {
    return await fit({
      device,
      model,
      state,
      train: data.train,
      test: data.test,
      epochs: epochs ?? config.epochs,
      batchSize: config.batchSize,
      optimizer: makeOptimizer(config.optimizer),
      schedule: makeSchedule(config.schedule),
      transform: makeTransform(config.transform),
      lossPerSample: lossPerSampleOf(entry),
      seed: config.seed,
      from: saved?.progress ?? freshProgress,
      checkpoints: run,
      signal,
      on,
    });
  } finally {
    state.dispose();
  }
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
  return (await run.has("last"))
    ? `The last good checkpoint is ${run.checkpointPath("last")}.`
    : (await run.has("best"))
      ? `Only ${run.checkpointPath("best")} is there: copy it to last.safetensors to go on from it.`
      : "No checkpoint had been saved yet.";
}

/** The lines or the object that end a training. */
export function reportDone(io: Io, run: RunDirectory, { testAccuracy, progress }: FitResult, json: boolean): void {
  const checkpoint = run.checkpointPath("last");
  if (json) {
    printJson(io, { event: "done", testAccuracy, checkpoint });
    return;
  }
  const best = progress.history.reduce((a, b) => ((b.testAccuracy ?? 0) > (a.testAccuracy ?? 0) ? b : a));
  print(io);
  print(io, `test accuracy   ${testAccuracy === null ? "-" : formatPercent(testAccuracy)}`);
  print(io, `checkpoint      ${checkpoint}`);
  if ((best.testAccuracy ?? 0) > (testAccuracy ?? 0))
    print(
      io,
      `best            ${formatPercent(best.testAccuracy as number)} after epoch ${best.epoch}: ${join(run.path, "best.safetensors")}`,
    );
}

export function resumeCommand(io: Io, run: RunDirectory, extra: readonly string[] = []): string {
  return [io.command, "train", "--resume", quoted(run.path), ...extra].join(" ");
}
