import { escapeMarkup } from "../markup.js";
import { htmlPage } from "../plot/document.js";
import { confusion } from "./confusion.js";
import { curves } from "./curves.js";
import { filters } from "./filters.js";
import { mistakes } from "./mistakes.js";
import { recipe } from "./recipe.js";
import type { Fact, ReportOptions, RunReport } from "./run-report.js";
import { statisticsTables } from "./statistics.js";
import { reportStyle } from "./style.js";
import { weightTable } from "./weights.js";
import { decimal, percent, type Section } from "./words.js";

/**
 * A training run as one page that needs no network: what was trained and how, its curves, what it confuses, its worst mistakes, its
 * filters and weights. What a run has no data for is left out. The page's size stays within a few megabytes however long the run was.
 * @throws ArgumentError for parts that do not fit together: a confusion matrix of other classes, pixels of another shape
 */
export async function reportHtml(run: RunReport, options: ReportOptions): Promise<string> {
  const { evaluation, statistics = [], weights = [] } = run;
  const sections = [
    curves(run),
    ...(evaluation === undefined ? [] : [confusion(evaluation), await mistakes(evaluation, options)]),
    run.filters === undefined ? undefined : await filters(run.filters, options),
    weightTable(weights),
    statisticsTables(statistics),
    recipe(run),
  ].filter((section) => section !== undefined);
  return htmlPage({
    title: run.title,
    style: reportStyle,
    body: `<header>\n<h1>${escapeMarkup(run.title)}</h1>\n${statusOf(run)}\n${figuresOf(run)}\n${contents(sections)}\n</header>\n<main>\n${sections.map(sectionMarkup).join("\n")}\n</main>`,
  });
}

function statusOf({ status, history }: RunReport): string {
  const words = status ?? `${history.length} ${history.length === 1 ? "epoch" : "epochs"}`;
  return `<p>${escapeMarkup(words)}</p>`;
}

/** The numbers that are looked for first. */
function figuresOf({ evaluation, figures = [], history }: RunReport): string {
  const all: Fact[] = [...(evaluation === undefined ? lastScores(history) : evaluated(evaluation)), ...figures];
  if (all.length === 0) return "";
  const list = all.map(([name, value]) => `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd></div>`);
  return `<dl class="figures">${list.join("")}</dl>`;
}

function evaluated({ top1, top5, loss }: NonNullable<RunReport["evaluation"]>): Fact[] {
  return [
    ["test accuracy", percent(top1)],
    ...(top5 === undefined ? [] : [["among the top 5", percent(top5)] as const]),
    ["test loss", decimal(loss)],
  ];
}

function lastScores(history: RunReport["history"]): Fact[] {
  const last = history.at(-1);
  const score = last?.test ?? last?.validation;
  const of = last?.test === undefined ? "validation" : "test";
  return score === undefined
    ? []
    : [
        [`${of} accuracy`, percent(score.accuracy)],
        [`${of} loss`, decimal(score.loss)],
      ];
}

const sectionMarkup = ({ id, title, body }: Section): string =>
  `<section id="${id}"><h2>${title}</h2>\n${body}</section>`;

/** Links to the sections. */
function contents(sections: readonly Section[]): string {
  if (sections.length < 2) return "";
  const links = sections.map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`);
  return `<nav aria-label="Sections"><ul>${links.join("")}</ul></nav>`;
}
