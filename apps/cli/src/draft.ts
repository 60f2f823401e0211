import { basename, resolve } from "node:path";
import { type StateDict, sizeOf } from "@ocelli/core";
import { formatRecomputePlan, planRecompute } from "@ocelli/inspect";
import { recomputing } from "@ocelli/layers";
import {
  classWeights,
  type Frame,
  isImageSource,
  type LabelledImages,
  layerPatterns,
  makeOptimizer,
  measureStatistics,
  trainedNames,
} from "@ocelli/training";
import type { RunConfig } from "@ocelli/training/node";
import type { ModelEntry, Recipe, ZooModel } from "@ocelli/zoo";
import { type AugmentFlags, normalization, planAugmentation } from "./augmentation.js";
import { checked } from "./checked.js";
import type { DataFlags } from "./data.js";
import { UsageError } from "./errors.js";
import type { Io } from "./io.js";
import { buildFor, entryOf, type ImageShape, imageOf, ownStatistics, transformFor } from "./model.js";
import { type Plan, planTraining, type RecipeFlags, recipeOf } from "./recipe.js";
import { plural } from "./terminal.js";
import { labelsHash } from "./training.js";
import { type Origin, originOf, startingValues } from "./transfer.js";

/** What a run is made of, apart from where it runs and is kept. */
export interface DraftFlags extends DataFlags, RecipeFlags, AugmentFlags {
  readonly recipe?: string;
  readonly seed?: number;
  readonly classWeights?: "balanced";
  readonly earlyStop?: number;
  readonly head?: "new";
  readonly freeze?: readonly string[];
  readonly recompute?: readonly string[];
  readonly statistics?: boolean;
  readonly logEvery?: number;
}

export interface DraftData {
  readonly train: LabelledImages;
}

export interface Draft {
  /** Everything about a new run except the device that it turns out to run on. */
  readonly config: Omit<RunConfig, "device">;
  readonly parameters: number;
  /** How the activations were made to fit in a budget. */
  readonly memory: string | undefined;
  /** What it starts from; undefined: chance. */
  readonly values: StateDict | undefined;
}

/** The recipe that the flags name, or the model's own. @throws UsageError for an unknown one */
export function recipeFor(model: string, { recipe }: Pick<DraftFlags, "recipe">): Recipe {
  const { recipe: own } = entryOf(model);
  return recipe === undefined ? own : recipeOf(recipe);
}

/**
 * What is wrong with the flags whatever the data are, before anything is loaded.
 * @throws UsageError
 */
export function checkDraft(model: string, flags: Omit<DraftFlags, "data">): void {
  const recipe = recipeFor(model, flags);
  // So many that no batch is cut.
  const { loss } = planTraining(recipe, flags, { images: 2 ** 40 });
  checkLoss(model, flags, loss);
  framesFor(model, flags, undefined);
  const { freeze = [], recompute = [] } = flags;
  const built = entryOf(model).build();
  if (checked(() => trainedNames(built, freeze)).length === 0)
    throw new UsageError(`--freeze ${freeze.join(" ")}: nothing is left to train`);
  if (bytesOf(recompute) === undefined) checked(() => recomputing(built, recompute));
}

/** A loss of the model's own is not cross-entropy with changes: asking for some would replace it. @throws UsageError */
function checkLoss(model: string, flags: Omit<DraftFlags, "data">, loss: Plan["loss"]): void {
  const { ownLoss } = entryOf(model);
  const { labelSmoothing, classWeights: weights, recipe } = flags;
  if (ownLoss === undefined || (loss === undefined && weights === undefined)) return;
  const asked =
    weights !== undefined
      ? `--class-weights ${weights}`
      : labelSmoothing !== undefined
        ? `--label-smoothing ${labelSmoothing}`
        : `--recipe ${recipe} smooths labels (--label-smoothing 0 leaves that out)`;
  throw new UsageError(`${asked}: for cross-entropy; ${model} trains with ${ownLoss}`);
}

/** How picture files become images of the size that the model takes. */
export function framesFor(
  model: string,
  flags: Pick<DraftFlags, "size" | "recipe"> & AugmentFlags,
  origin: Origin | undefined,
): { readonly channels: number; readonly train: Frame; readonly eval: Frame } {
  const entry = entryOf(model);
  const [channels, , own] = origin?.loaded.image ?? imageOf(entry);
  const size = flags.size ?? own;
  const image = [channels, size, size] as const;
  const anything = { mean: Array.from(image, () => 0).slice(0, channels), std: Array<number>(channels).fill(1) };
  const { frame } = planAugmentation(recipeFor(model, flags), flags, { image, classes: 1, statistics: anything });
  return { channels, ...frame };
}

