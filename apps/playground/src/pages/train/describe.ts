import { formatRate, plural } from "../../format.js";
import type { Origin, TrainingSpec } from "../../model/training.js";
import { numberOf, optimizerKind } from "./recipe/optimizers.js";
import { clipOf, decayOf } from "./recipe/parts.js";
import { presetText } from "./recipe/presets.js";
import { scheduleKind, scheduleParts } from "./recipe/schedules.js";

/** A training in a sentence: "SGD with momentum at 0.02, steps at epochs; 5 epochs in batches of 64." */
export function describeTraining(training: TrainingSpec): string {
  const { optimizer, schedule, epochs, batchSize, augment } = training;
  const { warmup, plain } = scheduleParts(schedule);
  const course = scheduleKind(plain.name)?.title.toLowerCase() ?? "the recipe's own course";
  const warm = warmup === 0 ? "" : ` after a warm-up of ${plural(warmup, "epoch")}`;
  const rate = `${optimizerKind(optimizer.name).title} at ${formatRate(numberOf(optimizer, "lr"))}, ${course}${warm}`;
  const pictures = augment === "plain" ? "" : ` Pictures: ${lowerFirst(presetText(augment) ?? augment)}`;
  const finer = [
    ...(clipOf(training) === 0 ? [] : [`gradients clipped to ${clipOf(training)}`]),
    ...(decayOf(training) === 0 ? [] : [`weights averaged (${decayOf(training)})`]),
  ];
  return `${[rate, `${plural(epochs, "epoch")} in batches of ${batchSize}`, ...finer].join("; ")}.${pictures}`;
}

const mostNames = 4;

/** "12 of 14 tensors from “LeNet-5 on Digits”; new: fc.weight, fc.bias. The head alone learns." */
export function originText({ title, taken, of, fresh, headOnly }: Origin): string {
  const more = fresh.length > mostNames ? ` and ${fresh.length - mostNames} more` : "";
  const made = fresh.length === 0 ? "" : `; new: ${fresh.slice(0, mostNames).join(", ")}${more}`;
  const count = fresh.length === 0 ? `all ${plural(of, "tensor")}` : `${taken} of ${plural(of, "tensor")}`;
  return `${count} from “${title}”${made}.${headOnly ? " The head alone learns, the rest stays as it is." : ""}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
