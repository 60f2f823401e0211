import { ArgumentError } from "@ocelli/core";

/** Learning rate over time, as data and as a function. */
export interface Schedule {
  readonly name: string;
  readonly options: Readonly<Record<string, number | readonly number[]>>;
  /** Factor on the optimizer's learning rate; `epoch` counts from 0 and may have a fraction. */
  factor(epoch: number): number;
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
  return { name: "step", options: { stepSize, gamma }, factor: (epoch) => gamma ** Math.floor(epoch / stepSize) };
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
    factor: (epoch) => gamma ** sorted.filter((milestone) => epoch >= milestone).length,
  };
}

/** Every schedule, by the name that checkpoints use. */
export const schedules = { constant: constantSchedule, step: stepSchedule, multiStep: multiStepSchedule } as const;

/** A schedule from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name */
export function makeSchedule(name: string, options: Schedule["options"]): Schedule {
  if (!Object.hasOwn(schedules, name)) {
    throw new ArgumentError(`schedule: "${name}" is unknown; there are ${Object.keys(schedules).join(", ")}`);
  }
  return (schedules[name as keyof typeof schedules] as (given: object) => Schedule)(options);
}
