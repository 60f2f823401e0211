import { escapeMarkup } from "../markup.js";
import { colours, drawChart, familyColour } from "../plot/chart.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  readonly look: keyof typeof looks;
  readonly points: readonly Point[];
}

export interface LineChart {
  readonly title: string;
  /** Below the chart, and for those who do not see it. */
  readonly about: string;
  readonly lines: readonly Line[];
  /** A value in words. */
  readonly format: (value: number) => string;
  /** Powers of ten, where values differ much. Default: false. */
  readonly mayBeLogarithmic?: boolean;
}

/** Lines differ in more than their colour. */
const looks = {
  train: { color: familyColour(0), type: "dashed", width: 1.8 },
  validation: { color: familyColour(4), type: "dotted", width: 2.2 },
  test: { color: familyColour(1), type: "solid", width: 1.8 },
  only: { color: familyColour(2), type: "solid", width: 1.8 },
  steps: { color: familyColour(7), type: "solid", width: 0.8 },
} as const;

const dashes = { dashed: ' stroke-dasharray="5 3"', dotted: ' stroke-dasharray="1.5 3"', solid: "" } as const;

const [width, height] = [440, 250];
/** Points that a line of this width can show, and marks that a page can bear. */
const [pointLimit, markLimit] = [240, 100];

/** A chart over the epochs as a figure with title, key and words; "" where no line has two points. */
export function lineChart({ title, about, lines, format, mayBeLogarithmic = false }: LineChart): string {
  const drawn = lines
    .map((line) => ({ ...line, points: line.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)) }))
    .filter(({ points }) => points.length > 0)
    .map((line) => ({ ...line, points: binned(corners(line.points), line.look === "steps" ? pointLimit : markLimit) }));
  if (!drawn.some(({ points }) => points.length > 1)) return "";
  const logarithmic = mayBeLogarithmic && spansDecades(drawn);
  const last = Math.max(...drawn.map(({ points }) => (points.at(-1) as Point).x));
  const ticks = ticksUpTo(last);
  const svg = drawChart({
    width,
    height,
    option: {
      grid: { left: 56, right: 12, top: 12, bottom: 40, outerBoundsMode: "none" },
      xAxis: {
        ...axis,
        name: "epoch",
        nameLocation: "middle",
        nameGap: 24,
        nameTextStyle: { color: colours.quiet, fontSize: 12 },
        min: 0,
        max: last,
        axisLabel: { ...axis.axisLabel, customValues: ticks },
        axisTick: { ...axis.axisTick, customValues: ticks },
        splitLine: { show: false },
      },
      yAxis: {
        ...axis,
        type: logarithmic ? "log" : "value",
        scale: true,
        splitNumber: 4,
        axisLabel: { ...axis.axisLabel, formatter: format, hideOverlap: true },
        axisTick: { show: false },
      },
      series: drawn.map(({ look, points }) => series(look, points)),
    },
    about: (index, at) => {
      const { name, points } = drawn[index] as Line;
      const { x, y } = points[at] as Point;
      return `epoch ${Number(x.toFixed(2))}\n${name} ${format(y)}`;
    },
  });
  const keys = drawn.map(({ name, look }) => `<li>${sample(look)}${escapeMarkup(name)}</li>`);
  const key = keys.length < 2 ? "" : `<ul class="key">${keys.join("")}</ul>`;
  const words = escapeMarkup(about);
  return `<figure><h3>${escapeMarkup(title)}</h3>
<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(title)}. ${words}">${svg}</svg>
${key}<figcaption>${words}${logarithmic ? " The axis counts powers of ten." : ""}</figcaption></figure>`;
}

const axis = {
  type: "value",
  axisLabel: { color: colours.quiet, fontSize: 12 },
  axisLine: { show: true, onZero: false, lineStyle: { color: colours.quiet } },
  axisTick: { show: true, lineStyle: { color: colours.quiet } },
  splitLine: { lineStyle: { color: colours.line } },
} as const;

function series(look: Line["look"], points: readonly Point[]): Readonly<Record<string, unknown>> {
  const { color, type, width: stroke } = looks[look];
  return {
    type: "line",
    data: points.map(({ x, y }) => [x, y]),
    lineStyle: { color, type, width: stroke },
    showSymbol: look !== "steps",
    symbol: "circle",
    symbolSize: points.length > 30 ? 7 : 5,
    // Many of them are seen only when they are pointed at.
    itemStyle: { color, opacity: points.length > 30 ? 0 : 1 },
  };
}

/** A piece of a line, for the key. */
function sample(look: Line["look"]): string {
  const { color, type, width: stroke } = looks[look];
  return `<svg class="chart sample" width="26" height="10" aria-hidden="true"><path d="M0 5H26" fill="none" stroke="${color}" stroke-width="${stroke}"${dashes[type]}/></svg>`;
}

/** Without the points inside a stretch of one value: of a learning rate, say. */
const corners = (points: readonly Point[]): Point[] =>
  points.filter(({ y }, i) => points[i - 1]?.y !== y || points[i + 1]?.y !== y);

/** Neighbours share a point, the mean of theirs, so that at most `limit` remain. */
export function binned(points: readonly Point[], limit: number): Point[] {
  const size = Math.ceil(points.length / limit);
  if (size <= 1) return [...points];
  const bins: Point[] = [];
  for (let i = 0; i < points.length; i += size) {
    const bin = points.slice(i, i + size);
    const mean = (of: "x" | "y"): number => bin.reduce((sum, point) => sum + point[of], 0) / bin.length;
    bins.push({ x: mean("x"), y: mean("y") });
  }
  return bins;
}

function spansDecades(lines: readonly Line[]): boolean {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const least = values.reduce((a, b) => Math.min(a, b));
  return least > 0 && values.reduce((a, b) => Math.max(a, b)) / least >= 20;
}

/** Round steps from 0, at most eight; whole ones but within the first epoch. */
function ticksUpTo(last: number): number[] {
  const power = 10 ** Math.floor(Math.log10(last / 8));
  const round = power * ([1, 2, 5].find((factor) => last / (factor * power) <= 8) ?? 10);
  const step = last > 1 ? Math.max(1, round) : round;
  return Array.from({ length: Math.floor(last / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}
