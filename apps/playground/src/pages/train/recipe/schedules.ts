import type { Named, OptionValue } from "@ocelli/training";

/** A schedule as the form shows it. */
export interface ScheduleKind {
  readonly name: string;
  readonly title: string;
  /** One sentence for a student. */
  readonly about: string;
  readonly numbers: readonly ScheduleNumber[];
  /** As it is chosen for a run of so many epochs. */
  readonly fresh: (epochs: number) => Named;
}

export interface ScheduleNumber {
  readonly name: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number | "any";
  /** What the library takes where the data leave it out. */
  readonly default: number;
}

const number = (
  name: string,
  label: string,
  value: number,
  bounds: Pick<ScheduleNumber, "min" | "max" | "step">,
): ScheduleNumber => ({ name, label, default: value, ...bounds });

const factor = (name: string, label: string): ScheduleNumber =>
  number(name, label, 0.1, { min: 0.001, max: 0.999, step: "any" });

const length = (name: string, label: string): ScheduleNumber =>
  number(name, label, 1, { min: 0.1, max: 1000, step: "any" });

const inThirds = (epochs: number): number => Math.max(1, Math.round(epochs / 3));

export const scheduleKinds: readonly ScheduleKind[] = [
  {
    name: "constant",
    title: "Constant",
    about: "The same rate throughout.",
    numbers: [],
    fresh: () => ({ name: "constant", options: {} }),
  },
  {
    name: "cosine",
    title: "Cosine",
    about: "Falls along half a wave, slowly at first and at the end.",
    numbers: [],
    fresh: () => ({ name: "cosine", options: {} }),
  },
  {
    name: "polynomial",
    title: "Straight down",
    about: "Falls in a line to nothing.",
    numbers: [],
    fresh: () => ({ name: "polynomial", options: { power: 1 } }),
  },
  {
    name: "multiStep",
    title: "Steps at epochs",
    about: "Falls at the epochs that are named: how most papers of the time train.",
    numbers: [factor("gamma", "Factor")],
    fresh: (epochs) => ({
      name: "multiStep",
      options: { milestones: [...new Set([Math.ceil(epochs / 2), Math.ceil((3 * epochs) / 4)])], gamma: 0.1 },
    }),
  },
  {
    name: "step",
    title: "Even steps",
    about: "Falls again and again, after so many epochs each.",
    numbers: [length("stepSize", "Epochs a step"), factor("gamma", "Factor")],
    fresh: (epochs) => ({ name: "step", options: { stepSize: inThirds(epochs), gamma: 0.1 } }),
  },
  {
    name: "exponential",
    title: "Exponential",
    about: "Falls by the same factor each epoch.",
    numbers: [{ ...factor("gamma", "Factor an epoch"), default: 0.9 }],
    fresh: () => ({ name: "exponential", options: { gamma: 0.9 } }),
  },
  {
    name: "oneCycle",
    title: "One cycle",
    about: "Rises to the rate and falls far below where it began.",
    numbers: [],
    fresh: () => ({ name: "oneCycle", options: {} }),
  },
  {
    name: "cyclic",
    title: "Up and down",
    about: "Rises and falls in a zigzag.",
    numbers: [length("up", "Epochs up")],
    fresh: (epochs) => ({ name: "cyclic", options: { up: Math.max(1, Math.round(epochs / 4)) } }),
  },
  {
    name: "plateau",
    title: "When it gets no better",
    about: "Falls once the validation error has stopped getting better; so it cannot be drawn beforehand.",
    numbers: [number("patience", "Epochs of patience", 10, { min: 1, max: 100, step: 1 }), factor("factor", "Factor")],
    fresh: () => ({ name: "plateau", options: { monitor: "error", patience: 3, factor: 0.1 } }),
  },
];

/** Undefined for what the form has no fields for: a recipe's own composition. */
export const scheduleKind = (name: string): ScheduleKind | undefined =>
  scheduleKinds.find((kind) => kind.name === name);

/** A schedule and the warm-up before it, apart. */
export interface ScheduleParts {
  /** Epochs; 0: none. */
  readonly warmup: number;
  readonly plain: Named;
}

export function scheduleParts(schedule: Named): ScheduleParts {
  if (schedule.name !== "warmup") return { warmup: 0, plain: schedule };
  return { warmup: schedule.options.epochs as number, plain: schedule.options.schedule as Named };
}

/** The other way round; a warm-up keeps where it starts from. */
export function joinedSchedule({ warmup, plain }: ScheduleParts, before: Named): Named {
  if (warmup === 0) return plain;
  const start = before.name === "warmup" ? before.options.start : undefined;
  const options: Record<string, OptionValue> = { schedule: plain, epochs: warmup };
  return { name: "warmup", options: start === undefined ? options : { ...options, start } };
}

/** "3, 5" as epochs. @returns undefined unless they are numbers above 0 */
export function milestonesOf(text: string): number[] | undefined {
  const numbers = text
    .split(/[\s,;]+/)
    .filter((word) => word !== "")
    .map(Number);
  return numbers.length > 0 && numbers.every((epoch) => Number.isFinite(epoch) && epoch > 0) ? numbers : undefined;
}
