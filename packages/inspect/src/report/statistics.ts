import { escapeMarkup } from "../markup.js";
import { binned } from "./line-chart.js";
import type { ActivationStatistics, ParameterStatistics, StatisticsRecord } from "./run-report.js";
import { sparkline } from "./spark.js";
import { layerLimit, layerTable, numberCell, numberColumn, row, textColumn } from "./table.js";
import { decimal, percent, type Section } from "./words.js";

/** Points of a small line. */
const pointLimit = 60;

/** Something that is measured again and again: a small line, and its last value. */
interface Trend<T> {
  readonly title: string;
  readonly value: (entry: T) => number;
  readonly format: (value: number) => string;
  /** Whether the line counts powers of ten. Default: false. */
  readonly logarithmic?: boolean;
}

const gradientTrends: readonly Trend<ParameterStatistics>[] = [
  { title: "gradient norm", value: ({ gradient }) => gradient, format: decimal, logarithmic: true },
  { title: "update / parameter", value: ({ update }) => update, format: decimal, logarithmic: true },
  { title: "parameter norm", value: ({ norm }) => norm, format: decimal },
];

const activationTrends: readonly Trend<ActivationStatistics>[] = [
  { title: "mean", value: ({ mean }) => mean, format: decimal },
  { title: "standard deviation", value: ({ std }) => std, format: decimal },
  { title: "zeros", value: ({ zeros }) => zeros, format: (share) => percent(share, 1) },
];

/** How gradients and activations went over the run, layer by layer. */
export function statisticsTables(records: readonly StatisticsRecord[]): Section | undefined {
  const parameters = seriesOf(
    records,
    (record) => record.parameters,
    ({ name }) => name,
  );
  const modules = seriesOf(
    records,
    (record) => record.activations,
    ({ path }) => path || "(model)",
  );
  const gradients = `<h3>Gradients</h3>
<p>Lines go from the first measurement to the last; those of gradients and updates count powers of ten. An update is compared with the parameter's norm: some 0.001 is common, far less means that the layer stands still.</p>
${trendTable(parameters, gradientTrends, { label: "Gradients", first: "parameter" })}`;
  const activations = `<h3>Activations</h3>\n${trendTable(modules, activationTrends, { label: "Activations", first: "module" })}`;
  const body = [...(parameters.size > 0 ? [gradients] : []), ...(modules.size > 0 ? [activations] : [])].join("\n");
  return body === "" ? undefined : { id: "statistics", title: "Gradients and activations", body };
}

interface Measured<T> {
  readonly epoch: number;
  readonly entry: T;
}

/** What was measured of each name, in order. */
function seriesOf<T>(
  records: readonly StatisticsRecord[],
  entries: (record: StatisticsRecord) => readonly T[],
  name: (entry: T) => string,
): Map<string, Measured<T>[]> {
  const all = new Map<string, Measured<T>[]>();
  for (const record of records) {
    for (const entry of entries(record)) {
      const list = all.get(name(entry)) ?? [];
      list.push({ epoch: record.epoch, entry });
      all.set(name(entry), list);
    }
  }
  return all;
}

function trendTable<T>(
  series: ReadonlyMap<string, readonly Measured<T>[]>,
  trends: readonly Trend<T>[],
  { label, first }: { readonly label: string; readonly first: string },
): string {
  const heads = [textColumn(first), ...trends.flatMap(({ title }) => [textColumn(title), numberColumn("at the end")])];
  const rows = [...series]
    .slice(0, layerLimit)
    .map(([name, list]) => row([escapeMarkup(name), ...trends.flatMap((trend) => trendCells(list, trend))]));
  return layerTable(heads, rows, { label, count: series.size });
}

function trendCells<T>(list: readonly Measured<T>[], { value, format, logarithmic = false }: Trend<T>): string[] {
  const values = list.map(({ epoch, entry }) => ({ x: epoch, y: value(entry) }));
  const points = values
    .map(({ x, y }) => ({ x, y: logarithmic ? Math.log10(y) : y }))
    .filter(({ y }) => Number.isFinite(y));
  const last = values.at(-1)?.y ?? Number.NaN;
  return [`<td>${points.length < 2 ? "" : sparkline(binned(points, pointLimit))}</td>`, numberCell(format(last), last)];
}