/** Plans a run: the model for the data, the recipe with the flags' changes, and what it starts from. @throws UsageError */
export async function draftRun(
  io: Io,
  model: string,
  flags: DraftFlags,
  { train }: DraftData,
  { origin, signal }: { readonly origin?: Origin | undefined; readonly signal?: AbortSignal } = {},
): Promise<Draft> {
  const entry = entryOf(model);
  const { seed = 0, head } = flags;
  const recipe = recipeFor(model, flags);
  const classes = train.classes.length;
  const built = buildFor(model, { name: flags.data, image: train.shape, classes });
  const plan = planTraining(recipe, flags, {
    images: train.count,
    layers: layerPatterns(built.model),
    ...(flags.classWeights && { classWeights: classWeights(train) }),
  });
  if (plan.batchSize > train.count)
    throw new UsageError(`--batch-size ${plan.batchSize}: there are only ${plural(train.count, "training image")}`);
  const statistics = await statisticsFor(entry, train, origin, signal);
  const { frame, transform } = planAugmentation(recipe, flags, { image: train.shape, classes, statistics });
  const memory =
    flags.recompute && planMemory({ model: built.model, image: train.shape, entry }, plan, flags.recompute);
  const target = { name: model, entry, model: built.model, classes, head, seed };
  return {
    config: {
      format: "ocelli-run-1",
      model: { name: model, options: { ...built.options } },
      data: dataOf(flags, train),
      classes: train.classes,
      image: train.shape,
      ...(origin && { initFrom: originOf(origin, head) }),
      ...plan,
      transform: { name: transform.name, options: transform.options },
      ...(isImageSource(train) && { frames: { train: named(frame.train), eval: named(frame.eval) } }),
      ...(memory && memory.modules.length > 0 && { recompute: memory.modules }),
      ...optionalParts(flags, seed),
      seed,
    },
    parameters: [...built.model.parameters().values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    memory: memory?.text,
    values: origin && startingValues(io, origin, target),
  };
}

const named = ({ name, options }: Frame) => ({ name, options });

/** What the weights were trained with, or the model, or the data's own. */
async function statisticsFor(
  entry: ModelEntry,
  train: LabelledImages,
  origin: Origin | undefined,
  signal: AbortSignal | undefined,
): Promise<NonNullable<ReturnType<typeof normalization>>> {
  const known = origin?.loaded.transform && normalization(origin.loaded.transform);
  if (known !== undefined) return known;
  const measured = ownStatistics(entry, train.shape[0]) ?? (await measureStatistics(train, signal ? { signal } : {}));
  return normalization(transformFor(entry, measured)) as NonNullable<ReturnType<typeof normalization>>;
}

function dataOf({ data, dataDir, limit, onBroken, workers }: DraftFlags, train: LabelledImages): RunConfig["data"] {
  const files = isImageSource(train);
  return {
    name: files ? basename(resolve(data)) : data,
    dir: files ? resolve(data) : dataDir === undefined ? null : resolve(dataDir),
    ...(limit !== undefined && { limit }),
    ...(files && { labels: labelsHash(train) }),
    ...(files && onBroken && { onBroken }),
    ...(files && workers !== undefined && { workers }),
  };
}

function optionalParts(flags: DraftFlags, seed: number): Partial<RunConfig> {
  const { validation, earlyStop, freeze, statistics, logEvery } = flags;
  return {
    ...(freeze !== undefined && { freeze }),
    ...(validation !== undefined && { validation: { share: validation, seed } }),
    ...(earlyStop !== undefined && { earlyStopping: { patience: earlyStop } }),
    ...(statistics && { statistics }),
    ...(logEvery !== undefined && { logEvery }),
  };
}

/** Modules to recompute, and what that is for. */
interface Memory {
  readonly modules: readonly string[];
  /** Undefined for names, which the user chose. */
  readonly text?: string;
}

/** @throws UsageError for a budget that cannot be met */
function planMemory(
  { model, image, entry }: { readonly model: ZooModel; readonly image: ImageShape; readonly entry: ModelEntry },
  plan: Plan,
  recompute: readonly string[],
): Memory {
  const budget = bytesOf(recompute);
  if (budget === undefined) return { modules: recompute };
  const { pad = 0 } = entry.preprocessing;
  const [channels, height, width] = image;
  const options = { batch: plan.batchSize, optimizerSlots: slotsOf(plan), budget };
  const found = checked(() => planRecompute(model, [channels, height + 2 * pad, width + 2 * pad], options));
  return { modules: found.modules, text: formatRecomputePlan(found) };
}

/** Tensors as large as each parameter that a step keeps besides it. */
function slotsOf({ optimizer, average, accumulate }: Plan): number {
  const slots = Object.keys(makeOptimizer(optimizer).slots({ shape: [1, 1], dtype: "float32" }, "")).length;
  return slots + (average === undefined ? 0 : 1) + (accumulate === undefined ? 0 : 1);
}

/** A size as people write it, `800MB`, `1.5GiB`; undefined for names. */
function bytesOf([text = "", ...more]: readonly string[]): number | undefined {
  const [, digits, prefix, binary] = /^(\d+(?:\.\d+)?)([KMG])(i?)B$/i.exec(text) ?? [];
  if (digits === undefined || prefix === undefined || more.length > 0) return undefined;
  return Math.round(Number(digits) * (binary ? 1024 : 1000) ** ("KMG".indexOf(prefix.toUpperCase()) + 1));
}
