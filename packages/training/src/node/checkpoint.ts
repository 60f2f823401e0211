import { readFile } from "node:fs/promises";
import { FormatError, flattenState, type HostTensor, type StateDict } from "@ocelli/core";
import { fromHostTensor, readSafetensors, toHostTensor, writeSafetensors } from "@ocelli/formats";
import { nonFiniteEntry } from "../finite.js";
import type { Progress } from "../fit.js";
import { writeAtomic } from "./atomic-write.js";

/** A state and where the run stood, in one safetensors file: tensors by qualified name, progress as JSON in the metadata. */
export interface Checkpoint {
  readonly values: StateDict;
  readonly progress: Progress;
  /** Names what the run was when this was written ({@link RunDirectory}). */
  readonly run?: string | undefined;
}

const format = "ocelli-checkpoint-1";

/** Writes a checkpoint; a kill at any moment leaves the old file or the new one. */
export async function writeCheckpoint(path: string, { values, progress, run }: Checkpoint): Promise<void> {
  const tensors = new Map([...flattenState(values)].map(([name, host]) => [name, fromHostTensor(host)]));
  const metadata = { format, progress: JSON.stringify(progress), ...(run === undefined ? {} : { run }) };
  await writeAtomic(path, writeSafetensors(tensors, metadata));
}

/** Reads a checkpoint. @throws FormatError when the file is damaged or something else */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path), { name: path });
  if (metadata.format !== format) {
    throw new FormatError(
      `${path}: the metadata's format is ${JSON.stringify(metadata.format)}; a checkpoint has "${format}"`,
    );
  }
  const values: Record<string, Record<string, HostTensor>> = {};
  for (const [qualified, tensor] of tensors) {
    const at = qualified.indexOf("/");
    if (at < 1)
      throw new FormatError(`${path}: tensor "${qualified}" names no collection; checkpoints hold COLLECTION/NAME`);
    const collection = qualified.slice(0, at);
    values[collection] ??= {};
    values[collection][qualified.slice(at + 1)] = toHostTensor(tensor, `${path}: ${qualified}`);
  }
  const bad = nonFiniteEntry(values);
  if (bad !== undefined) throw new FormatError(`${path}: ${bad} holds values that are not finite (NaN or infinity)`);
  return { values, progress: parseProgress(path, metadata.progress), run: metadata.run };
}

function parseProgress(path: string, text: string | undefined): Progress {
  let progress: Partial<Progress>;
  try {
    progress = JSON.parse(text ?? "") as Partial<Progress>;
  } catch {
    throw new FormatError(`${path}: the metadata's progress is not JSON`);
  }
  const counts = [progress.epoch, progress.batch, progress.step];
  const sums = [progress.lossSum, progress.accuracySum];
  const good =
    counts.every((n) => Number.isSafeInteger(n) && (n as number) >= 0) &&
    sums.every(Number.isFinite) &&
    Array.isArray(progress.history);
  if (!good) throw new FormatError(`${path}: the metadata's progress lacks epoch, batch, step, sums or history`);
  return progress as Progress;
}
