import { ArgumentError } from "@ocelli/core";
import { checkRange, type Schedule, wholes } from "./schedule.js";

export interface StepScheduleOptions {
  /** Epochs; fractions are allowed. */
  readonly stepSize: number;
  /** Default 0.1. */
  readonly gamma?: number | undefined;
}

/** Multiplies by `gamma` every `stepSize` epochs. @throws ArgumentError for options out of range */
export function stepSchedule({ stepSize, gamma = 0.1 }: StepScheduleOptions): Schedule {
  checkRange("step", { stepSize }, "above 0");
  checkRange("step", { gamma }, ">= 0");
  return { name: "step", options: { stepSize, gamma }, factor: ({ epoch }) => gamma ** wholes(epoch, stepSize) };
}

export interface MultiStepScheduleOptions {
  /** Epochs, in any order. */
  readonly milestones: readonly number[];
  /** Default 0.1. */
  readonly gamma?: number | undefined;
}

/** Multiplies by `gamma` at each of the `milestones`. @throws ArgumentError for options out of range */
export function multiStepSchedule({ milestones, gamma = 0.1 }: MultiStepScheduleOptions): Schedule {
  const sorted = checkedMilestones("multiStep", milestones);
  checkRange("multiStep", { gamma }, ">= 0");
  return {
    name: "multiStep",
    options: { milestones: sorted, gamma },
    factor: ({ epoch }) => gamma ** sorted.filter((milestone) => epoch >= milestone).length,
  };
}

/** In order. @throws ArgumentError unless all are epochs */
export function checkedMilestones(schedule: string, milestones: readonly number[]): number[] {
  if (!Array.isArray(milestones))
    throw new ArgumentError(`${schedule} schedule: milestones is ${milestones}; it needs a list of epochs`);
  for (const [i, milestone] of milestones.entries()) checkRange(schedule, { [`milestones[${i}]`]: milestone }, ">= 0");
  return [...milestones].sort((a, b) => a - b);
}
