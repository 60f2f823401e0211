import type { PeakMemory } from "./memory.js";
import type { LayerRow, Summary } from "./summary.js";
import { formatBytes, formatCount, formatCsv, formatInteger } from "./units.js";

export { formatBinaryBytes, formatBytes, formatCount } from "./units.js";

type Count = (value: number) => string;

interface Column {
  readonly title: string;
  readonly right: boolean;
  readonly cell: (row: LayerRow, count: Count) => string;
}

const orNothing = (value: number, count: Count): string => (value === 0 ? "-" : count(value));
const pair = (values: readonly [number, number] | null): string =>
  values === null ? "-" : values[0] === values[1] ? `${values[0]}` : values.join("x");

const columns = {
  layer: { title: "layer", right: false, cell: (row) => row.path || "(model)" },
  type: { title: "type", right: false, cell: (row) => row.type },
  output: {
    title: "output",
    right: true,
    cell: (row) => (row.used ? (row.outputShape?.join("x") ?? "-") : "unused"),
  },
  parameters: { title: "parameters", right: true, cell: (row, count) => orNothing(row.parameters, count) },
  macs: { title: "mult-adds", right: true, cell: (row, count) => orNothing(row.macs, count) },
  flops: { title: "FLOPs", right: true, cell: (row, count) => orNothing(row.flops, count) },
  values: { title: "values", right: true, cell: (row, count) => orNothing(row.storedValues, count) },
  sees: { title: "sees", right: true, cell: (row) => row.receptiveField?.join("x") ?? "-" },
  stride: { title: "stride", right: true, cell: (row) => pair(row.stride) },
  intensity: {
    title: "FLOPs/byte",
    right: true,
    cell: (row) => (row.intensity === 0 ? "-" : row.intensity.toFixed(row.intensity < 100 ? 1 : 0)),
  },
} as const satisfies Readonly<Record<string, Column>>;

type ColumnName = keyof typeof columns;

const standard: readonly ColumnName[] = ["layer", "type", "output", "parameters", "macs", "values", "sees"];

/** From all to the least: the first that is narrow enough is printed. */
const layouts: readonly { readonly names: readonly ColumnName[]; readonly exact: boolean }[] = [
  { names: Object.keys(columns) as ColumnName[], exact: true },
  { names: standard, exact: true },
  { names: Object.keys(columns) as ColumnName[], exact: false },
  { names: standard, exact: false },
  { names: standard.filter((name) => name !== "type"), exact: false },
  { names: ["layer", "output", "parameters", "macs", "values"], exact: false },
];

export interface FormatOptions {
  /** Columns of the terminal: a table that is wider loses digits and columns. Default: no limit. */
  readonly width?: number | undefined;
  /** Peaks to print below the totals. */
  readonly memory?: { readonly inference?: PeakMemory | undefined; readonly training?: PeakMemory | undefined };
}

/**
 * A table for a terminal, with totals below. The column `values` counts those that each layer adds to memory: "-" where an
 * element-wise layer writes over its input.
 */
export function formatSummary(
  summary: Summary,
  { width = Number.POSITIVE_INFINITY, memory }: FormatOptions = {},
): string {
  const table = tableOf(summary, width);
  const rule = "-".repeat(Math.max(...table.map((line) => line.length)));
  const [head, ...body] = table as [string, ...string[]];
  return [head, rule, ...body, rule, ...totalLines(summary), ...memoryLines(memory)].join("\n");
}

function tableOf(summary: Summary, width: number): string[] {
  let lines: string[] = [];
  for (const { names, exact } of layouts) {
    lines = laidOut(summary, names, exact ? formatInteger : (value) => formatCount(value).replace(" ", ""));
    if (lines.every((line) => line.length <= width)) return lines;
  }
  const excess = Math.max(...lines.map((line) => line.length)) - width;
  return laidOut(summary, layouts.at(-1)?.names ?? [], (value) => formatCount(value).replace(" ", ""), excess);
}

