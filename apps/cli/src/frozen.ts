import { type CachedFeatures, cachedFeatures, type FitOptions, whyNotCached } from "@ocelli/training";
import type { RunConfig } from "@ocelli/training/node";
import type { ModelOutput } from "@ocelli/zoo";
import { augmentationNames } from "./augmentation.js";
import { Interrupted } from "./errors.js";
import { type Io, note, print, printJson } from "./io.js";
import { Bar } from "./progress.js";
import { formatDuration, formatInteger } from "./terminal.js";

type Prepare = (options: FitOptions<ModelOutput>) => Promise<Partial<CachedFeatures<ModelOutput>>>;

export interface CachingOptions {
  readonly json: boolean;
  /** The command that goes on after an interruption. */
  readonly resumeCommand: string;
}

/**
 * For runs that freeze all before their classifier: what that is given is worked out once for each image, where it is the same in every
 * epoch. It takes less than an epoch, so that a resumed run does it again. Undefined for runs that freeze nothing.
 */
export function cachingFeatures(
  io: Io,
  config: RunConfig,
  { json, resumeCommand }: CachingOptions,
): Prepare | undefined {
  const { freeze } = config;
  if (freeze === undefined) return undefined;
  return async (options) => {
    const training = { ...options, freeze };
    const reason = movingFrames(config) ? "pictures are cut at random" : whyNotCached(training);
    if (reason !== undefined) {
      const augmented = movingFrames(config) || augmentationNames(config.transform).length > 0;
      const hint = augmented ? "; --augment none may change that" : "";
      if (!json) note(io, `note: every step runs the whole network: ${reason}${hint}`);
      return {};
    }
    const start = performance.now();
    const bar = new Bar(io, io.stderr);
    let images = 0;
    try {
      const values = await options.state.read();
      const onProgress = (progress: { readonly done: number; readonly images: number }): void => {
        images = progress.images;
        if (!json) bar.show("features", progress.done, images, []);
      };
      const cached = await cachedFeatures({ ...training, values, onProgress });
      bar.stop();
      const seconds = (performance.now() - start) / 1000;
      if (json) printJson(io, { event: "features cached", images, seconds });
      else print(io, `features cached: ${formatInteger(images)} images in ${formatDuration(seconds)}`);
      return cached;
    } catch (error) {
      if (options.signal?.aborted)
        throw new Interrupted(`stopped before a step was taken\ngo on with: ${resumeCommand}`);
      throw error;
    } finally {
      bar.stop();
    }
  };
}

/** Whether training sees other parts of the pictures in each epoch. */
export function movingFrames({ frames }: RunConfig): boolean {
  return frames !== undefined && JSON.stringify(frames.train) !== JSON.stringify(frames.eval);
}
