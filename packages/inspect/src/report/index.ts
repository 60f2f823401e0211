export { type ConfusedPair, confusedPairs } from "./confusion.js";
export { reportHtml } from "./page.js";
export type {
  ActivationStatistics,
  ClassRecord,
  EpochRecord,
  EvaluationRecord,
  Fact,
  Mistake,
  NamedValues,
  ParameterStatistics,
  Part,
  Picture,
  ReportOptions,
  RunReport,
  Score,
  StatisticsRecord,
  StepRecord,
} from "./run-report.js";
