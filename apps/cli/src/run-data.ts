import { makeFrame } from "@ocelli/training";
import type { RunConfig } from "@ocelli/training/node";
import { type LoadedData, loadData } from "./data.js";
import type { Io } from "./io.js";

/** The data that a run trains on; `dataDir`: where they lie now. */
export function loadRunData(
  io: Io,
  { data, validation, frames, image }: RunConfig,
  { dataDir = data.dir ?? undefined }: { readonly dataDir?: string | undefined },
  signal?: AbortSignal,
): Promise<LoadedData> {
  const { name, limit, onBroken, workers } = data;
  const kept = { limit, onBroken, workers, validation: validation?.share, seed: validation?.seed };
  if (frames === undefined) return loadData(io, { ...kept, data: name, dataDir }, signal);
  // Pictures are named by their place.
  const made = { channels: image[0], train: makeFrame(frames.train), eval: makeFrame(frames.eval) };
  return loadData(io, { ...kept, data: dataDir ?? name }, signal, { frames: made });
}
