import type { Named } from "@ocelli/training";
import type { TrainingSpec } from "../../../model/training.js";

/** The norm that gradients are clipped to; 0: they are not, or in another way. */
export const clipOf = ({ clip }: Pick<TrainingSpec, "clip">): number =>
  clip?.name === "clipNorm" ? Number(clip.options.max) : 0;

/** @param max 0: no clip */
export const clipTo = (max: number): Named | undefined =>
  max === 0 ? undefined : { name: "clipNorm", options: { max } };

/** What a step keeps of the running average of the weights; 0: there is none, or another kind. */
export const decayOf = ({ average }: Pick<TrainingSpec, "average">): number =>
  average?.name === "ema" ? Number(average.options.decay) : 0;

/** Warmed up, so that what the weights were at the start is soon forgotten, however short the training. @param decay 0: no average */
export const averageOver = (decay: number): Named | undefined =>
  decay === 0 ? undefined : { name: "ema", options: { decay, warmup: true } };
