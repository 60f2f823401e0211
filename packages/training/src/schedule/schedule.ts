import { ArgumentError } from "@ocelli/core";
import type { EpochSummary } from "../fit/progress.js";
import type { Named } from "../named.js";

/** Learning rate over time, as data and as a function. */
export interface Schedule extends Named {
  /** Factor on the optimizer's learning rate. A pure function of where the run stands, so that a resumed run goes on as it was. */
  factor(at: SchedulePoint): number;
}

/** Where a run stands before a step. */
export interface SchedulePoint {
  /** Epochs behind it, with the share of the current one: 2.5 is the middle of the third. */
  readonly epoch: number;
  /** Of the whole run, as planned. */
  readonly epochs: number;
  /** Steps of an epoch. */
  readonly batches: number;
  /** What came of the epochs behind it. */
  readonly history: readonly EpochSummary[];
}

const ranges = {
  "above 0": (value: number) => Number.isFinite(value) && value > 0,
  ">= 0": (value: number) => Number.isFinite(value) && value >= 0,
  "from 0 to 1": (value: number) => value >= 0 && value <= 1,
  "above 0 and below 1": (value: number) => value > 0 && value < 1,
  ">= 1": (value: number) => Number.isFinite(value) && value >= 1,
} as const;

/** @throws ArgumentError for an option that is no number of the range */
export function checkRange(
  schedule: string,
  options: Readonly<Record<string, number>>,
  range: keyof typeof ranges,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "number" && ranges[range](value)) continue;
    throw new ArgumentError(`${schedule} schedule: ${name} is ${value}; it needs a number ${range}`, { [name]: value });
  }
}

/** @throws ArgumentError for an option that is none of the words */
export function checkWord(schedule: string, name: string, word: string, words: readonly string[]): void {
  if (words.includes(word)) return;
  throw new ArgumentError(
    `${schedule} schedule: ${name} is ${JSON.stringify(word)}; it needs one of ${words.join(", ")}`,
    { [name]: word },
  );
}

/** How many whole `length`s of epochs are over. Epochs are sums of fractions: what lacks a rounding error counts. */
export function wholes(epoch: number, length: number): number {
  return Math.floor(epoch / length + 1e-9);
}

/** The same learning rate throughout. */
export function constantSchedule(): Schedule {
  return { name: "constant", options: {}, factor: () => 1 };
}
