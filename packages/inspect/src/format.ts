import type { LayerRow, Summary } from "./summary.js";

const units = ["", " K", " M", " G", " T"] as const;

/** `61706` -> `61.7 K`: three digits and a unit. */
export function formatCount(count: number): string {
  let value = count;
  let unit = 0;
  while (Math.round(value * 10) / 10 >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${count}` : `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)}${units[unit]}`;
}

/** Bytes with a binary unit: `18816` -> `18.4 KiB`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)} ${names[unit]}`;
}

const columns: readonly {
  readonly title: string;
  readonly right: boolean;
  readonly cell: (row: LayerRow) => string;
}[] = [
  { title: "layer", right: false, cell: (row) => row.path || "(model)" },
  { title: "type", right: false, cell: (row) => row.type },
  { title: "output", right: true, cell: (row) => row.outputShape?.join("x") ?? "-" },
  {
    title: "parameters",
    right: true,
    cell: (row) => (row.parameters === 0 ? "-" : row.parameters.toLocaleString("en-US")),
  },
  { title: "mult-adds", right: true, cell: (row) => (row.macs === 0 ? "-" : row.macs.toLocaleString("en-US")) },
  { title: "activations", right: true, cell: (row) => formatBytes(row.activationBytes) },
  { title: "sees", right: true, cell: (row) => row.receptiveField?.join("x") ?? "-" },
];

/** A table for a terminal, with totals below. */
export function formatSummary({ input, rows, totals }: Summary): string {
  const table = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, i) => Math.max(...table.map((cells) => (cells[i] as string).length)));
  const lines = table.map((cells) =>
    cells
      .map((cell, i) => (columns[i]?.right ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd(),
  );
  const rule = "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const exact = (count: number): string => `${count.toLocaleString("en-US")} (${formatCount(count)})`;
  return [
    lines[0],
    rule,
    ...lines.slice(1),
    rule,
    `input         ${input.join("x")}`,
    `parameters    ${totals.parameters < 1000 ? totals.parameters : exact(totals.parameters)}, ${formatBytes(totals.parameterBytes)} as float32`,
    `buffers       ${totals.bufferValues.toLocaleString("en-US")} values`,
    `mult-adds     ${totals.macs < 1000 ? totals.macs : exact(totals.macs)} an image`,
    `activations   ${formatBytes(totals.activationBytes)} an image`,
  ].join("\n");
}

const csvHeader = "layer,type,output,parameters,multiply_adds,activation_bytes,receptive_field";

/** The rows as comma-separated values with a header; shapes are written `6x28x28`. */
export function summaryCsv({ rows }: Summary): string {
  const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) =>
    [
      row.path,
      row.type,
      row.outputShape?.join("x") ?? "",
      row.parameters,
      row.macs,
      row.activationBytes,
      row.receptiveField?.join("x") ?? "",
    ]
      .map((cell) => quote(`${cell}`))
      .join(","),
  );
  return `${[csvHeader, ...lines].join("\n")}\n`;
}
