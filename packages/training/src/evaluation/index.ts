export { type Ensemble, ensemble, type Member, meanProbabilities } from "./ensemble.js";
export { type FeaturesOptions, featuresOf, type ImageFeatures } from "./features.js";
export type { EvaluationBatch, EvaluationBatches } from "./fill.js";
export { type Metric, type NearestOptions, type Neighbours, nearestNeighbours, voted } from "./nearest.js";
export type { Viewing } from "./output.js";
export {
  evaluateProbe,
  type LabelledRows,
  type LinearProbe,
  type LinearProbeOptions,
  linearProbe,
} from "./probe.js";
export { type EvaluatedSamples, type Evaluation, scoreProbabilities } from "./tally.js";
export {
  type CropViewsOptions,
  centerView,
  fiveCropViews,
  type MultiScaleViewsOptions,
  makeViews,
  multiScaleViews,
  tenCropViews,
  type Views,
  views,
} from "./views.js";
