export * from "./augment/index.js";
export { type Checkpoint, checkpointFormat, encodeCheckpoint, latestCheckpoint, modelTensors } from "./checkpoint.js";
export * from "./data/index.js";
export { TrainingError } from "./errors.js";
export { type EvaluateOptions, type Evaluator, evaluator } from "./evaluate.js";
export * from "./evaluation/index.js";
export { type ExportOptions, exportOnnx } from "./export.js";
export { nonFiniteEntry } from "./finite.js";
export * from "./fit.js";
export * from "./loss/index.js";
export type { DynamicLossScale, LossScale } from "./loss-scale.js";
export * from "./metrics/index.js";
export { makeNamed, type Named, type Options, type OptionValue } from "./named.js";
export * from "./optim/index.js";
export { type Predictor, type PredictorOptions, predictor } from "./predictor.js";
export * from "./schedule/index.js";
export * from "./step/index.js";
export {
  type HostBatch,
  type StepCallOptions,
  type StepResult,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
} from "./train-step.js";
export * from "./transfer.js";
export { type BatchTensors, type NormalizeOptions, normalize, type Transform } from "./transform.js";
