import { stat } from "node:fs/promises";
import { nearMatches } from "@ocelli/core";
import { epochOrder, type Frame, type ImageDataset, type LabelledImages, split, subset } from "@ocelli/training";
import {
  type DatasetName,
  datasetNames,
  imageFolder,
  imageList,
  type LoadedDataset,
  loadDataset,
  type PictureFiles,
  type PictureSplits,
  pictureSource,
  splitFiles,
} from "@ocelli/training/node";
import { UsageError } from "./errors.js";
import { type Io, note } from "./io.js";
import { downloadProgress } from "./progress.js";
import { listed } from "./terminal.js";

export interface DataFlags {
  /** A standard set, a folder with a folder of pictures for each class, or a CSV list of pictures. */
  readonly data: string;
  readonly dataDir?: string | undefined;
  /** At most so many images of each split. */
  readonly limit?: number | undefined;
  /** Share of the training images that is set apart, chosen by `seed` (default 0). */
  readonly validation?: number | undefined;
  readonly seed?: number | undefined;
  /** Of picture files: side of the square that they become, threads that decode, and whether broken ones are left out. */
  readonly size?: number | undefined;
  readonly workers?: number | undefined;
  readonly onBroken?: "fail" | "skip" | undefined;
}

/** What picture files become: in training, and in evaluation. */
export interface PictureFrames {
  readonly channels: number;
  readonly train: Frame;
  readonly eval: Frame;
}

export interface LoadedData<Images extends LabelledImages = LabelledImages> {
  readonly train: Images;
  readonly validation?: Images | undefined;
  /** Of pictures without a test part: those of validation. */
  readonly test: Images;
  /** Where they are from. */
  readonly place: string;
}

export interface LoadOptions {
  /** No warnings about the training set. */
  readonly testOnly?: boolean | undefined;
  /** Picture files need them. */
  readonly frames?: PictureFrames | undefined;
}

/** Sizes of the built-in digits without a limit. */
const digitCounts = { train: 10_000, test: 2_000 };

/** What a data set's images are. */
export interface DataKind {
  readonly name: string;
  readonly shape: readonly number[];
  readonly classes: number;
}

const grey = { shape: [1, 28, 28], classes: 10 };

const kinds: Readonly<Record<DatasetName, Omit<DataKind, "name">>> = {
  digits: grey,
  mnist: grey,
  "fashion-mnist": grey,
  cifar10: { shape: [3, 32, 32], classes: 10 },
  cifar100: { shape: [3, 32, 32], classes: 100 },
};

const isStandard = (name: string): name is DatasetName => Object.hasOwn(kinds, name);

/** Known without loading the test set; undefined for files of the user's own, which may hold other images. */
export function publishedKind({ data, dataDir }: DataFlags): DataKind | undefined {
  return dataDir === undefined && isStandard(data) ? { name: `${data} test`, ...kinds[data] } : undefined;
}

/**
 * Loads a standard set (downloads show their progress on stderr) or finds a folder's or a list's pictures, which are read when they are
 * needed. Warnings go to stderr.
 * @throws UsageError for what is none of these
 */
export function loadData(
  io: Io,
  flags: DataFlags & { readonly data: DatasetName },
  signal?: AbortSignal,
  options?: LoadOptions,
): Promise<LoadedData<ImageDataset>>;
export function loadData(io: Io, flags: DataFlags, signal?: AbortSignal, options?: LoadOptions): Promise<LoadedData>;
export async function loadData(
  io: Io,
  flags: DataFlags,
  signal?: AbortSignal,
  options: LoadOptions = {},
): Promise<LoadedData> {
  const { data } = flags;
  return isStandard(data)
    ? loadStandard(io, { ...flags, data }, signal, options)
    : loadPictures(io, await findSplits(data), flags, options);
}

const pictureFlags = { size: "--size", workers: "--workers", onBroken: "--on-broken" } as const;

