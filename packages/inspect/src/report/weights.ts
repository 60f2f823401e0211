import { escapeMarkup } from "../markup.js";
import { formatCount } from "../units.js";
import type { NamedValues } from "./run-report.js";
import { histogram } from "./spark.js";
import { layerLimit, layerTable, numberCell, numberColumn, row, textColumn } from "./table.js";
import { decimal, type Section } from "./words.js";

const heads = [
  ...["layer", "shape"].map(textColumn),
  ...["values", "mean", "std", "min", "max"].map(numberColumn),
  textColumn("from min to max"),
];

/** The values of each layer: their spread, and a histogram. */
export function weightTable(weights: readonly NamedValues[]): Section | undefined {
  const shown = weights.filter(({ data }) => data.length > 0);
  if (shown.length === 0) return undefined;
  const rows = shown.slice(0, layerLimit).map(({ name, shape, data }) => {
    const { mean, std, min, max } = moments(data);
    return row([
      escapeMarkup(name),
      `<td>${shape.join("×")}</td>`,
      numberCell(formatCount(data.length), data.length),
      ...[mean, std, min, max].map((value) => numberCell(decimal(value), value)),
      `<td>${histogram(data, min, max)}</td>`,
    ]);
  });
  return { id: "weights", title: "Weights", body: layerTable(heads, rows, { label: "Weights", count: shown.length }) };
}

function moments(data: ArrayLike<number>): { mean: number; std: number; min: number; max: number } {
  let [sum, squares, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    sum += value;
    squares += value * value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / data.length;
  return { mean, std: Math.sqrt(Math.max(0, squares / data.length - mean * mean)), min, max };
}
