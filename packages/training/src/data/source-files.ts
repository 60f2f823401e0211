import { ArgumentError, FormatError } from "@ocelli/core";
import type { ImageDataset } from "./dataset.js";
import type { NamedBytes } from "./idx.js";
import type { DatasetSource, SourceFile } from "./sources.js";

/** The files of a dataset, found and read. */
export interface FoundFiles {
  readonly files: ReadonlyMap<SourceFile, NamedBytes>;
  /** The folder or the archive that they are from. */
  readonly place: string;
  /** Optional files that are not there. */
  readonly missing: readonly SourceFile[];
}

/** Both splits of a dataset. */
export interface LoadedDataset {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  /** The folder or archive that the files are from; "built in" for the digits. */
  readonly place: string;
  /** What a user should know: training files that are missing. */
  readonly warnings: readonly string[];
}

/** The names under which a file may lie. */
export function spellings(file: SourceFile): string[] {
  const names = [file.name, ...(file.aliases ?? [])];
  // CIFAR's files are distributed in an archive, never as single gz files.
  return file.kind === "records" ? names : names.flatMap((name) => [name, `${name}.gz`]);
}

/** Whether all that a dataset needs has been found. */
export function isEnough(source: DatasetSource, found: ReadonlyMap<SourceFile, unknown>): boolean {
  const needed = source.files.every((file) => file.partial || found.has(file));
  const splits = new Set([...found.keys()].map((file) => file.split));
  return needed && splits.size === 2;
}

/** The files of a dataset and which of them `place` has: a line of an error message. */
export function describeFiles(source: DatasetSource, place: string, found: ReadonlyMap<SourceFile, unknown>): string {
  const names = source.files.map((file) => `${file.name}${found.has(file) ? " (found)" : ""}`);
  const gz = source.files.some((file) => file.kind !== "records") ? " (each with or without .gz)" : "";
  return `  ${place}: ${names.join(", ")}${gz}`;
}

/** @throws FormatError for a file that is larger than any of the dataset's */
export function checkFileSize(source: DatasetSource, file: string, size: number): void {
  if (size <= source.maxBytes) return;
  throw new FormatError(`${file}: has ${size} bytes; no file of ${source.name} has more than ${source.maxBytes}`, {
    file,
    size,
  });
}

/** Both splits out of their files. @throws FormatError for damaged files; ArgumentError for files of two datasets */
export async function readSplits(source: DatasetSource, found: FoundFiles): Promise<LoadedDataset> {
  const train = await readSplit(source, found, "train");
  const test = await readSplit(source, found, "test");
  checkSameKind(train, test);
  return { train, test, place: found.place, warnings: warningsOf(found, train) };
}

function readSplit(source: DatasetSource, { files }: FoundFiles, split: "train" | "test"): Promise<ImageDataset> {
  return source.read(`${source.name} ${split}`, new Map([...files].filter(([file]) => file.split === split)));
}

/** Files of different datasets in one folder would otherwise fail much later. */
function checkSameKind(train: ImageDataset, test: ImageDataset): void {
  if (train.shape.every((dim, i) => dim === test.shape[i])) return;
  throw new ArgumentError(
    `${train.name} has images [${train.shape.join(", ")}], ${test.name} [${test.shape.join(", ")}]`,
    {
      train: train.shape,
      test: test.shape,
    },
  );
}

function warningsOf({ missing, place, files }: FoundFiles, train: ImageDataset): string[] {
  if (missing.length === 0) return [];
  const all = [...files.keys(), ...missing].filter((file) => file.split === "train").length;
  const names = missing.map((file) => file.name).join(", ");
  return [
    `${train.name}: ${all - missing.length} of ${all} training files in ${place} (${train.count} images); missing: ${names}`,
  ];
}