async function loadStandard(
  io: Io,
  flags: DataFlags & { readonly data: DatasetName },
  signal: AbortSignal | undefined,
  { testOnly }: LoadOptions,
): Promise<LoadedData<ImageDataset>> {
  const { data, dataDir, limit, validation, seed } = flags;
  const idle = Object.entries(pictureFlags).flatMap(([name, flag]) =>
    flags[name as keyof typeof pictureFlags] === undefined ? [] : [flag],
  );
  if (idle.length > 0) throw new UsageError(`${listed(idle)}: for files of pictures; ${data} has none`);
  if (data === "digits" && dataDir !== undefined) note(io, "note: --data-dir is not used: the digits are built in");
  const most = limit ?? Number.POSITIVE_INFINITY;
  const progress = downloadProgress(io);
  try {
    const loaded = await loadDataset(data, {
      digits: { train: Math.min(most, digitCounts.train), test: Math.min(most, digitCounts.test) },
      onProgress: progress.update,
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!testOnly) for (const warning of loaded.warnings) note(io, `note: ${warning}`);
    const cut = (part: LoadedDataset["train"]): LoadedDataset["train"] =>
      subset(part, { to: Math.min(most, part.count) });
    const [train, test] = [cut(loaded.train), cut(loaded.test)];
    const parts = validation === undefined ? { train } : split(train, { validation, seed });
    return { ...parts, test, place: loaded.place };
  } finally {
    progress.stop();
  }
}

async function findSplits(data: string): Promise<PictureSplits> {
  const found = await stat(data).catch(() => undefined);
  if (found?.isDirectory()) return imageFolder(data);
  if (found?.isFile() && /\.(csv|txt)$/i.test(data)) return imageList(data);
  const [near] = nearMatches(data, datasetNames);
  const what = found === undefined ? "there is no such file or folder" : "it is a file, but no CSV list";
  throw new UsageError(
    `--data ${data}: ${what}${near === undefined ? "." : `; did you mean ${near}?`} It takes ${datasetNames.join(", ")}, a folder that has a folder of pictures for each class, or a list of pictures (FILE.csv: path,label).`,
  );
}

/** Of pictures without a test part, this share of the training ones takes its place. */
const testShare = 0.2;

function loadPictures(io: Io, found: PictureSplits, flags: DataFlags, { testOnly, frames }: LoadOptions): LoadedData {
  const { data, dataDir, workers, onBroken } = flags;
  if (frames === undefined)
    throw new UsageError(`--data ${data}: pictures come in all sizes; only with a model is it known which they need`);
  if (dataDir !== undefined) note(io, `note: --data-dir is not used: --data says where the pictures are`);
  if (!testOnly) for (const warning of found.warnings) note(io, `note: ${warning}`);
  const { channels, train: moving, eval: still } = frames;
  if (channels !== 1 && channels !== 3)
    throw new UsageError(`--data ${data}: pictures have 1 or 3 channels; the model takes ${channels}`);
  const report = (line: string): void => note(io, `note: ${line}`);
  const source = (
    files: PictureFiles,
    frame: Frame | { readonly train: Frame; readonly eval: Frame },
  ): LabelledImages => pictureSource(limited(files, flags.limit), { frame, channels, workers, onBroken, report });
  const { train, validation, test } = partsOf(io, found, flags);
  const sameSize = moving.size.join() === still.size.join();
  const judged = validation && source(validation, still);
  return {
    train: source(train, sameSize ? { train: moving, eval: still } : moving),
    validation: judged,
    // Pictures that are found out to be broken are so for both.
    test: test === validation && judged !== undefined ? judged : source(test, still),
    place: data,
  };
}

interface Parts {
  readonly train: PictureFiles;
  readonly validation: PictureFiles | undefined;
  readonly test: PictureFiles;
}

/** What is trained on, what epochs are judged by, and what is tested on. */
function partsOf(io: Io, found: PictureSplits, { data, validation: share, seed }: DataFlags): Parts {
  if (share !== undefined) {
    if (found.validation !== undefined)
      throw new UsageError(`--validation ${share}: ${data} has pictures for validation of its own`);
    const { train, validation } = splitFiles(found.train, { validation: share, seed });
    return { train, validation, test: found.test ?? validation };
  }
  if (found.test !== undefined) return { train: found.train, validation: found.validation, test: found.test };
  if (found.validation !== undefined) return { train: found.train, validation: undefined, test: found.validation };
  // Whatever the run's seed is: an evaluation finds the same pictures.
  const { train, validation: test } = splitFiles(found.train, { validation: testShare });
  note(
    io,
    `note: ${data} has no pictures for tests: ${test.labels.length} of ${found.train.labels.length} are set apart (--validation ${testShare})`,
  );
  return { train, validation: undefined, test };
}

/** So many of all classes as come. Files are in the order of classes: the first ones would be of one. */
function limited(files: PictureFiles, limit: number | undefined): PictureFiles {
  const count = files.labels.length;
  if (limit === undefined || limit >= count) return files;
  const chosen = epochOrder(count, { seed: 0, epoch: 0 }).slice(0, limit).sort();
  return {
    ...files,
    files: Array.from(chosen, (i) => files.files[i] as string),
    labels: Int32Array.from(chosen, (i) => files.labels[i] as number),
  };
}
