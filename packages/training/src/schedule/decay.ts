import { ArgumentError } from "@ocelli/core";
import { checkRange, type Schedule, type SchedulePoint, wholes } from "./schedule.js";

/** Multiplies by `gamma` each epoch, a little at every step. @throws ArgumentError for a gamma that is not above 0 */
export function exponentialSchedule({ gamma }: { readonly gamma: number }): Schedule {
  checkRange("exponential", { gamma }, "above 0");
  return { name: "exponential", options: { gamma }, factor: ({ epoch }) => gamma ** epoch };
}

export interface PolynomialScheduleOptions {
  /** 1, the default, is a straight line. */
  readonly power?: number | undefined;
  /** Where it ends, as a factor. Default 0. */
  readonly min?: number | undefined;
  /** How long it takes; then it stays. Default: the whole run. */
  readonly epochs?: number | undefined;
}

/** Falls from 1 to `min` as `(1 - epoch / epochs) ** power`. @throws ArgumentError for options out of range */
export function polynomialSchedule({ power = 1, min = 0, epochs }: PolynomialScheduleOptions = {}): Schedule {
  checkRange("polynomial", { power }, "above 0");
  checkRange("polynomial", { min }, "from 0 to 1");
  if (epochs !== undefined) checkRange("polynomial", { epochs }, "above 0");
  return {
    name: "polynomial",
    options: { power, min, ...(epochs !== undefined && { epochs }) },
    factor: (at) => min + (1 - min) * (1 - part(at, epochs)) ** power,
  };
}

export interface CosineScheduleOptions {
  /** Where it ends, as a factor. Default 0. */
  readonly min?: number | undefined;
  /** How long half a wave takes. Default: the whole run. With `restarts` it is needed. */
  readonly epochs?: number | undefined;
  /** Begins anew after each half wave, the next one so many times as long. Left out: no restarts, it stays at `min`. */
  readonly restarts?: number | undefined;
}

/**
 * Falls from 1 to `min` as half a cosine wave; with `restarts` again and again (Loshchilov and Hutter, SGDR, 2017).
 * @throws ArgumentError for options out of range, or restarts without `epochs`
 */
export function cosineSchedule({ min = 0, epochs, restarts }: CosineScheduleOptions = {}): Schedule {
  checkRange("cosine", { min }, "from 0 to 1");
  if (epochs !== undefined) checkRange("cosine", { epochs }, "above 0");
  if (restarts !== undefined) checkRange("cosine", { restarts }, ">= 1");
  if (restarts !== undefined && epochs === undefined)
    throw new ArgumentError("cosine schedule: restarts need epochs, the length of the first wave");
  const share = (at: SchedulePoint): number =>
    restarts === undefined ? part(at, epochs) : partOfWave(at.epoch, epochs as number, restarts);
  return {
    name: "cosine",
    options: { min, ...(epochs !== undefined && { epochs }), ...(restarts !== undefined && { restarts }) },
    factor: (at) => min + ((1 - min) * (1 + Math.cos(Math.PI * share(at)))) / 2,
  };
}

/** How much of the decay is behind the run, 0 to 1. */
function part({ epoch, epochs }: SchedulePoint, own: number | undefined): number {
  return Math.min(1, epoch / (own ?? epochs));
}

/** How much of the current wave is behind the run, 0 to 1. Waves last `first`, `first * growth`, `first * growth ** 2` ... epochs. */
function partOfWave(epoch: number, first: number, growth: number): number {
  if (growth === 1) return Math.max(0, epoch / first - wholes(epoch, first));
  // Rounding may put the very beginning of a wave just before it: the loop decides, the logarithm only brings it close.
  let wave = Math.max(0, Math.floor(Math.log(1 + (epoch / first) * (growth - 1)) / Math.log(growth)) - 1);
  const start = (n: number): number => (first * (growth ** n - 1)) / (growth - 1);
  while (epoch >= start(wave + 1) - 1e-9 * first) wave++;
  return Math.max(0, (epoch - start(wave)) / (first * growth ** wave));
}
