import { nearMatches } from "@ocelli/core";
import {
  crossEntropyLoss,
  grouped,
  makeOptimizer,
  type Named,
  type Optimizer,
  type Options,
  type ParameterGroup,
} from "@ocelli/training";
import { type Recipe, type RecipeName, type RecipeOptimizer, recipes } from "@ocelli/zoo";
import { checked } from "./checked.js";
import { UsageError } from "./errors.js";
import { planSchedule, type ScheduleFlags } from "./recipe-schedule.js";
import { listed } from "./terminal.js";

export interface RecipeFlags extends ScheduleFlags {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly accumulate?: number;
  readonly optimizer?: RecipeOptimizer;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly decay?: "all" | "weights";
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly ema?: number;
  readonly swa?: number;
  readonly labelSmoothing?: number;
  readonly layerDecay?: number;
}

/** A recipe of the zoo. @throws UsageError with near matches for an unknown name */
export function recipeOf(name: string): Recipe {
  if (Object.hasOwn(recipes, name)) return recipes[name as RecipeName];
  const near = nearMatches(name, Object.keys(recipes));
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `There are ${Object.keys(recipes).join(", ")}.`;
  throw new UsageError(`recipe: "${name}" is unknown. ${hint}`);
}

/** How a run trains, apart from model and data: fields of a run's configuration. */
export interface Plan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly accumulate?: number | undefined;
  readonly optimizer: Named;
  readonly schedule: Named;
  readonly clip?: Named | undefined;
  readonly average?: Named | undefined;
  readonly loss?: Named | undefined;
}

/** What is trained. */
export interface Trained {
  /** In the training set: a default batch is never larger. */
  readonly images: number;
  /** Patterns of the parameters' names, layer by layer from the input to the output. Needed for --layer-decay. */
  readonly layers?: readonly (readonly string[])[];
  /** A weight for each class. */
  readonly classWeights?: readonly number[];
}

type Layers = NonNullable<Trained["layers"]>;

/**
 * A recipe with the user's changes. Where they change the scale, the rest follows: the learning rate of sgd and lars with the images a
 * step, the lengths of the schedule with the number of epochs.
 * @throws UsageError for options that do not go together
 */
export function planTraining(recipe: Recipe, flags: RecipeFlags, { images, layers = [], classWeights }: Trained): Plan {
  const { accumulate = 1 } = flags;
  const epochs = flags.epochs ?? recipe.epochs;
  const batchSize = flags.batchSize ?? Math.max(1, Math.min(Math.floor(recipe.batchSize / accumulate), images));
  const clip = planClip(recipe, flags);
  const average = planAverage(recipe, flags, epochs, Math.max(1, Math.floor(images / batchSize / accumulate)));
  const loss = planLoss(recipe, flags, classWeights);
  return {
    epochs,
    batchSize,
    ...(accumulate > 1 && { accumulate }),
    optimizer: planOptimizer(recipe, flags, batchSize * accumulate, layers),
    schedule: planSchedule(recipe, flags, epochs),
    ...(clip && { clip }),
    ...(average && { average }),
    ...(loss && { loss }),
  };
}

/** What an optimizer starts from where the recipe has another one. */
const usual: Readonly<Record<RecipeOptimizer, { readonly lr: number; readonly [name: string]: number }>> = {
  sgd: { lr: 0.01, momentum: 0.9 },
  lars: { lr: 1, momentum: 0.9 },
  adagrad: { lr: 0.01 },
  rmsprop: { lr: 1e-3 },
  adadelta: { lr: 1 },
  adam: { lr: 1e-3 },
  adamw: { lr: 1e-3, weightDecay: 0.01 },
  nadam: { lr: 2e-3 },
};

const withMomentum: readonly RecipeOptimizer[] = ["sgd", "rmsprop", "lars"];

/** Their steps grow with the gradient: a batch twice as large takes steps twice as long (Goyal et al. 2017). */
const scaledByBatch: readonly RecipeOptimizer[] = ["sgd", "lars"];

