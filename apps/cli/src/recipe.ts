import { makeOptimizer, makeSchedule, type Optimizer, type Schedule } from "@ocelli/training";
import type { Recipe } from "@ocelli/zoo";
import { UsageError } from "./errors.js";
import { listed, plural } from "./terminal.js";

export interface RecipeFlags {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: Recipe["optimizer"];
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly schedule?: "constant" | "step";
  readonly stepSize?: number;
  readonly gamma?: number;
}

export interface Plan {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
}

/**
 * The model's recipe with the user's changes. Where they change the scale, the rest follows: the learning rate of sgd with the batch
 * size, the steps of the schedule with the number of epochs.
 * @param images in the training set: a default batch is never larger
 * @throws UsageError for options that do not go together
 */
export function planTraining(recipe: Recipe, flags: RecipeFlags, images: number): Plan {
  const epochs = flags.epochs ?? recipe.epochs;
  const batchSize = flags.batchSize ?? Math.min(recipe.batchSize, images);
  return {
    epochs,
    batchSize,
    optimizer: optimizerOf(recipe, flags, batchSize),
    schedule: scheduleOf(recipe, flags, epochs),
  };
}

function optimizerOf(recipe: Recipe, flags: RecipeFlags, batchSize: number): Optimizer {
  const name = flags.optimizer ?? recipe.optimizer;
  const own = name === recipe.optimizer;
  const weightDecay = flags.weightDecay ?? (own ? (recipe.weightDecay ?? 0) : 0);
  if (name === "adam") {
    if (flags.momentum !== undefined)
      throw new UsageError("--momentum is an option of sgd and rmsprop; adam has its own averages");
    return makeOptimizer({ name, options: { lr: flags.lr ?? (own ? recipe.lr : 1e-3), weightDecay } });
  }
  if (name === "rmsprop") {
    const { alpha, eps } = recipe;
    const averages = own ? { ...(alpha !== undefined && { alpha }), ...(eps !== undefined && { eps }) } : {};
    const momentum = flags.momentum ?? (own ? (recipe.momentum ?? 0) : 0);
    return makeOptimizer({
      name,
      options: { lr: flags.lr ?? (own ? recipe.lr : 1e-3), momentum, weightDecay, ...averages },
    });
  }
  const scaled = Number(((recipe.lr * batchSize) / recipe.batchSize).toPrecision(3));
  const lr = flags.lr ?? (own ? scaled : 0.01);
  const momentum = flags.momentum ?? (own ? (recipe.momentum ?? 0) : 0.9);
  // Nesterov's step looks ahead along the momentum: without any there is none.
  const nesterov = own && momentum > 0 && recipe.nesterov === true;
  return makeOptimizer({ name, options: { lr, momentum, weightDecay, ...(nesterov && { nesterov }) } });
}

function scheduleOf(recipe: Recipe, flags: RecipeFlags, epochs: number): Schedule {
  const { schedule = flags.stepSize === undefined ? undefined : "step", stepSize, gamma } = flags;
  if (schedule === "constant") {
    if (stepSize !== undefined || gamma !== undefined)
      throw new UsageError("--schedule constant takes neither --step-size nor --gamma");
    return makeSchedule({ name: "constant", options: {} });
  }
  if (schedule === "step") {
    if (stepSize === undefined)
      throw new UsageError("--schedule step needs --step-size, the number of epochs of a step");
    return makeSchedule({ name: "step", options: { stepSize, gamma: gamma ?? 0.1 } });
  }
  if (recipe.every !== undefined) {
    // Fewer epochs than a step has keep their proportion; the schedule takes fractions.
    const every = Number(((recipe.every * epochs) / recipe.epochs).toPrecision(3));
    return makeSchedule({ name: "step", options: { stepSize: every, gamma: gamma ?? recipe.gamma ?? 0.1 } });
  }
  const scaled = (recipe.milestones ?? []).map((epoch) => Math.max(1, Math.round((epoch * epochs) / recipe.epochs)));
  const milestones = [...new Set(scaled)].filter((epoch) => epoch < epochs);
  if (milestones.length === 0) {
    if (gamma !== undefined)
      throw new UsageError("--gamma is the factor of a step, and there are no steps; --step-size makes some");
    return makeSchedule({ name: "constant", options: {} });
  }
  return makeSchedule({ name: "multiStep", options: { milestones, gamma: gamma ?? recipe.gamma ?? 0.1 } });
}

/** The plan in words, a line each: the optimizer, the length, and how far it is from the model's own recipe. */
export function describePlan({ epochs, batchSize, optimizer, schedule }: Plan, seed: number, recipe?: Recipe): string {
  const { lr, momentum, nesterov, weightDecay } = optimizer.options;
  const parts = [optimizer.name, `learning rate ${lr}${describeSchedule(schedule)}`];
  if (momentum) parts.push(`${nesterov ? "Nesterov " : ""}momentum ${momentum}`);
  if (weightDecay) parts.push(`weight decay ${weightDecay}`);
  const lines = [parts.join(", "), `${plural(epochs, "epoch")}, batches of ${batchSize}, seed ${seed}`];
  if (recipe !== undefined && (epochs !== recipe.epochs || batchSize !== recipe.batchSize)) {
    lines.push(
      `the model's own is ${plural(recipe.epochs, "epoch")} in batches of ${recipe.batchSize}: what was not given was scaled`,
    );
  }
  return lines.join("\n");
}

function describeSchedule({ name, options }: Schedule): string {
  if (name === "step")
    return ` (times ${options.gamma} every ${options.stepSize === 1 ? "epoch" : `${options.stepSize} epochs`})`;
  if (name !== "multiStep") return "";
  const milestones = options.milestones as readonly number[];
  return ` (times ${options.gamma} after epoch${milestones.length === 1 ? "" : "s"} ${listed(milestones)})`;
}
