import { ArgumentError, nearMatches } from "@ocelli/core";
import { digits } from "../data/digits.js";
import { sources } from "../data/sources.js";
import type { FetchOptions } from "./fetch-dataset.js";
import { type LoadedDataset, loadSource } from "./load-source.js";

/** Datasets that {@link loadDataset} knows. `digits` needs neither files nor a network. */
export type DatasetName = "digits" | keyof typeof sources;

export const datasetNames: readonly DatasetName[] = ["digits", "mnist", "fashion-mnist", "cifar10", "cifar100"];

export interface LoadDatasetOptions extends FetchOptions {
  /** Folder with the files; then nothing is downloaded. Its files are checked for their format, not for checksums. */
  readonly dataDir?: string;
  /** Where downloads are kept. Default: what `cacheFolder()` says. */
  readonly cacheDir?: string;
  /** Size and seed of the built-in digits. */
  readonly digits?: { readonly train?: number; readonly test?: number; readonly seed?: number };
}

/**
 * Loads a dataset, both splits: from `dataDir`, or from the cache folder, into which it is downloaded the first time.
 * Files may be gz or not. For CIFAR-10 in `dataDir`, some of the five training files are enough (and a warning).
 * @throws ArgumentError (unknown name; files that are not in `dataDir`, listed), FormatError (damaged files), DownloadError
 */
export async function loadDataset(name: DatasetName, options: LoadDatasetOptions = {}): Promise<LoadedDataset> {
  if (name === "digits") return builtInDigits(options.digits);
  if (!Object.hasOwn(sources, name)) {
    const [near] = nearMatches(name, datasetNames);
    const guess = near ? `; did you mean ${near}?` : "";
    throw new ArgumentError(`loadDataset: no dataset ${JSON.stringify(name)}${guess} (${datasetNames.join(", ")})`, {
      name,
    });
  }
  return loadSource(sources[name], options);
}

function builtInDigits({ train = 10_000, test = 2_000, seed = 0 }: LoadDatasetOptions["digits"] = {}): LoadedDataset {
  return {
    train: digits({ count: train, seed, split: "train" }),
    test: digits({ count: test, seed, split: "test" }),
    place: "built in",
    warnings: [],
  };
}
