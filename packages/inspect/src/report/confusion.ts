import { ArgumentError } from "@ocelli/core";
import { escapeMarkup } from "../markup.js";
import type { EvaluationRecord } from "./run-report.js";
import { numberCell, numberColumn, row, table, textColumn } from "./table.js";
import { percent, type Section } from "./words.js";

/** A matrix of more classes than this is no picture any more. */
const matrixLimit = 30;
/** Pairs shown of those that are confused. */
const pairLimit = 25;
/** Classes shown at once; the others are behind a click. */
const classLimit = 20;

export interface ConfusedPair {
  readonly label: number;
  readonly predicted: number;
  readonly count: number;
  /** Of the images of the true class, 0 to 1. */
  readonly share: number;
}

/** What was taken for what, most often first. */
export function confusedPairs(confusion: ArrayLike<number>, classes: number, limit: number): ConfusedPair[] {
  const pairs: ConfusedPair[] = [];
  for (let label = 0; label < classes; label++) {
    const counts = Array.from({ length: classes }, (_, i) => confusion[label * classes + i] as number);
    const total = counts.reduce((a, b) => a + b, 0);
    for (const [predicted, count] of counts.entries())
      if (predicted !== label && count > 0) pairs.push({ label, predicted, count, share: count / total });
  }
  return pairs.sort((a, b) => b.count - a.count || b.share - a.share).slice(0, limit);
}

/** Which classes are taken for which, and how well each is found. */
export function confusion(evaluation: EvaluationRecord): Section {
  const { classes, confusion: counts, perClass, name, count } = evaluation;
  if (counts.length !== classes.length ** 2 || perClass.length !== classes.length)
    throw new ArgumentError(
      `reportHtml: the confusion matrix has ${counts.length} counts and there are ${perClass.length} records of classes; ${classes.length} classes need ${classes.length ** 2} and ${classes.length}`,
    );
  const where = `${escapeMarkup(name)}, ${count.toLocaleString("en-US")} images`;
  const parts = [
    ...(classes.length <= matrixLimit ? [matrixTable(evaluation)] : []),
    classTable(evaluation),
    pairTable(evaluation),
  ];
  return {
    id: "confusion",
    title: "Right and wrong",
    body: `<p>${where}.</p>\n<div class="side">${parts.join("\n")}</div>`,
  };
}

const nameOf = (classes: readonly string[], label: number): string => escapeMarkup(classes[label] ?? `${label}`);

/** Ten shades are as many as an eye tells apart. */
const shade = (share: number): number => Math.ceil(10 * share - 1e-9);

function matrixTable({ classes, confusion: counts }: EvaluationRecord): string {
  const heads = classes.map((_, i) => `<th scope="col"><span>${nameOf(classes, i)}</span></th>`).join("");
  const rows = classes.map((_, label) => {
    const values = classes.map((_, predicted) => counts[label * classes.length + predicted] as number);
    const total = Math.max(
      1,
      values.reduce((a, b) => a + b, 0),
    );
    const cells = values.map((value, predicted) => {
      const kind = predicted === label ? "right" : "wrong";
      // Mistakes are rarer than hits: the square root tells small shares apart.
      const level = shade(predicted === label ? value / total : Math.sqrt(value / total));
      return `<td class="${kind} s${level}">${value === 0 ? "" : value}</td>`;
    });
    return row([nameOf(classes, label), ...cells]);
  });
  // Short names need not be turned.
  const short = classes.every((name) => name.length <= 3) ? " short" : "";
  return `<figure><h3>Confusion matrix</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="matrix${short}"><thead><tr><td><span class="quiet">true ↓ predicted →</span></td>${heads}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>
<figcaption>A row holds the images of one class, a column those taken for one. Empty cells are 0. Colours are shares of the row: blue where it is right, red where it is wrong.</figcaption></figure>`;
}

function pairTable({ classes, confusion: counts }: EvaluationRecord): string {
  const pairs = confusedPairs(counts, classes.length, classes.length <= matrixLimit ? 10 : pairLimit);
  if (pairs.length === 0) return `<div><h3>Most confused</h3><p>No image was taken for another class.</p></div>`;
  const rows = pairs.map(({ label, predicted, count, share }) =>
    row([
      nameOf(classes, label),
      `<td>${nameOf(classes, predicted)}</td>`,
      numberCell(`${count}`, count),
      numberCell(percent(share, 1), share),
    ]),
  );
  const heads = [...["true", "taken for"].map(textColumn), ...["images", "of its class"].map(numberColumn)];
  return `<div><h3>Most confused</h3>${table(heads, rows, { label: "Most confused classes" })}</div>`;
}

function classTable({ classes, perClass }: EvaluationRecord): string {
  const heads = [textColumn("class"), ...["images", "precision", "recall", "F1"].map(numberColumn)];
  const worst = perClass
    .map((record, label) => ({ record, label }))
    .sort(
      (a, b) =>
        (Number.isNaN(a.record.recall) ? 2 : a.record.recall) - (Number.isNaN(b.record.recall) ? 2 : b.record.recall),
    );
  const rows = worst.map(({ record: { precision, recall, f1, support }, label }) =>
    row([
      nameOf(classes, label),
      numberCell(`${support}`, support),
      numberCell(bar(precision), precision),
      numberCell(bar(recall), recall),
      numberCell(Number.isFinite(f1) ? f1.toFixed(3) : "–", f1),
    ]),
  );
  const all = table(heads, rows, { label: "Classes", sortable: true });
  if (rows.length <= matrixLimit) return `<div><h3>Classes, the least found first</h3>${all}</div>`;
  return `<div><h3>The ${classLimit} least found classes</h3>${table(heads, rows.slice(0, classLimit), { label: "Least found classes", sortable: true })}
<details><summary>All ${classes.length} classes</summary>${all}</details></div>`;
}

/** A share with a line as long. */
const bar = (share: number): string =>
  Number.isFinite(share)
    ? `<span class="bar"><i style="width:${(100 * share).toFixed(1)}%"></i></span> <span class="share">${percent(share, 1)}</span>`
    : "–";
