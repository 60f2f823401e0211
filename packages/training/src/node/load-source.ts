import { type LoadedDataset, readSplits } from "../data/source-files.js";
import type { DatasetSource } from "../data/sources.js";
import { cacheFolder } from "./cache.js";
import { type FetchOptions, fetchDataset } from "./fetch-dataset.js";
import { findFiles } from "./find-files.js";

export type { LoadedDataset } from "../data/source-files.js";

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
  return readSplits(source, found);
}
