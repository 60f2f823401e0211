import { ArgumentError } from "@ocelli/core";
import type { EpochSummary } from "../fit.js";
import { makeNamed, type Named } from "../named.js";

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
  /** What came of the epochs behind it. */
  readonly history: readonly EpochSummary[];
}

/** The same learning rate throughout. */
export function constantSchedule(): Schedule {
  return { name: "constant", options: {}, factor: () => 1 };
}

/** Multiplies by `gamma` every `stepSize` epochs. */
export function stepSchedule({
  stepSize,
  gamma = 0.1,
}: {
  readonly stepSize: number;
  readonly gamma?: number;
}): Schedule {
  if (!(stepSize > 0))
    throw new ArgumentError(`step schedule: stepSize is ${stepSize}; it needs a number of epochs above 0`);
  return { name: "step", options: { stepSize, gamma }, factor: ({ epoch }) => gamma ** Math.floor(epoch / stepSize) };
}

/** Multiplies by `gamma` at each of the `milestones` (epochs). */
export function multiStepSchedule({
  milestones,
  gamma = 0.1,
}: {
  readonly milestones: readonly number[];
  readonly gamma?: number;
}): Schedule {
  const sorted = [...milestones].sort((a, b) => a - b);
  return {
    name: "multiStep",
    options: { milestones: sorted, gamma },
    factor: ({ epoch }) => gamma ** sorted.filter((milestone) => epoch >= milestone).length,
  };
}

/** Every schedule, by the name that checkpoints use. */
export const schedules = { constant: constantSchedule, step: stepSchedule, multiStep: multiStepSchedule } as const;

/** A schedule from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeSchedule(given: Named): Schedule {
  return makeNamed("schedule", schedules, given);
}
