import { ArgumentError } from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";
import {
  productSchedule,
  type SequenceScheduleOptions,
  sequenceSchedule,
  type WarmupScheduleOptions,
  warmupSchedule,
} from "./combine.js";
import { cyclicSchedule, oneCycleSchedule } from "./cycle.js";
import { cosineSchedule, exponentialSchedule, polynomialSchedule } from "./decay.js";
import { plateauSchedule } from "./plateau.js";
import { constantSchedule, type Schedule } from "./schedule.js";
import { multiStepSchedule, stepSchedule } from "./step.js";

export {
  productSchedule,
  type SequenceScheduleOptions,
  sequenceSchedule,
  type WarmupScheduleOptions,
  warmupSchedule,
} from "./combine.js";
export {
  type Anneal,
  type CyclicScheduleOptions,
  cyclicSchedule,
  type OneCycleScheduleOptions,
  oneCycleSchedule,
} from "./cycle.js";
export {
  type CosineScheduleOptions,
  cosineSchedule,
  exponentialSchedule,
  type PolynomialScheduleOptions,
  polynomialSchedule,
} from "./decay.js";
export { scheduleInProportion } from "./in-proportion.js";
export { type PlateauScheduleOptions, plateauSchedule } from "./plateau.js";
export { constantSchedule, type Schedule, type SchedulePoint } from "./schedule.js";
export { type MultiStepScheduleOptions, multiStepSchedule, type StepScheduleOptions, stepSchedule } from "./step.js";

/** A schedule made of others, as data: the others stand in its options by name. */
type Nested<Options extends { readonly schedule: Schedule } | { readonly schedules: readonly Schedule[] }> = {
  readonly [K in keyof Options]: K extends "schedule" ? Named : K extends "schedules" ? readonly Named[] : Options[K];
};

/** Every schedule, by the name that checkpoints and the command line use; takes the options as data. */
export const schedules = {
  constant: constantSchedule,
  step: stepSchedule,
  multiStep: multiStepSchedule,
  exponential: exponentialSchedule,
  polynomial: polynomialSchedule,
  cosine: cosineSchedule,
  oneCycle: oneCycleSchedule,
  cyclic: cyclicSchedule,
  plateau: plateauSchedule,
  warmup: (options: Nested<WarmupScheduleOptions>) =>
    warmupSchedule({ ...options, schedule: makeSchedule(options.schedule) }),
  sequence: (options: Nested<SequenceScheduleOptions>) =>
    sequenceSchedule({ ...options, schedules: makeAll("sequence", options.schedules) }),
  product: (options: { readonly schedules: readonly Named[] }) =>
    productSchedule({ schedules: makeAll("product", options.schedules) }),
} as const;

function makeAll(where: string, given: readonly Named[]): Schedule[] {
  if (!Array.isArray(given)) throw new ArgumentError(`${where} schedule: it needs a list of schedules, at least one`);
  return given.map(makeSchedule);
}

/** A schedule from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name or options out of range */
export function makeSchedule(given: Named): Schedule {
  if (typeof given?.name !== "string" || typeof given.options !== "object")
    throw new ArgumentError(`schedule: ${JSON.stringify(given)} is given; it needs a name and options`);
  return makeNamed("schedule", schedules, given);
}
