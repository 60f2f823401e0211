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

/** Loads a dataset; downloads show their progress on stderr, warnings too. */
export async function loadData(
  io: Io,
  { data, dataDir, limit }: DataFlags,
  signal?: AbortSignal,
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
    for (const warning of loaded.warnings) note(io, `note: ${warning}`);
    const cut = (split: LoadedDataset["train"]): LoadedDataset["train"] =>
      subset(split, { to: Math.min(most, split.count) });
    return { ...loaded, train: cut(loaded.train), test: cut(loaded.test) };
  } finally {
    progress.stop();
  }
}
