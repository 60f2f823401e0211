import "uplot/dist/uPlot.min.css";
import "./line-chart.css";
import type { FunctionComponent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { isDark } from "../theme.js";

export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Broken instead of whole. */
  readonly dashed?: boolean | undefined;
}

interface LineChartProps {
  /** What the chart shows, in words: it stands in for the picture. */
  readonly label: string;
  readonly series: readonly Series[];
  readonly xLabel?: string | undefined;
  readonly yLabel?: string | undefined;
  readonly height?: number | undefined;
  readonly logarithmic?: boolean | undefined;
  /** Bounds of the vertical axis; left out: those of the data. */
  readonly range?: readonly [number, number] | undefined;
  /** Bounds of the horizontal axis; left out: those of the data. */
  readonly xRange?: readonly [number, number] | undefined;
}

/** Curves that may grow while one looks. Colours are those of `--series-1` ... in order. */
export const LineChart: FunctionComponent<LineChartProps> = ({
  label,
  series,
  xLabel,
  yLabel,
  height = 220,
  logarithmic,
  range,
  xRange,
}) => {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>();
  const names = series.map(({ name, dashed }) => `${name}${dashed ? "-" : ""}`).join("|");
  const dark = isDark();
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const plot = new uPlot(
      optionsOf(element, { series, xLabel, yLabel, height, logarithmic, range, xRange }),
      [[]],
      element,
    );
    chart.current = plot;
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [names, xLabel, yLabel, height, logarithmic, dark, range?.[0], range?.[1], xRange?.[0], xRange?.[1]]);
  useEffect(() => {
    chart.current?.setData(aligned(series));
  });
  const last = series.map(({ name, y }) => `${name} ${format(y.at(-1))}`).join(", ");
  const empty = series.every(({ y }) => y.length === 0);
  return (
    <div class={`line-chart ${empty ? "empty" : ""}`} ref={place} role="img" aria-label={`${label}. Now: ${last}`} />
  );
};

const format = (value: number | null | undefined): string =>
  value === null || value === undefined ? "nothing yet" : value.toPrecision(3);

/** One list of x for all series, as uPlot wants it. */
function aligned(series: readonly Series[]): uPlot.AlignedData {
  const tables = series.map(({ x, y }) => [[...x], [...y]] as uPlot.AlignedData);
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

/** Of a logarithmic axis: powers of ten, about six of them, with 2 and 5 times as much where there are few; none is written as 0. */
const decades: uPlot.Axis = {
  splits: (_, __, low, high) => {
    const [from, to] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
    const stride = Math.max(1, Math.ceil((to - from) / 6));
    const multiples = to - from < 2 ? [1, 2, 5] : [1];
    return Array.from({ length: Math.floor((to - from) / stride) + 1 }, (___, i) => 10 ** (from + i * stride))
      .flatMap((power) => multiples.map((multiple) => multiple * power))
      .filter((split) => split >= low && split <= high);
  },
  values: (_, splits) =>
    splits.map((split) => (split >= 1e-3 && split <= 1e4 ? `${Number(split.toPrecision(1))}` : split.toExponential(0))),
  filter: (_, splits) => splits,
};

const powers = Array.from({ length: 8 }, (_, i) => 10 ** i);
const wholeSteps = powers.flatMap((power) => [power, 2 * power, 5 * power]);
const parts = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/** Between layers, steps and epochs that are counted there is nothing. */
const counted: uPlot.Axis = {
  incrs: ({ data: [x] }) => (x.length > 1 && [...x].every(Number.isInteger) ? wholeSteps : [...parts, ...wholeSteps]),
};

const countOf = (values: uPlot.AlignedData[number] | undefined): number =>
  [...(values ?? [])].filter((value) => value !== null && value !== undefined).length;

function optionsOf(
  element: HTMLElement,
  { series, xLabel, yLabel, height = 220, logarithmic, range, xRange }: Omit<LineChartProps, "label">,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = (text: string | undefined, size: number): uPlot.Axis => ({
    stroke: colour("--quiet"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: `12px ${colour("--font")}`,
    labelFont: `12px ${colour("--font")}`,
    ...(text !== undefined && { label: text, labelSize: 18 }),
    size,
  });
  return {
    width: element.clientWidth,
    height,
    cursor: { drag: { x: false, y: false } },
    scales: {
      x: { time: false, ...(xRange && { range: [...xRange] as [number, number] }) },
      y: { ...(logarithmic && { distr: 3 as const }), ...(range && { range: [...range] as [number, number] }) },
    },
    axes: [
      { ...axis(xLabel, 34), ...counted },
      { ...axis(yLabel, 52), ...(logarithmic && decades) },
    ],
    series: [
      {
        label: xLabel ?? "x",
        value: (_: uPlot, x: number | null) => (x === null ? "" : `${Number(x.toPrecision(4))}`),
      },
      ...series.map(({ name, dashed }, i) => ({
        label: name,
        // Under the pointer; elsewhere the name alone.
        value: (_: uPlot, y: number | null) => (y === null ? "" : y.toPrecision(4)),
        stroke: colour(`--series-${(i % 6) + 1}`),
        width: 1.75,
        spanGaps: true,
        // A line of one value is none; of few, one sees where they lie.
        points: {
          show: (plot: uPlot, of: number) => countOf(plot.data[of]) <= 12,
          size: 6,
          fill: colour(`--series-${(i % 6) + 1}`),
        },
        ...(dashed && { dash: [5, 4] }),
      })),
    ],
  };
}
