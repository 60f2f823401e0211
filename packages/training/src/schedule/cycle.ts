import { ArgumentError } from "@ocelli/core";
import { checkRange, checkWord, type Schedule } from "./schedule.js";

export type Anneal = "cosine" | "linear";

export interface OneCycleScheduleOptions {
  /** Share of the run that rises. Default 0.3. */
  readonly rise?: number | undefined;
  /** It starts at 1 / `divFactor`. Default 25. */
  readonly divFactor?: number | undefined;
  /** It ends at 1 / (`divFactor` * `finalDivFactor`). Default 1e4. */
  readonly finalDivFactor?: number | undefined;
  /** Default cosine. */
  readonly anneal?: Anneal | undefined;
  /** Falls to where it started in as many steps as it rose, and only then to the end. Default false: falls in one go. */
  readonly threePhase?: boolean | undefined;
}

/**
 * Up to the optimizer's learning rate and far down again, once in the run (Smith and Topin, Super-Convergence, 2018). PyTorch's
 * `OneCycleLR`, whose `max_lr` is the optimizer's rate here; the momentum stays as it is.
 * @throws ArgumentError for options out of range
 */
export function oneCycleSchedule(options: OneCycleScheduleOptions = {}): Schedule {
  const { rise = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = "cosine", threePhase = false } = options;
  checkRange("oneCycle", { rise }, "above 0 and below 1");
  checkRange("oneCycle", { divFactor, finalDivFactor }, ">= 1");
  checkWord("oneCycle", "anneal", anneal, ["cosine", "linear"]);
  if (threePhase && rise > 0.5)
    throw new ArgumentError(
      `oneCycle schedule: rise is ${rise}; with threePhase it needs at most 0.5, for it falls as long`,
    );
  const start = 1 / divFactor;
  const end = start / finalDivFactor;
  return {
    name: "oneCycle",
    options: { rise, divFactor, finalDivFactor, anneal, threePhase },
    factor: ({ epoch, epochs, batches }) => {
      const steps = epochs * batches;
      const top = rise * steps - 1;
      const back: readonly Point[] = threePhase ? [[2 * rise * steps - 2, start]] : [];
      return along([[0, start], [top, 1], ...back, [steps - 1, end]], epoch * batches, anneal);
    },
  };
}

type Point = readonly [step: number, factor: number];

/** The curve through the points, in their order, at a step. */
function along(points: readonly Point[], step: number, anneal: Anneal): number {
  const last = points.length - 1;
  const found = points.findIndex(([at], i) => i > 0 && step <= at);
  const next = found < 0 ? last : found;
  const [from, low] = points[next - 1] as Point;
  const [to, high] = points[next] as Point;
  // A phase shorter than a step has no length to divide by.
  const share = to > from ? Math.min(1, Math.max(0, (step - from) / (to - from))) : 1;
  return anneal === "linear" ? low + (high - low) * share : high + ((low - high) * (1 + Math.cos(Math.PI * share))) / 2;
}

export interface CyclicScheduleOptions {
  /** Lowest factor. Default 0.1. */
  readonly min?: number | undefined;
  /** Epochs up; fractions are allowed. */
  readonly up: number;
  /** Epochs down. Default: as many as up. */
  readonly down?: number | undefined;
  /** `triangular2` halves the height after each cycle, `expRange` shrinks it by `gamma` each epoch. Default triangular. */
  readonly mode?: "triangular" | "triangular2" | "expRange" | undefined;
  /** Default 1; of expRange only. */
  readonly gamma?: number | undefined;
}

/**
 * Up from `min` to the optimizer's learning rate and down again, over and over (Smith, Cyclical Learning Rates, 2017).
 * PyTorch's `CyclicLR`, whose `max_lr` is the optimizer's rate here, and whose gamma is one of steps.
 * @throws ArgumentError for options out of range
 */
export function cyclicSchedule(options: CyclicScheduleOptions): Schedule {
  const { min = 0.1, up, down = up, mode = "triangular", gamma = 1 } = options;
  checkRange("cyclic", { min }, "from 0 to 1");
  checkRange("cyclic", { up, down, gamma }, "above 0");
  checkWord("cyclic", "mode", mode, ["triangular", "triangular2", "expRange"]);
  return {
    name: "cyclic",
    options: { min, up, down, mode, gamma },
    factor: ({ epoch }) => {
      const cycle = Math.floor(epoch / (up + down));
      const within = epoch - cycle * (up + down);
      const height = within <= up ? within / up : (up + down - within) / down;
      const scale = { triangular: 1, triangular2: 2 ** -cycle, expRange: gamma ** epoch }[mode];
      return min + (1 - min) * height * scale;
    },
  };
}
