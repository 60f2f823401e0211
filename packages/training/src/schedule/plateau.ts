import { ArgumentError } from "@ocelli/core";
import { checkMonitor, type Monitor, monitored } from "../fit/monitor.js";
import type { EpochSummary } from "../fit/progress.js";
import { checkRange, checkWord, type Schedule } from "./schedule.js";

export interface PlateauScheduleOptions {
  /** What must get better. Default loss. */
  readonly monitor?: Monitor | undefined;
  /** What the learning rate is multiplied by. Default 0.1. */
  readonly factor?: number | undefined;
  /** Epochs without a better one that are waited through. Default 10. */
  readonly patience?: number | undefined;
  /** By how much an epoch must be better to count. Default 1e-4. */
  readonly threshold?: number | undefined;
  /** The threshold as a share of the best figure, or as a difference. Default relative. */
  readonly thresholdMode?: "relative" | "absolute" | undefined;
  /** Epochs after a reduction that are not counted. Default 0. */
  readonly cooldown?: number | undefined;
  /** Below this factor it does not fall. Default 0. */
  readonly min?: number | undefined;
}

/**
 * Multiplies by `factor` when a figure has stopped getting better: PyTorch's `ReduceLROnPlateau`, worked out anew from the epochs behind
 * the run, so that there is nothing to save.
 * @throws ArgumentError for options out of range
 */
export function plateauSchedule(options: PlateauScheduleOptions = {}): Schedule {
  const { monitor = "loss", factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, min = 0 } = options;
  const { thresholdMode = "relative" } = options;
  checkMonitor("plateau schedule", monitor);
  if (!(factor >= 0 && factor < 1))
    throw new ArgumentError(`plateau schedule: factor is ${factor}; it needs a number >= 0 and below 1`, { factor });
  checkRange("plateau", { patience, cooldown, threshold }, ">= 0");
  checkRange("plateau", { min }, "from 0 to 1");
  checkWord("plateau", "thresholdMode", thresholdMode, ["relative", "absolute"]);
  const settings = { monitor, factor, patience, threshold, thresholdMode, cooldown, min } as const;
  return { name: "plateau", options: settings, factor: ({ history }) => replay(history, settings) };
}

type Settings = { readonly [K in keyof PlateauScheduleOptions]-?: NonNullable<PlateauScheduleOptions[K]> };

/** PyTorch takes no notice of a reduction smaller than this. */
const smallest = 1e-8;

function replay(history: readonly EpochSummary[], { monitor, factor, patience, cooldown, min, ...rest }: Settings) {
  let rate = 1;
  let best: number | undefined;
  let bad = 0;
  let cooling = 0;
  for (const summary of history) {
    const figure = monitored(summary, monitor);
    if (best === undefined || isBetter(figure, best, { monitor, ...rest })) {
      best = figure;
      bad = 0;
    } else bad++;
    if (cooling > 0) {
      cooling--;
      bad = 0;
    }
    if (bad > patience) {
      const lower = Math.max(rate * factor, min);
      if (rate - lower > smallest) rate = lower;
      cooling = cooldown;
      bad = 0;
    }
  }
  return rate;
}

function isBetter(
  figure: number,
  best: number,
  { monitor, threshold, thresholdMode }: Pick<Settings, "monitor" | "threshold" | "thresholdMode">,
): boolean {
  const margin = thresholdMode === "relative" ? best * threshold : threshold;
  return monitor === "accuracy" ? figure > best + margin : figure < best - margin;
}
