export {
  type Average,
  averagedValues,
  averages,
  type EmaOptions,
  ema,
  makeAverage,
  type SwaOptions,
  swa,
} from "./average.js";
export { type Clip, type ClipOptions, clipNorm, clips, clipValue, makeClip } from "./clip.js";
export type { StepOptions } from "./plan.js";
export { trainingProgram } from "./program.js";
export {
  type ActivationStatistics,
  type ParameterStatistics,
  type StatisticsHandle,
  type StatisticsRows,
  type StepStatistics,
  type StepStatisticsOptions,
  stepStatistics,
} from "./statistics.js";
