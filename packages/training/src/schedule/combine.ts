import { ArgumentError } from "@ocelli/core";
import { checkRange, type Schedule, type SchedulePoint } from "./schedule.js";
import { checkedMilestones } from "./step.js";

export interface WarmupScheduleOptions {
  /** What the run follows; its own epochs count from the run's first. */
  readonly schedule: Schedule;
  /** How long the warm-up takes; fractions are allowed. */
  readonly epochs: number;
  /** Where it starts, as a factor on what the schedule says. Default 0. */
  readonly start?: number | undefined;
}

/**
 * A schedule whose first epochs are scaled up in a straight line from `start` to 1 (Goyal et al., 2017).
 * @throws ArgumentError for options out of range
 */
export function warmupSchedule({ schedule, epochs, start = 0 }: WarmupScheduleOptions): Schedule {
  checkSchedule("warmup", "schedule", schedule);
  checkRange("warmup", { epochs }, "above 0");
  checkRange("warmup", { start }, "from 0 to 1");
  return {
    name: "warmup",
    options: { schedule: dataOf(schedule), epochs, start },
    factor: (at) => (start + (1 - start) * Math.min(1, at.epoch / epochs)) * schedule.factor(at),
  };
}

/** Schedules multiplied: each counts from the run's first epoch. @throws ArgumentError when there is none */
export function productSchedule({ schedules }: { readonly schedules: readonly Schedule[] }): Schedule {
  checkSchedules("product", schedules);
  return {
    name: "product",
    options: { schedules: schedules.map(dataOf) },
    factor: (at) => schedules.reduce((product, schedule) => product * schedule.factor(at), 1),
  };
}

export interface SequenceScheduleOptions {
  readonly schedules: readonly Schedule[];
  /** The epochs at which the next one takes over: one fewer than schedules. */
  readonly milestones: readonly number[];
}

/**
 * Schedules one after another. Each sees a run of its own: epochs and history from where it took over, and its share as the whole length.
 * @throws ArgumentError unless there is a milestone between any two, each later than the one before
 */
export function sequenceSchedule({ schedules, milestones }: SequenceScheduleOptions): Schedule {
  checkSchedules("sequence", schedules);
  const starts = [0, ...checkedMilestones("sequence", milestones)];
  if (starts.length !== schedules.length)
    throw new ArgumentError(
      `sequence schedule: ${milestones.length} milestones for ${schedules.length} schedules; it needs one fewer than schedules`,
    );
  if (starts.some((start, i) => i > 0 && !(start > (starts[i - 1] as number))))
    throw new ArgumentError(
      `sequence schedule: milestones are ${milestones.join(", ")}; each must be above 0 and later than the one before`,
    );
  return {
    name: "sequence",
    options: { schedules: schedules.map(dataOf), milestones: starts.slice(1) },
    factor: (at) => {
      const current = starts.filter((start) => at.epoch >= start).length - 1;
      const from = starts[current] as number;
      return (schedules[current] as Schedule).factor(shifted(at, from, starts[current + 1] ?? at.epochs));
    },
  };
}

/** The point as a run sees it that lasts from one epoch to another. */
function shifted(at: SchedulePoint, from: number, to: number): SchedulePoint {
  const history = at.history.slice(Math.ceil(from));
  return { ...at, epoch: at.epoch - from, epochs: to - from, history };
}

const dataOf = ({ name, options }: Schedule) => ({ name, options });

function checkSchedules(where: string, schedules: readonly Schedule[]): void {
  if (!Array.isArray(schedules) || schedules.length === 0)
    throw new ArgumentError(`${where} schedule: it needs a list of schedules, at least one`);
  for (const [i, schedule] of schedules.entries()) checkSchedule(where, `schedules[${i}]`, schedule);
}

function checkSchedule(where: string, name: string, schedule: Schedule): void {
  if (typeof schedule?.factor === "function") return;
  throw new ArgumentError(
    `${where} schedule: ${name} is ${JSON.stringify(schedule)}; it needs a schedule (makeSchedule makes one of a name and options)`,
  );
}
