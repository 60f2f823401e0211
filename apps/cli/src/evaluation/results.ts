import { type ClassScores, type Evaluation, perClass } from "@ocelli/training";
import { type Io, print } from "../io.js";
import { colors, formatInteger, formatPercent, table } from "../terminal.js";

/** What `--confusion` adds to a JSON object. */
export interface ConfusionRecord {
  readonly classes: readonly string[];
  /** Row by row: how often each class was taken for each. */
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly ({ readonly class: string } & ClassScores)[];
}

type Confused = Pick<Evaluation, "confusion" | "classes">;

export function confusionRecord({ confusion, classes }: Confused, names: readonly string[]): ConfusionRecord {
  return {
    classes: names,
    confusion: Array.from({ length: classes }, (_, c) => [...confusion.subarray(c * classes, (c + 1) * classes)]),
    perClass: perClass(confusion, classes).map((scores, i) => ({ class: names[i] ?? `${i}`, ...scores })),
  };
}

/** A matrix of more classes is no table that anyone reads. */
const mostInTable = 20;
const mostPairs = 12;

/** The matrix, or the pairs most often confused where there are many classes; precision and recall of each class. */
export function printConfusion(io: Io, confused: Confused, names: readonly string[]): void {
  const { dim } = colors(io);
  const record = confusionRecord(confused, names);
  print(io);
  if (confused.classes <= mostInTable) {
    print(io, dim("true class by row, what it was taken for by column"));
    for (const line of matrixLines(record)) print(io, line);
  } else {
    print(io, dim("most often confused"));
    for (const line of pairLines(record)) print(io, line);
  }
  print(io);
  const share = (value: number): string => (Number.isNaN(value) ? "-" : formatPercent(value));
  const rows = record.perClass.map(({ class: name, precision, recall, f1, support }) => [
    name,
    share(precision),
    share(recall),
    share(f1),
    formatInteger(support),
  ]);
  const [head, ...lines] = table([["class", "precision", "recall", "F1", "images"], ...rows], [1, 2, 3, 4]);
  print(io, dim(head as string));
  for (const line of lines) print(io, line);
}

function matrixLines({ confusion, classes }: ConfusionRecord): string[] {
  const short = (name: string): string => (name.length > 10 ? `${name.slice(0, 9)}~` : name);
  const rows = confusion.map((counts, i) => [classes[i] ?? `${i}`, ...counts.map(String)]);
  const right = Array.from({ length: classes.length }, (_, i) => i + 1);
  return table([["", ...classes.map(short)], ...rows], right);
}

function pairLines({ confusion, classes }: ConfusionRecord): string[] {
  const pairs = confusion.flatMap((counts, from) =>
    counts.flatMap((count, to) => (from !== to && count > 0 ? [{ from, to, count }] : [])),
  );
  pairs.sort((a, b) => b.count - a.count || a.from - b.from || a.to - b.to);
  const rows = pairs
    .slice(0, mostPairs)
    .map(({ from, to, count }) => [classes[from] ?? `${from}`, "taken for", classes[to] ?? `${to}`, `${count}`]);
  return rows.length === 0 ? ["none"] : table(rows, [3]);
}
