import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { nearMatches } from "@ocelli/core";
import { fetchFile } from "@ocelli/training/node";
import { modelEntry, modelNames, type WeightsEntry, WeightsError, weightsEntry } from "@ocelli/zoo";
import { Failure, UsageError } from "./errors.js";
import { interruptible } from "./interrupt.js";
import { type Io, note } from "./io.js";
import { imageOf, type LoadedModel, loadModel, type ModelFlags } from "./model.js";
import { downloadProgress } from "./progress.js";

/**
 * Opens what a user names: a run folder, a file of weights, or published weights ("resnet18", "resnet18:imagenet1k_v2"), which are
 * downloaded the first time.
 * @param check told of published weights before they are downloaded
 * @throws UsageError for a model without such weights; Failure for what is neither a file nor a model; DownloadError
 */
export async function openModel(
  io: Io,
  source: string,
  flags: ModelFlags,
  check: (model: Pick<LoadedModel, "name" | "options" | "image">) => void = () => undefined,
): Promise<LoadedModel> {
  const warn = (line: string): void => note(io, line);
  const isThere = (await stat(source).catch(() => undefined)) !== undefined;
  const published = isThere ? undefined : publishedAs(source);
  if (published === undefined) return loadModel(source, flags, warn);
  const { model, weights } = published;
  if (flags.model !== undefined && flags.model !== model)
    throw new UsageError(`--model ${flags.model}: ${source} is of ${model}`);
  const entry = modelEntry(model);
  const options = { numClasses: entry.numClasses, inChannels: entry.input[0], ...weights.options };
  check({ name: model, options, image: imageOf(entry, options) });
  return loadModel(await fetched(io, weights), { ...flags, model, weights }, warn);
}

/** Weights by name; undefined for what looks like a path. */
function publishedAs(source: string): { readonly model: string; readonly weights: WeightsEntry } | undefined {
  const [, model, name] = /^(\w+)(?::(\w+))?$/.exec(source) ?? [];
  if (model === undefined) return undefined;
  if (!(modelNames as readonly string[]).includes(model)) {
    const near = nearMatches(model, modelNames);
    if (near.length === 0 && name === undefined) return undefined;
    const hint = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "";
    throw new Failure(`${source}: no such file or folder, and no model is called ${model}${hint}`);
  }
  try {
    return { model, weights: weightsEntry(model, name) };
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new UsageError(`${error.message}\n  \`ocelli list\` shows which models have some, in brackets.`);
  }
}

/** Path of the file in the cache; a download shows its progress on stderr. */
async function fetched(io: Io, weights: WeightsEntry): Promise<string> {
  const progress = downloadProgress(io);
  const file = basename(new URL(weights.url).pathname);
  try {
    return await interruptible(io, "stopping ...", async (signal) => {
      const got = await fetchFile(weights, {
        signal,
        onProgress: (state) => progress.update({ ...state, file, index: 1, count: 1 }),
      });
      progress.stop();
      if (got.downloaded && got.comparedDigits < got.sha256.length) {
        note(
          io,
          `note: ${file}: the first ${got.comparedDigits} digits of its SHA-256 are as published; more are not known`,
        );
      }
      return got.path;
    });
  } finally {
    progress.stop();
  }
}
