import { FormatError, flattenState, type HostTensor, type StateDict } from "@ocelli/core";
import { type FileTensor, fromHostTensor, readSafetensors, toHostTensor, writeSafetensors } from "@ocelli/formats";
import { nonFiniteEntry } from "./finite.js";
import type { EpochSummary, Progress } from "./fit.js";

/** A state and where the run stood, in one safetensors file: tensors by qualified name, progress as JSON in the metadata. */
export interface Checkpoint {
  readonly values: StateDict;
  readonly progress: Progress;
  /** Names what the run was when this was written; Node's `RunDirectory` compares it. */
  readonly run?: string | undefined;
}

/**
 * Where a training goes on. An epoch's best is written before its last, so where a kill or a full disk came between the two, the best is the
 * further one. Undefined before the first of both.
 * @param kept those that there are, the newest first, and best before last where they are of one moment: an older best is not read
 */
export async function latestCheckpoint(
  kept: readonly ("last" | "best")[],
  read: (kind: "last" | "best") => Promise<Checkpoint>,
): Promise<Checkpoint | undefined> {
  const [newest, other] = kept;
  if (newest === undefined) return undefined;
  const first = await read(newest);
  if (newest === "last" || other === undefined) return first;
  // Files of one moment have no order.
  const last = await read(other);
  return last.progress.step < first.progress.step ? first : last;
}

/** What the metadata of a checkpoint's file say under `format`. */
export const checkpointFormat = "ocelli-checkpoint-1";

/** The file's bytes: the same wherever they are written. @param more entries of the metadata, for whoever wrote them */
export function encodeCheckpoint(
  { values, progress, run }: Checkpoint,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = new Map([...flattenState(values)].map(([name, host]) => [name, fromHostTensor(host)]));
  const metadata = {
    ...more,
    format: checkpointFormat,
    progress: JSON.stringify(progress),
    ...(run === undefined ? {} : { run }),
  };
  return writeSafetensors(tensors, metadata);
}

/**
 * What a checkpoint's file holds of the model itself, by the model's own names; of a run with averages those, by which its epochs were judged.
 * @param tensors of a safetensors file whose metadata say {@link checkpointFormat}
 * @param file what errors call it
 * @throws FormatError when a parameter and a buffer have one name
 */
export function modelTensors(tensors: ReadonlyMap<string, FileTensor>, file: string): Map<string, FileTensor> {
  const own = new Map<string, FileTensor>();
  for (const [qualified, tensor] of tensors) {
    if (!/^(params|buffers)\//.test(qualified)) continue;
    const name = qualified.slice(qualified.indexOf("/") + 1);
    if (own.has(name)) throw new FormatError(`${file}: two tensors are named ${JSON.stringify(name)}`);
    own.set(name, tensors.get(`ema/${name}`) ?? tensor);
  }
  return own;
}

/** @param file what errors call it @throws FormatError when the bytes are damaged or something else */
export function decodeCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes, { name: file });
  if (metadata.format !== checkpointFormat) {
    throw new FormatError(
      `${file}: the metadata's format is ${JSON.stringify(metadata.format)}; a checkpoint has "${checkpointFormat}"`,
    );
  }
  // Maps, because the file chooses the names: as a plain object's key, "__proto__" would reach every object's prototype.
  const collections = new Map<string, Map<string, HostTensor>>();
  for (const [qualified, tensor] of tensors) {
    const at = qualified.indexOf("/");
    if (at < 1)
      throw new FormatError(`${file}: tensor "${qualified}" names no collection; checkpoints hold COLLECTION/NAME`);
    const collection = qualified.slice(0, at);
    const entries = collections.get(collection) ?? new Map<string, HostTensor>();
    collections.set(collection, entries.set(qualified.slice(at + 1), toHostTensor(tensor, `${file}: ${qualified}`)));
  }
  const values = Object.fromEntries(
    Array.from(collections, ([collection, entries]) => [collection, Object.fromEntries(entries)]),
  );
  const bad = nonFiniteEntry(values);
  if (bad !== undefined) throw new FormatError(`${file}: ${bad} holds values that are not finite (NaN or infinity)`);
  return { values, progress: parseProgress(file, metadata.progress), run: metadata.run };
}

function parseProgress(file: string, text: string | undefined): Progress {
  let progress: Partial<Progress>;
  try {
    progress = (JSON.parse(text ?? "") ?? {}) as Partial<Progress>;
  } catch {
    throw new FormatError(`${file}: the metadata's progress is not JSON`);
  }
  const counts = [progress.epoch, progress.batch, progress.step];
  const sums = [progress.lossSum, progress.accuracySum];
  const good =
    counts.every((n) => Number.isSafeInteger(n) && (n as number) >= 0) &&
    sums.every(Number.isFinite) &&
    Array.isArray(progress.history);
  if (!good) throw new FormatError(`${file}: the metadata's progress lacks epoch, batch, step, sums or history`);
  const { history, ...rest } = progress as Progress;
  return {
    ...rest,
    history: history.map((summary, i) => parseSummary(`${file}: epoch ${i + 1} of the history`, summary)),
  };
}

const judgements = ["validationLoss", "validationAccuracy", "testLoss", "testAccuracy"] as const;

function parseSummary(where: string, given: EpochSummary | null): EpochSummary {
  // Files from before there was validation data have no figures of it. The order of what is there stays: so do a file's bytes.
  const missing = judgements.filter((name) => given?.[name] === undefined).map((name) => [name, null]);
  const summary = { ...given, ...Object.fromEntries(missing) } as EpochSummary;
  const { epoch, trainLoss, trainAccuracy, lr } = summary;
  const good =
    [epoch, trainLoss, trainAccuracy, lr].every(Number.isFinite) &&
    judgements.every((name) => summary[name] === null || Number.isFinite(summary[name]));
  if (good) return summary;
  throw new FormatError(`${where} lacks its number, learning rate or training figures, or has others than numbers`);
}
