export { formatBytes, formatCount, formatSummary, summaryCsv } from "./format.js";
export { type ReceptiveField2d, receptiveFields } from "./receptive-field.js";
export { type LayerRow, type Summary, summary } from "./summary.js";
