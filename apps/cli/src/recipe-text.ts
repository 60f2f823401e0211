import type { Named, Options } from "@ocelli/training";
import type { Recipe } from "@ocelli/zoo";
import type { Plan } from "./recipe.js";
import { formatInteger, listed, plural } from "./terminal.js";

// Recipes in words.

/** The plan, a line each: the optimizer, what comes besides, the length, and how far it is from the recipe. */
export function describePlan(plan: Plan, seed: number, recipe?: Recipe): string {
  const { epochs, batchSize, accumulate = 1, optimizer, schedule } = plan;
  const batches = accumulate > 1 ? `${accumulate} times ${batchSize}` : `${batchSize}`;
  const lines = [describeOptimizer(optimizer, schedule), ...describeExtras(plan)];
  lines.push(`${plural(epochs, "epoch")}, batches of ${batches}, seed ${seed}`);
  if (recipe !== undefined && (epochs !== recipe.epochs || batchSize * accumulate !== recipe.batchSize)) {
    lines.push(
      `the recipe's own is ${plural(recipe.epochs, "epoch")} in batches of ${recipe.batchSize}: what was not given was scaled`,
    );
  }
  return lines.join("\n");
}

/** `sgd, learning rate 0.1 (times 0.1 after epoch 30), momentum 0.9, weight decay 0.0001`, and what its groups have of their own. */
function describeOptimizer(optimizer: Named, schedule: Named): string {
  const groups = optimizer.name === "grouped" ? (optimizer.options.groups as readonly Group[]) : [];
  const { name, options } = optimizer.name === "grouped" ? (optimizer.options.base as Named) : optimizer;
  const { lr, momentum, nesterov, weightDecay } = options;
  const over = describeSchedule(schedule);
  const parts = [name, `learning rate ${lr}${over === "" ? "" : ` (${over})`}`];
  if (momentum) parts.push(`${nesterov ? "Nesterov " : ""}momentum ${momentum}`);
  const spared = groups.some((group) => group.vectors && group.options?.weightDecay === 0);
  if (weightDecay) parts.push(`weight decay ${weightDecay}${spared ? " (not of biases and norms)" : ""}`);
  const factors = groups.map((group) => group.lrFactor ?? 1).filter((factor) => factor !== 1);
  if (factors.length > 0)
    parts.push(`lower rates nearer to the input (down to times ${Math.min(...factors).toPrecision(2)})`);
  return parts.join(", ");
}

interface Group {
  readonly vectors?: boolean;
  readonly lrFactor?: number;
  readonly options?: Options;
}

/** A schedule as a clause: "times 0.1 after epochs 30 and 60"; nothing for a constant one. */
export function describeSchedule({ name, options }: Named): string {
  return (clauses[name] ?? (() => name))(options);
}

const epochsOf = (count: unknown): string => (count === 1 ? "epoch" : `${count} epochs`);

const clauses: Readonly<Record<string, (options: Options) => string>> = {
  constant: () => "",
  step: ({ gamma, stepSize }) => `times ${gamma} every ${epochsOf(stepSize)}`,
  multiStep: ({ gamma, milestones }) => {
    const epochs = milestones as readonly number[];
    return `times ${gamma} after epoch${epochs.length === 1 ? "" : "s"} ${listed(epochs)}`;
  },
  exponential: ({ gamma }) => `times ${gamma} an epoch, step by step`,
  polynomial: ({ power, min }) => `falling to ${min || 0} ${!power || power === 1 ? "linearly" : `by power ${power}`}`,
  cosine: ({ min, restarts }) =>
    `falling to ${min || 0} along a cosine${restarts === undefined ? "" : ", again and again"}`,
  oneCycle: () => "one cycle up to it and down",
  cyclic: ({ up, min }) => `cycles up from times ${min ?? 0.1} in ${epochsOf(up)}`,
  plateau: ({ factor = 0.1, patience = 10, min }) => {
    const waited = patience === 1 ? "an epoch brings" : `${patience} epochs bring`;
    return `times ${factor} when ${waited} nothing better${min ? `, down to times ${min}` : ""}`;
  },
  warmup: ({ schedule, epochs }) => {
    const then = describeSchedule(schedule as Named);
    return `rising during the first ${epochsOf(epochs)}${then === "" ? "" : `; ${then}`}`;
  },
  product: ({ schedules }) =>
    (schedules as readonly Named[])
      .map(describeSchedule)
      .filter((clause) => clause !== "")
      .join(", "),
};

/** What comes besides the optimizer; no line where there is nothing. */
function describeExtras({ clip, average, loss }: Pick<Plan, "clip" | "average" | "loss">): string[] {
  const parts: string[] = [];
  const smoothing = loss?.options.labelSmoothing;
  if (smoothing) parts.push(`label smoothing ${smoothing}`);
  if (loss?.options.classWeights) parts.push("classes weighted by how rare they are");
  if (clip)
    parts.push(`gradients clipped ${clip.name === "clipNorm" ? "at norm" : "to values within"} ${clip.options.max}`);
  if (average?.name === "ema") parts.push(`running average of the parameters (decay ${average.options.decay})`);
  if (average?.name === "swa")
    parts.push(`average of the parameters every ${average.options.every} steps from step ${average.options.start} on`);
  return parts.length === 0 ? [] : [parts.join(", ")];
}

/** A recipe as `label    text` pairs. */
export function describeRecipe(recipe: Recipe): [label: string, text: string][] {
  const { clip, average, labelSmoothing, augment, initialisation, dropout, note } = recipe;
  const loss = { name: "crossEntropy", options: labelSmoothing === undefined ? {} : { labelSmoothing } };
  const optimizer = describeOptimizer(
    recipe.noDecay ? withoutDecay(recipe.optimizer) : recipe.optimizer,
    recipe.schedule,
  );
  const extras = describeExtras({ loss, ...(clip && { clip }), ...(average && { average }) });
  const pairs: [string, string | undefined][] = [
    ["optimizer", [optimizer, ...extras].join("\n")],
    ["length", `${plural(recipe.epochs, "epoch")} in batches of ${formatInteger(recipe.batchSize)}`],
    ["augmentation", augment],
    ["initialised", initialisation],
    ["dropout", dropout],
    ["source", recipe.source],
    ["note", note],
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

/** As data alone, for words. */
const withoutDecay = (base: Recipe["optimizer"]): Named => ({
  name: "grouped",
  options: { base: { ...base }, groups: [{ vectors: true, options: { weightDecay: 0 } }] },
});