/** @param excess by how much the names of layers are to be shortened; what a name ends with tells more than its beginning */
function laidOut({ input, batch, rows }: Summary, names: readonly ColumnName[], count: Count, excess = 0): string[] {
  const shown: readonly Column[] = names.map((name) => columns[name]);
  const values = batch * input.reduce((product, dim) => product * dim, 1);
  const given: Partial<Record<ColumnName, string>> = {
    layer: "input",
    output: input.join("x"),
    values: count(values),
  };
  const cells = [
    shown.map(({ title }) => title),
    names.map((name) => given[name] ?? ""),
    ...rows.map((row) => shown.map(({ cell }) => cell(row, count))),
  ];
  const longest = Math.max(...cells.map(([name]) => (name as string).length));
  const limit = Math.max(12, longest - excess);
  const short = (name: string): string => (name.length <= limit ? name : `..${name.slice(2 - limit)}`);
  const table = cells.map(([name, ...rest]) => [short(name as string), ...rest]);
  const widths = shown.map((_, i) => Math.max(...table.map((row) => (row[i] as string).length)));
  return table.map((row) =>
    row
      .map((cell, i) => (shown[i]?.right ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd(),
  );
}

/** 999 needs no second form. */
const both = (count: number): string => (count < 1000 ? `${count}` : `${formatInteger(count)} (${formatCount(count)})`);

function totalLines({ input, batch, rows, totals }: Summary): string[] {
  const unused = rows.reduce((sum, row) => sum + (row.used ? 0 : row.parameters), 0);
  const images = batch === 1 ? "an image" : `for ${batch} images`;
  const lines: readonly (readonly [label: string, text: string])[] = [
    ["input", batch === 1 ? input.join("x") : `${batch} x ${input.join("x")}`],
    ["parameters", `${both(totals.parameters)}, ${formatBytes(totals.parameterBytes)} as float32`],
    ["", `${formatInteger(totals.weights)} weights, ${formatInteger(totals.biases)} biases`],
    ...(unused === 0 ? [] : [["", `${formatInteger(unused)} of them in layers that evaluation does not use`] as const]),
    ["buffers", `${formatInteger(totals.bufferValues)} values`],
    ["mult-adds", `${both(totals.macs)} ${images}`],
    ["FLOPs", `${both(totals.flops)} ${images}: 2 a mult-add, 1 any other operation`],
    [
      "activations",
      `${formatInteger(totals.storedValues)} values, ${formatBytes(totals.storedBytes)} ${images}: the input and all that is not computed in place`,
    ],
    ["all outputs", `${formatBytes(totals.activationBytes)} ${images}, in place or not`],
  ];
  return lines.map(([label, text]) => label.padEnd(14) + text);
}

function memoryLines({ inference, training }: NonNullable<FormatOptions["memory"]> = {}): string[] {
  const state = ({ parameters, buffers }: PeakMemory): string => formatBytes(parameters + buffers);
  return [
    ...(inference === undefined
      ? []
      : [
          `${"inference".padEnd(14)}${formatBytes(inference.total)} at the peak, in ${inference.at}`,
          `${" ".repeat(14)}${state(inference)} parameters and buffers, ${formatBytes(inference.input + inference.activations)} input and activations`,
        ]),
    ...(training === undefined
      ? []
      : [
          `${"training".padEnd(14)}${formatBytes(training.total)} at the peak of a step, in ${training.at}`,
          `${" ".repeat(14)}${state(training)} parameters and buffers, ${formatBytes(training.optimizerState)} optimizer, ${formatBytes(training.input + training.activations)} input and activations, ${formatBytes(training.gradients)} gradients`,
        ]),
  ];
}

/** What each column of the file holds. */
const fields: Readonly<Record<string, (row: LayerRow) => string | number | boolean>> = {
  layer: (row) => row.path,
  type: (row) => row.type,
  output: (row) => row.outputShape?.join("x") ?? "",
  parameters: (row) => row.parameters,
  multiply_adds: (row) => row.macs,
  activation_bytes: (row) => row.activationBytes,
  receptive_field: (row) => row.receptiveField?.join("x") ?? "",
  stride: (row) => row.stride?.join("x") ?? "",
  centre: (row) => row.centre?.join("x") ?? "",
  weights: (row) => row.weights,
  biases: (row) => row.biases,
  flops: (row) => row.flops,
  stored_values: (row) => row.storedValues,
  stored_bytes: (row) => row.storedBytes,
  bytes_moved: (row) => row.bytesMoved,
  flops_per_byte: (row) => row.intensity,
  used: (row) => row.used,
};

/** The rows as comma-separated values with a header; shapes are written `6x28x28`. */
export function summaryCsv({ rows }: Summary): string {
  return formatCsv([Object.keys(fields), ...rows.map((row) => Object.values(fields).map((field) => field(row)))]);
}
