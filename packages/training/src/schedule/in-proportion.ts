import type { Named, Options, OptionValue } from "../named.js";

/** Options that count epochs, and how they keep their proportion: a step may be a fraction of an epoch, patience may not. */
const lengths: Readonly<Record<string, (value: number) => number>> = {
  stepSize: (value) => Number(value.toPrecision(3)),
  up: (value) => Number(value.toPrecision(3)),
  down: (value) => Number(value.toPrecision(3)),
  epochs: (value) => Number(value.toPrecision(3)),
  patience: (value) => Math.max(1, Math.round(value)),
};

/**
 * A schedule, as data, for a run of `ratio` times as many epochs, which are then `epochs`: a recipe's own made shorter or longer. Lengths
 * keep their proportion; milestones come at whole epochs within the run, and without any left the rate stays.
 */
export function scheduleInProportion({ name, options }: Named, ratio: number, epochs: number): Named {
  if (ratio === 1) return { name, options };
  if (name === "multiStep") return multiStepInProportion(options, ratio, epochs);
  const part = (named: Named): Named => scheduleInProportion(named, ratio, epochs);
  const scaled = Object.entries(options).map(([key, value]): [string, OptionValue] => {
    if (isNamed(value)) return [key, part(value)];
    if (key === "schedules") return [key, (value as readonly Named[]).map(part)];
    return [key, typeof value === "number" ? (lengths[key]?.(value * ratio) ?? value) : value];
  });
  return { name, options: Object.fromEntries(scaled) };
}

const isNamed = (value: unknown): value is Named => typeof (value as Partial<Named> | null)?.name === "string";

function multiStepInProportion(options: Options, ratio: number, epochs: number): Named {
  const all = (options.milestones as readonly number[]).map((epoch) => Math.max(1, Math.round(epoch * ratio)));
  const milestones = [...new Set(all)].filter((epoch) => epoch < epochs);
  return milestones.length === 0
    ? { name: "constant", options: {} }
    : { name: "multiStep", options: { ...options, milestones } };
}
