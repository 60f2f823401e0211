export {
  type ChosenError,
  type Compared,
  type ComparedLayer,
  type ComparedModel,
  type CompareOptions,
  type Comparison,
  compare,
  type ErrorFigure,
} from "./compare.js";
export { comparisonCsv, formatComparison } from "./compare-format.js";
export { flopsOf } from "./cost.js";
export {
  type FormatOptions,
  formatBinaryBytes,
  formatBytes,
  formatCount,
  formatSummary,
  summaryCsv,
} from "./format.js";
export { type PeakMemory, type PeakMemoryOptions, peakMemory } from "./memory.js";
export { type ReceptiveField2d, receptiveFields } from "./receptive-field.js";
export { formatRecomputePlan, planRecompute, type RecomputeOptions, type RecomputePlan } from "./recompute.js";
export { type LayerRow, type Summary, type SummaryOptions, summary, type Totals } from "./summary.js";
export { formatTorchSummary, type TorchSummary, torchSummary } from "./torchsummary.js";
