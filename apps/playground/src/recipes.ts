import {
  crossEntropyLoss,
  makeOptimizer,
  type Named,
  type Optimizer,
  scheduleInProportion,
  withoutDecay,
} from "@ocelli/training";
import type { ModelEntry, Recipe } from "@ocelli/zoo";
import { plural } from "./format.js";
import { asData } from "./model/named.js";
import type { TrainingSpec } from "./model/training.js";

/** What a proposal depends on. */
export interface ProposalContext {
  /** What the zoo knows of the network; chains have none. */
  readonly entry: Pick<ModelEntry, "recipe" | "ownLoss"> | undefined;
  /** Of the images. */
  readonly channels: number;
  /** Images to train with. */
  readonly images: number;
  /** Where the reader has chosen. */
  readonly epochs?: number | undefined;
  readonly batchSize?: number | undefined;
}

export interface Proposal {
  readonly training: Omit<TrainingSpec, "data">;
  /** Whose recipe it is, and what was changed. */
  readonly source: string;
}

/** Of chains, whose depth and rate nobody has tried: Adam forgives most. */
const chainRecipe: Recipe = {
  batchSize: 64,
  epochs: 5,
  optimizer: { name: "adam", options: { lr: 1e-3 } },
  schedule: { name: "cosine", options: {} },
  source: "Adam for a chain of one's own",
};

/** A browser is no data centre: papers' hundreds of epochs are left to those who ask for them. */
const mostEpochs = 20;
const largestBatch = 64;
/** Batch-norm's statistics of fewer images are noise. */
const smallestBatch = 8;
/** An epoch of fewer steps says little. */
const leastSteps = 16;
/** A training of fewer teaches little, however few the images are. */
const leastStepsInAll = 240;
/** For a handful of images, whose epochs are over at once. */
const mostEpochsOfFew = 100;

/** Their steps grow with the gradient: a batch half as large takes steps half as long (Goyal et al. 2017). */
const scaledByBatch: readonly string[] = ["sgd", "lars"];

/**
 * A training that goes with a network and its data: the recipe of its paper, shortened for a browser. Where the scale changes, by the
 * reader's choice too, the rest follows: the rate of sgd and lars with the batch, the lengths of the schedule with the number of epochs.
 */
export function proposal({ entry, channels, images, ...chosen }: ProposalContext): Proposal {
  const recipe = entry?.recipe ?? chainRecipe;
  const few = Math.max(smallestBatch, Math.floor(images / leastSteps));
  const usual = Math.max(1, Math.min(recipe.batchSize, largestBatch, few, images));
  const batchSize = chosen.batchSize ?? usual;
  const needed = Math.ceil(leastStepsInAll / Math.max(1, Math.floor(images / batchSize)));
  const epochs = chosen.epochs ?? Math.max(Math.min(recipe.epochs, mostEpochs), Math.min(needed, mostEpochsOfFew));
  const loss = lossOf(recipe, entry?.ownLoss !== undefined);
  return {
    training: {
      epochs,
      batchSize,
      optimizer: optimizerOf(recipe, batchSize),
      schedule: scheduleInProportion(recipe.schedule, epochs / recipe.epochs, epochs),
      // A recipe's augmentation is for photographs: mirroring would spoil digits.
      augment: (channels === 3 ? recipe.augment : undefined) ?? "plain",
      ...(loss && { loss }),
      ...(recipe.noDecay && { noDecay: true }),
      ...(recipe.clip && { clip: recipe.clip as Named }),
      ...(recipe.average && { average: recipe.average as Named }),
      seed: 0,
    },
    source: sourceOf(recipe, { epochs, batchSize }),
  };
}

function optimizerOf({ optimizer, batchSize: own }: Recipe, batchSize: number): Named {
  const { name, options } = optimizer;
  const ratio = scaledByBatch.includes(name) ? batchSize / own : 1;
  // With all of its options, so that each has a field to be changed in.
  const made = makeOptimizer({ name, options: { ...options, lr: Number((options.lr * ratio).toPrecision(3)) } });
  return { name, options: made.options };
}

/** Undefined for the network's own, which nothing else may replace. */
function lossOf({ labelSmoothing = 0 }: Recipe, own: boolean): Named | undefined {
  if (labelSmoothing === 0 || own) return undefined;
  return asData(crossEntropyLoss({ labelSmoothing }));
}

function sourceOf(
  recipe: Recipe,
  { epochs, batchSize }: { readonly epochs: number; readonly batchSize: number },
): string {
  const changes = [
    ...(epochs === recipe.epochs ? [] : [`${plural(epochs, "epoch")} instead of ${recipe.epochs}`]),
    ...(batchSize === recipe.batchSize ? [] : [`batches of ${batchSize} instead of ${recipe.batchSize}`]),
  ];
  return [recipe.source, ...changes].join("; ");
}

/** The optimizer of a training. @throws ArgumentError for options out of range */
export function optimizerFor({ optimizer, noDecay }: Pick<TrainingSpec, "optimizer" | "noDecay">): Optimizer {
  const base = makeOptimizer(optimizer);
  // Some optimizers have no decay to leave out.
  return noDecay && "weightDecay" in base.options ? withoutDecay(base) : base;
}
