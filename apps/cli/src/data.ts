import { subset } from "@ocelli/training";
import { type DatasetName, type LoadedDataset, loadDataset } from "@ocelli/training/node";
import { type Io, note } from "./io.js";
import { downloadProgress } from "./progress.js";

export interface DataFlags {
  readonly data: DatasetName;
  readonly dataDir?: string | undefined;
  /** At most so many images of each split. */
  readonly limit?: number | undefined;
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

/** Known without loading the test set; undefined for files of the user's own, which may hold other images. */
export function publishedKind({ data, dataDir }: DataFlags): DataKind | undefined {
  return dataDir === undefined ? { name: `${data} test`, ...kinds[data] } : undefined;
}

/** Loads a dataset; downloads show their progress on stderr, warnings too. `testOnly`: not those about the training set. */
export async function loadData(
  io: Io,
  { data, dataDir, limit }: DataFlags,
  signal?: AbortSignal,
  { testOnly = false }: { readonly testOnly?: boolean } = {},
): Promise<LoadedDataset> {
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
    const cut = (split: LoadedDataset["train"]): LoadedDataset["train"] =>
      subset(split, { to: Math.min(most, split.count) });
    return { ...loaded, train: cut(loaded.train), test: cut(loaded.test) };
  } finally {
    progress.stop();
  }
}
