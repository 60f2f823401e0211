import type { EpochPoint } from "../../../workers/train/api.js";

/** Accuracy at an epoch's end, of the images that judge epochs; null where none do. */
export const judgedAccuracy = ({ validationAccuracy, testAccuracy }: EpochPoint): number | null =>
  validationAccuracy ?? testAccuracy;
