import { formatRate, plural } from "../../format.js";
import type { TrainingSpec } from "../../model/training.js";
import { numberOf, optimizerKind } from "./recipe/optimizers.js";
import { presetText } from "./recipe/presets.js";
import { scheduleKind, scheduleParts } from "./recipe/schedules.js";

/** A training in a sentence: "SGD with momentum at 0.02, steps at epochs; 5 epochs in batches of 64." */
export function describeTraining({ optimizer, schedule, epochs, batchSize, augment }: TrainingSpec): string {
  const { warmup, plain } = scheduleParts(schedule);
  const course = scheduleKind(plain.name)?.title.toLowerCase() ?? "the recipe's own course";
  const warm = warmup === 0 ? "" : ` after a warm-up of ${plural(warmup, "epoch")}`;
  const rate = `${optimizerKind(optimizer.name).title} at ${formatRate(numberOf(optimizer, "lr"))}, ${course}${warm}`;
  const pictures = augment === "plain" ? "" : ` Pictures: ${lowerFirst(presetText(augment) ?? augment)}`;
  return `${rate}; ${plural(epochs, "epoch")} in batches of ${batchSize}.${pictures}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