function planOptimizer(recipe: Recipe, flags: RecipeFlags, batch: number, layers: Layers): Named {
  const { optimizer: name = recipe.optimizer.name, momentum, weightDecay } = flags;
  if (momentum !== undefined && !withMomentum.includes(name))
    throw new UsageError(`--momentum is an option of ${listed(withMomentum)}; ${name} has none`);
  const own = name === recipe.optimizer.name;
  const { lr, ...base }: Options & { readonly lr: number } = own ? recipe.optimizer.options : usual[name];
  const scaled = own && scaledByBatch.includes(name) ? Number(((lr * batch) / recipe.batchSize).toPrecision(3)) : lr;
  const options: Options = {
    ...base,
    lr: flags.lr ?? scaled,
    ...(momentum !== undefined && { momentum }),
    ...(weightDecay !== undefined && { weightDecay }),
  };
  // Nesterov's step looks ahead along the momentum: without any there is none.
  const nesterov = options.nesterov === true && options.momentum !== 0;
  const whole = "nesterov" in options ? { ...options, nesterov } : options;
  return checked(() => dataOf(inGroups(makeOptimizer({ name, options: whole }), recipe, flags, layers)));
}

/** Biases and norms without decay, layers at rates of their own: as the flags ask, or the recipe. */
function inGroups(
  base: Optimizer,
  recipe: Recipe,
  { decay = recipe.noDecay ? "weights" : "all", layerDecay = 1 }: RecipeFlags,
  layers: Layers,
): Optimizer {
  const undecayed: ParameterGroup[] = decay === "weights" ? [{ vectors: true, options: { weightDecay: 0 } }] : [];
  const slower = layerDecay === 1 ? [] : layers.slice(0, -1);
  const groups = slower.flatMap((match, i): ParameterGroup[] => {
    const lrFactor = layerDecay ** (layers.length - 1 - i);
    return [...undecayed, {}].map((group) => ({ ...group, match, lrFactor }));
  });
  const all = [...groups, ...undecayed];
  return all.length === 0 ? base : grouped(base, all);
}

const dataOf = ({ name, options }: Named): Named => ({ name, options });

function planClip(recipe: Recipe, { clipNorm, clipValue }: RecipeFlags): Named | undefined {
  if (clipNorm !== undefined && clipValue !== undefined)
    throw new UsageError("--clip-norm and --clip-value: gradients are clipped in one way or the other");
  if (clipNorm !== undefined) return { name: "clipNorm", options: { max: clipNorm } };
  if (clipValue !== undefined) return { name: "clipValue", options: { max: clipValue } };
  return recipe.clip;
}

/** @param stepsPerEpoch updates, not batches */
function planAverage(
  recipe: Recipe,
  { ema, swa }: RecipeFlags,
  epochs: number,
  stepsPerEpoch: number,
): Named | undefined {
  if (ema !== undefined && swa !== undefined)
    throw new UsageError("--ema and --swa: the parameters are averaged in one way or the other");
  // With warm-up: at 0.999 the first thousand steps would be judged by what the parameters began with.
  if (ema !== undefined) return { name: "ema", options: { decay: ema, warmup: true } };
  if (swa === undefined) return recipe.average;
  if (swa >= epochs) throw new UsageError(`--swa ${swa}: the run ends after ${epochs} epochs, so nothing is averaged`);
  // As in the paper: once an epoch, at its end.
  return { name: "swa", options: { start: swa * stepsPerEpoch, every: stepsPerEpoch } };
}

/** Undefined for the model's own. */
function planLoss(recipe: Recipe, flags: RecipeFlags, classWeights: readonly number[] | undefined): Named | undefined {
  const { labelSmoothing = recipe.labelSmoothing ?? 0 } = flags;
  if (labelSmoothing === 0 && classWeights === undefined) return undefined;
  return checked(() => dataOf(crossEntropyLoss({ labelSmoothing, classWeights })));
}
