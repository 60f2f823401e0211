import { ArgumentError } from "@ocelli/core";
import type { ImageDataset } from "../data/dataset.js";
import { cacheFolder } from "./cache.js";
import { type FetchOptions, fetchDataset } from "./fetch-dataset.js";
import { type FoundFiles, findFiles } from "./find-files.js";
import type { DatasetSource } from "./sources.js";

/** Both splits of a dataset. */
export interface LoadedDataset {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  /** The folder or archive that the files are from; "built in" for the digits. */
  readonly place: string;
  /** What a user should know: training files that are missing. */
  readonly warnings: readonly string[];
}

export interface LoadSourceOptions extends FetchOptions {
  readonly dataDir?: string;
  readonly cacheDir?: string;
}

/** Loads a dataset from `dataDir`, or from the cache folder, into which it is downloaded the first time. */
export async function loadSource(source: DatasetSource, options: LoadSourceOptions): Promise<LoadedDataset> {
  const { dataDir, cacheDir = cacheFolder(), signal } = options;
  signal?.throwIfAborted();
  const found =
    dataDir === undefined
      ? await fetchDataset(source, cacheDir, options)
      : await findFiles(source, dataDir, signal ? { signal } : {});
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
