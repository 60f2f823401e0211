import { makeSchedule, type Named, type Options, type OptionValue, scheduleInProportion } from "@ocelli/training";
import type { Recipe } from "@ocelli/zoo";
import { checked } from "./checked.js";
import { UsageError } from "./errors.js";
import type { ScheduleName } from "./recipe-names.js";
import { listed, spelled } from "./terminal.js";

export interface ScheduleFlags {
  readonly schedule?: ScheduleName;
  readonly stepSize?: number;
  readonly milestones?: readonly number[];
  readonly patience?: number;
  readonly gamma?: number;
  readonly warmup?: number;
}

type Shape = "stepSize" | "milestones" | "patience" | "gamma";

interface FlagRules {
  /** The table's name in the library. */
  readonly name: string;
  /** Flags that it takes, by the option they become. */
  readonly takes: Readonly<Partial<Record<Shape, string>>>;
  /** The flag that it cannot do without, and what that is. */
  readonly needs?: readonly [flag: Shape, what: string];
  /** Options without a flag of their own, and the usual values of those that have one. */
  readonly options?: Options;
}

/** What `--schedule` may name. */
const rules: Readonly<Record<ScheduleName, FlagRules>> = {
  constant: { name: "constant", takes: {} },
  step: {
    name: "step",
    takes: { stepSize: "stepSize", gamma: "gamma" },
    needs: ["stepSize", "the number of epochs of a step"],
  },
  "multi-step": {
    name: "multiStep",
    takes: { milestones: "milestones", gamma: "gamma" },
    needs: ["milestones", "the epochs after which the rate falls, like 30,60"],
  },
  exponential: { name: "exponential", takes: { gamma: "gamma" }, needs: ["gamma", "the factor of each epoch"] },
  polynomial: { name: "polynomial", takes: {} },
  cosine: { name: "cosine", takes: {} },
  "one-cycle": { name: "oneCycle", takes: {} },
  cyclic: { name: "cyclic", takes: { stepSize: "up" }, needs: ["stepSize", "the number of epochs up, and down again"] },
  plateau: {
    name: "plateau",
    takes: { patience: "patience", gamma: "factor" },
    options: { monitor: "error", patience: 5, factor: 0.1 },
  },
};

/** What each flag alone asks for. */
const implied: Readonly<Partial<Record<Shape, ScheduleName>>> = {
  stepSize: "step",
  milestones: "multi-step",
  patience: "plateau",
};

/** The schedule that the flags ask for, or the recipe's at this number of epochs. @throws UsageError for flags that do nothing */
export function planSchedule(recipe: Recipe, flags: ScheduleFlags, epochs: number): Named {
  const plain = named(flags) ?? scaled(recipe, flags, epochs);
  const { warmup } = flags;
  if (warmup !== undefined && warmup >= epochs)
    throw new UsageError(
      `--warmup ${warmup}: the run ends after ${epochs} epochs, before the learning rate is reached`,
    );
  const whole = warmup === undefined ? plain : { name: "warmup", options: { schedule: plain, epochs: warmup } };
  const { name, options } = checked(() => makeSchedule(whole));
  return { name, options };
}

/** Undefined where no flag names a schedule. */
function named(flags: ScheduleFlags): Named | undefined {
  const shapes = (["stepSize", "milestones", "patience", "gamma"] as const).filter((flag) => flags[flag] !== undefined);
  const asked = flags.schedule ?? shapes.map((flag) => implied[flag]).find((name) => name !== undefined);
  if (asked === undefined) return undefined;
  const { name, takes, needs, options } = rules[asked];
  const idle = shapes.filter((flag) => takes[flag] === undefined);
  if (idle.length > 0) {
    const known = Object.keys(takes).map((flag) => spelled(flag as Shape));
    const takesWhat = known.length === 0 ? "" : `; it takes ${listed(known)}`;
    throw new UsageError(`--schedule ${asked} does not take ${listed(idle.map(spelled))}${takesWhat}`);
  }
  if (needs !== undefined && flags[needs[0]] === undefined)
    throw new UsageError(`--schedule ${asked} needs ${spelled(needs[0])}, ${needs[1]}`);
  const given = shapes.map((flag) => [takes[flag] as string, flags[flag] as OptionValue]);
  return { name, options: { ...options, ...Object.fromEntries(given) } };
}

/** The recipe's own, its lengths in proportion to the number of epochs. */
function scaled(recipe: Recipe, { gamma }: ScheduleFlags, epochs: number): Named {
  const own = scheduleInProportion(recipe.schedule, epochs / recipe.epochs, epochs);
  if (gamma === undefined) return own;
  const factor = { step: "gamma", multiStep: "gamma", exponential: "gamma", plateau: "factor" }[own.name];
  if (factor === undefined)
    throw new UsageError("--gamma is the factor of a step, and there are no steps; --step-size makes some");
  return { name: own.name, options: { ...own.options, [factor]: gamma } };
}
