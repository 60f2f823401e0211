import { escapeMarkup } from "../markup.js";
import { type Line, lineChart } from "./line-chart.js";
import type { EpochRecord, RunReport, Score } from "./run-report.js";
import { numberCell, numberColumn, row, table, textColumn } from "./table.js";
import { decimal, percent, type Section } from "./words.js";

/** Rows of the table: with more epochs, only some have one. */
const rowLimit = 120;

const splits = ["train", "validation", "test"] as const;

/** How the training went, epoch by epoch: charts, and the same as a table. */
export function curves({ history, steps = [] }: Pick<RunReport, "history" | "steps">): Section | undefined {
  const charts = [
    loss({ history, steps }),
    accuracy(history),
    rate({ history, steps }),
    speed(history),
    gradientNorm(steps),
  ].filter((chart) => chart !== "");
  if (charts.length === 0 && history.length === 0) return undefined;
  return {
    id: "curves",
    title: "How it went",
    body: `<div class="charts">\n${charts.join("\n")}\n</div>\n${epochTable(history)}`,
  };
}

interface Records {
  readonly history: readonly EpochRecord[];
  readonly steps: NonNullable<RunReport["steps"]>;
}

const lineOf = (
  name: string,
  look: Line["look"],
  history: readonly EpochRecord[],
  y: (record: EpochRecord) => number | undefined,
): Line => ({
  name,
  look,
  points: history.map((record) => ({ x: record.epoch, y: y(record) ?? Number.NaN })),
});

const scored = (history: readonly EpochRecord[], of: keyof Score): Line[] =>
  splits.map((split) => lineOf(split, split, history, (record) => record[split]?.[of]));

function loss({ history, steps }: Records): string {
  const everyStep: Line = {
    name: "steps",
    look: "steps",
    points: steps.map((step) => ({ x: step.epoch, y: step.loss })),
  };
  return lineChart({
    title: "Loss",
    about: extremes(history, "loss", "lowest", decimal),
    lines: [everyStep, ...scored(history, "loss")],
    format: decimal,
    mayBeLogarithmic: true,
  });
}

function accuracy(history: readonly EpochRecord[]): string {
  return lineChart({
    title: "Accuracy",
    about: extremes(history, "accuracy", "highest", percent),
    lines: scored(history, "accuracy"),
    format: (share) => `${Number((100 * share).toFixed(2))} %`,
  });
}

function rate({ history, steps }: Records): string {
  const points = steps.length > history.length ? steps.map(({ epoch, lr }) => ({ x: epoch, y: lr })) : undefined;
  const line = lineOf("learning rate", "only", history, ({ lr }) => lr);
  const values = (points ?? line.points).map(({ y }) => y).filter(Number.isFinite);
  const [first, last] = [values[0] ?? Number.NaN, values.at(-1) ?? Number.NaN];
  return lineChart({
    title: "Learning rate",
    about:
      first === last
        ? `${decimal(first)} at the beginning and at the end.`
        : `From ${decimal(first)} to ${decimal(last)}.`,
    lines: [points === undefined ? line : { ...line, points }],
    format: decimal,
    mayBeLogarithmic: true,
  });
}

function speed(history: readonly EpochRecord[]): string {
  const known = history.map(({ imagesPerSecond }) => imagesPerSecond).filter((value) => value !== undefined);
  if (known.length === 0) return "";
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const waits = history.map(({ waiting }) => waiting).filter((value) => value !== undefined);
  const waited =
    waits.length === 0
      ? ""
      : ` Waiting for data took ${percent(waits.reduce((a, b) => a + b, 0) / waits.length, 1)} of the time.`;
  return lineChart({
    title: "Images a second",
    about: `${Math.round(mean).toLocaleString("en-US")} on average, evaluation not counted.${waited}`,
    lines: [lineOf("images a second", "only", history, ({ imagesPerSecond }) => imagesPerSecond)],
    format: (value) => Math.round(value).toLocaleString("en-US"),
  });
}

function gradientNorm(steps: Records["steps"]): string {
  const points = steps.map((step) => ({ x: step.epoch, y: step.gradientNorm ?? Number.NaN }));
  return lineChart({
    title: "Gradient norm",
    about: "Of all gradients together, before they are clipped.",
    lines: [{ name: "gradient norm", look: "only", points }],
    format: decimal,
    mayBeLogarithmic: true,
  });
}

/** "test: highest 91.2 % after epoch 27, 91.0 % at the end." for each split there is. */
function extremes(
  history: readonly EpochRecord[],
  of: keyof Score,
  kind: "lowest" | "highest",
  format: (value: number) => string,
): string {
  return splits
    .flatMap((split) => {
      const known = history.filter((record) => Number.isFinite(record[split]?.[of]));
      if (known.length === 0) return [];
      const value = (record: EpochRecord): number => record[split]?.[of] as number;
      const best = known.reduce((a, b) => ((kind === "lowest" ? value(b) < value(a) : value(b) > value(a)) ? b : a));
      const last = known.at(-1) as EpochRecord;
      const end = value(best) === value(last) ? "" : `, ${format(value(last))} at the end`;
      return [`${split}: ${kind} ${format(value(best))} after epoch ${best.epoch}${end}.`];
    })
    .map((sentence) => sentence[0]?.toUpperCase() + sentence.slice(1))
    .join(" ");
}

interface Column {
  readonly title: string;
  readonly value: (record: EpochRecord) => number | undefined;
  readonly format: (value: number) => string;
}

const columns: readonly Column[] = [
  { title: "learning rate", value: ({ lr }) => lr, format: decimal },
  ...splits.flatMap((split): Column[] => [
    { title: `${split} loss`, value: (record) => record[split]?.loss, format: decimal },
    { title: `${split} accuracy`, value: (record) => record[split]?.accuracy, format: percent },
  ]),
  {
    title: "images/s",
    value: ({ imagesPerSecond }) => imagesPerSecond,
    format: (value) => Math.round(value).toLocaleString("en-US"),
  },
  { title: "waiting", value: ({ waiting }) => waiting, format: (share) => percent(share, 1) },
];

function epochTable(history: readonly EpochRecord[]): string {
  if (history.length === 0) return "";
  const shown = columns.filter(({ value }) => history.some((record) => value(record) !== undefined));
  const every = Math.ceil(history.length / rowLimit);
  const kept = history.filter((_, i) => i % every === 0 || i === history.length - 1);
  const rows = kept.map((record) => {
    const cells = shown.map(({ value, format }) => {
      const number = value(record) ?? Number.NaN;
      return numberCell(Number.isFinite(number) ? format(number) : "–", number);
    });
    return row([escapeMarkup(`${record.epoch}`), ...cells]);
  });
  const heads = [textColumn("epoch"), ...shown.map(({ title }) => numberColumn(title))];
  const note = every === 1 ? "" : ` (one of every ${every})`;
  // Few epochs make no curves.
  const open = history.length < 3 ? " open" : "";
  return `<details${open}><summary>The epochs as a table${note}</summary>${table(heads, rows, { label: "Epochs" })}</details>`;
}
