export type { Box, Frame, Framing, Size } from "./augment/frame.js";
export * from "./data/index.js";
export { TrainingError } from "./errors.js";
export { amongTop, type EvaluateOptions, type Evaluation, type Evaluator, evaluator } from "./evaluate.js";
export { type ExportOptions, exportOnnx } from "./export.js";
export { nonFiniteEntry } from "./finite.js";
export {
  type CheckpointSink,
  type EpochSummary,
  type FitEvent,
  type FitOptions,
  type FitResult,
  fit,
  freshProgress,
  type Progress,
} from "./fit.js";
export type { DynamicLossScale, LossScale } from "./loss-scale.js";
export { makeNamed, type Named, type Options, type OptionValue } from "./named.js";
export * from "./optim/index.js";
export { type Predictor, type PredictorOptions, predictor } from "./predictor.js";
export {
  constantSchedule,
  makeSchedule,
  multiStepSchedule,
  type Schedule,
  type SchedulePoint,
  schedules,
  stepSchedule,
} from "./schedule/index.js";
export {
  type HostBatch,
  optimizerState,
  type StepResult,
  type TrainStep,
  type TrainStepOptions,
  trainingProgram,
  trainStep,
} from "./train-step.js";
export {
  type BatchTensors,
  makeTransform,
  type NormalizeOptions,
  normalize,
  type Transform,
  transforms,
} from "./transform.js";
