import { ArgumentError } from "@ocelli/core";
import type { Compared, Comparison } from "../compare.js";
import { datasetTitle } from "../compare-format.js";
import { formatBytes, formatCount } from "../format.js";
import { escapeMarkup } from "../markup.js";
import { bubbles, pointsOf } from "./bubbles.js";
import { chartStyle, colours, type Drawing, drawChart, font } from "./chart.js";
import { htmlPage, sortHead } from "./document.js";
import { layers } from "./layers.js";

/** With more models than this, a picture of their layers is a wall. */
const layerLimit = 12;

interface Chart {
  readonly drawing: Drawing;
  readonly title: string;
  readonly notes: readonly string[];
}

/**
 * Charts of a comparison as one SVG file, readable on light and on dark ground: accuracy over operations with parameters as bubbles, where
 * errors are published, and for up to 12 models parameters and memory layer by layer.
 * @throws ArgumentError when there is nothing to draw
 */
export function comparisonSvg(comparison: Comparison): string {
  const charts = chartsOf(comparison);
  if (charts.length === 0) {
    const which = datasetTitle(comparison.dataset);
    throw new ArgumentError(
      `comparisonSvg: none of these ${comparison.models.length} models has a published top-1 error on ${which}, and layers are drawn for 1 to ${layerLimit} models`,
    );
  }
  const parts: string[] = [];
  let height = 0;
  for (const { drawing, notes } of charts) {
    parts.push(`<svg y="${height}" width="${drawing.width}" height="${drawing.height}">${drawChart(drawing)}</svg>`);
    height += drawing.height + 6;
    for (const note of notes) {
      parts.push(
        `<text x="60" y="${height + 8}" font-size="12" font-family="${font}" fill="${colours.quiet}">${escapeMarkup(note)}</text>`,
      );
      height += 18;
    }
    height += 18;
  }
  const width = Math.max(...charts.map(({ drawing }) => drawing.width));
  const title = charts.map((chart) => chart.title).join("; ");
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="chart-title chart-about">
<title id="chart-title">${escapeMarkup(title)}</title>
<desc id="chart-about">${escapeMarkup(charts.flatMap(({ notes }) => notes).join(" "))}</desc>
<style>${chartStyle}</style>
<rect width="100%" height="100%" fill="${colours.ground}"/>
${parts.join("\n")}
</svg>
`;
}

/** The same charts with a table that sorts at a click, as one page that needs no network. */
export function comparisonHtml(comparison: Comparison): string {
  const figures = chartsOf(comparison).map(
    ({ drawing, title, notes }) =>
      `<figure><div class="scroll"><svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${drawing.width} ${drawing.height}" role="img" aria-label="${escapeMarkup(title)}">${drawChart(drawing)}</svg></div><figcaption>${notes.map(escapeMarkup).join("<br>")}</figcaption></figure>`,
  );
  const title = `${comparison.models.length} ${comparison.models.length === 1 ? "model" : "models"} compared`;
  return htmlPage({
    title,
    // In a chart as wide as this, words would be too small on a phone.
    style: `.chart{min-width:680px}${chartStyle}`,
    body: `<h1>${title}</h1>\n${figures.join("\n")}\n${tableOf(comparison)}`,
  });
}

function chartsOf(comparison: Comparison): Chart[] {
  const charts: Chart[] = [];
  const points = pointsOf(comparison);
  if (points.length > 0) {
    charts.push({
      drawing: bubbles(comparison),
      title: `Accuracy, operations and parameters of ${points.length} models on ${datasetTitle(comparison.dataset)}`,
      notes: bubbleNotes(comparison),
    });
  }
  const { models } = comparison;
  if (models.length > 0 && models.length <= layerLimit) {
    const notes = [
      "Memory: what each layer writes for one image, as float32; element-wise layers write over their input.",
    ];
    charts.push({ drawing: layers(comparison), title: "Parameters and memory by layer", notes });
  }
  return charts;
}

function bubbleNotes(comparison: Comparison): string[] {
  const points = pointsOf(comparison);
  const many = points.some(({ error }) => !error.singleView);
  const missing = comparison.models.filter((model) => !points.some(({ name }) => name === model.name));
  return [
    "Errors as published, each image seen once. Models of one paper have one colour. A name that would cover another shows when its bubble is pointed at.",
    ...(many
      ? [
          "Dashed: no such figure is published, only means of many views of each image, which are better by one or two points: not comparable with the filled ones.",
        ]
      : []),
    ...(missing.length > 0
      ? [
          `Without a published top-1 error on ${datasetTitle(comparison.dataset)}: ${missing
            .slice(0, 8)
            .map(({ name }) => name)
            .join(", ")}${missing.length > 8 ? ` and ${missing.length - 8} more` : ""}.`,
        ]
      : []),
  ];
}

/** What a cell shows, and what it is sorted by. */
type Cell = readonly [shown: string, value: string | number];

const columns: readonly { readonly title: string; readonly cell: (model: Compared) => Cell }[] = [
  { title: "model", cell: ({ name }) => [name, name] },
  { title: "input", cell: ({ input }) => [input.join("×"), input.reduce((a, b) => a * b, 1)] },
  { title: "parameters", cell: ({ parameters }) => [formatCount(parameters), parameters] },
  { title: "mult-adds", cell: ({ macs }) => [formatCount(macs), macs] },
  { title: "FLOPs", cell: ({ flops }) => [formatCount(flops), flops] },
  { title: "activations", cell: ({ activationBytes }) => [formatBytes(activationBytes), activationBytes] },
  { title: "memory", cell: ({ memoryBytes }) => [formatBytes(memoryBytes), memoryBytes] },
  { title: "top-1 error", cell: ({ error }) => percent(error?.top1) },
  { title: "top-5 error", cell: ({ error }) => percent(error?.top5) },
  { title: "measured", cell: ({ error }) => [error?.protocol ?? "", error?.protocol ?? ""] },
  { title: "source", cell: ({ error }) => [error?.source ?? "", error?.source ?? ""] },
];

const percent = (error: number | undefined): Cell => (error === undefined ? ["", 101] : [error.toFixed(2), error]);

function tableOf({ models }: Comparison): string {
  const head = columns.map(({ title }) => sortHead(title)).join("");
  const rows = models.map((model) => {
    const cells = columns.map(({ cell }, i) => {
      const [shown, value] = cell(model);
      const number = typeof value === "number" ? ' class="number"' : "";
      const about =
        i === 0 ? ` title="${escapeMarkup([model.summary, model.citation].filter(Boolean).join("\n"))}"` : "";
      return `<td data-value="${escapeMarkup(`${value}`)}"${number}${about}>${escapeMarkup(shown)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="sortable"><thead><tr>${head}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>
<p>Costs are those of one image. Activations: bytes of the input and of what each layer writes. Memory: the peak of inference, parameters included. Errors in percent, as published.</p>`;
}
