import type { ChosenError, Compared, Comparison } from "../compare.js";
import { datasetTitle } from "../compare-format.js";
import { formatCount } from "../format.js";
import { type Drawing, fileLook, type Look } from "./chart.js";
import { type Disc, placeLabels } from "./labels.js";

interface Point extends Compared {
  readonly error: ChosenError & { readonly top1: number };
}

/** The models that can stand in the chart: those with a top-1 error and operations. */
export function pointsOf({ models }: Comparison): Point[] {
  return models.filter((model): model is Point => model.error?.top1 !== undefined && model.macs > 0);
}

/** On narrow screens a chart is less flat. */
const heightOf = (width: number): number => Math.round(Math.max(420, width * (680 / 1040)));

export interface BubbleDrawing extends Drawing {
  /** Names of the models, in the order of the bubbles. */
  readonly names: readonly string[];
}

/** Accuracy over operations; a bubble's area is the number of parameters. After Canziani, Paszke and Culurciello 2016, figure 2. */
export function bubbles(comparison: Comparison, look: Look = fileLook): BubbleDrawing {
  const points = pointsOf(comparison);
  const { width, titled } = look;
  const height = heightOf(width);
  const grid = { left: 64, right: 28, top: titled ? 64 : 24, bottom: 58, outerBoundsMode: "none" };
  const axis = axisIn(look);
  const x = axisOf(
    points.map(({ macs }) => Math.log10(macs / 1e9)),
    0.12,
  );
  const y = roundAxis(points.map(({ error }) => 100 - error.top1));
  const largest = Math.max(...points.map(({ parameters }) => parameters));
  const across = (macs: number): number =>
    grid.left + ((Math.log10(macs / 1e9) - x.min) / (x.max - x.min)) * (width - grid.left - grid.right);
  const down = (top1: number): number =>
    grid.top + ((y.max - (100 - top1)) / (y.max - y.min)) * (height - grid.top - grid.bottom);
  const discs = points.map(
    ({ name, macs, parameters, error }): Disc => ({
      label: name,
      x: across(macs),
      y: down(error.top1),
      r: 3 + (37 / 1040) * Math.max(width, 560) * Math.sqrt(parameters / largest),
    }),
  );
  const labels = placeLabels(discs, {
    left: grid.left,
    right: width - 8,
    top: grid.top - 20,
    bottom: height - grid.bottom,
  });
  const papers = [...new Set(points.map(({ citation }) => citation))];
  const data = points.map((point, i) => {
    const colour = look.family(papers.indexOf(point.citation));
    const [disc, label] = [discs[i] as Disc, labels[i]];
    const filled = point.error.singleView;
    return {
      name: point.name,
      value: [Math.log10(point.macs / 1e9), 100 - point.error.top1],
      symbolSize: 2 * disc.r,
      itemStyle: filled
        ? { color: colour, opacity: 0.55, borderColor: look.ground, borderWidth: 1 }
        : { color: "transparent", borderColor: colour, borderWidth: 1.5, borderType: "dashed", opacity: 1 },
      label: { show: label !== null, position: label ?? "inside" },
    };
  });
  // Large ones below, so that all can be pointed at.
  const order = points.map((_, i) => i).sort((a, b) => (discs[b] as Disc).r - (discs[a] as Disc).r);
  return {
    width,
    height,
    option: {
      ...(titled && {
        title: {
          text: `Accuracy, operations and parameters: ${datasetTitle(comparison.dataset)}`,
          subtext: "A bubble's area is the number of parameters.",
          left: grid.left - 4,
          top: 10,
          itemGap: 4,
          textStyle: { color: look.ink, fontSize: 16 },
          subtextStyle: { color: look.quiet, fontSize: 12 },
        },
      }),
      grid,
      xAxis: {
        ...axis("multiply-adds for one image", 34),
        min: x.min,
        max: x.max,
        axisLabel: {
          color: look.quiet,
          formatter: (power: number) => formatCount(10 ** (power + 9)),
          customValues: ticks(x, width),
        },
        axisTick: { customValues: ticks(x, width) },
        splitLine: { show: false },
      },
      yAxis: { ...axis("top-1 accuracy in percent", 44), ...y },
      series: [
        {
          type: "scatter",
          data: order.map((i) => data[i]),
          label: {
            formatter: "{b}",
            color: look.ink,
            fontSize: 11,
            opacity: 1,
            textBorderColor: look.ground,
            textBorderWidth: 2,
            distance: 3,
          },
        },
      ],
    },
    names: order.map((i) => (points[i] as Point).name),
    about: (_, index) => describePoint(points[order[index] as number] as Point),
  };
}

/** A model in a few lines, for those who point at it. */
function describePoint({ name, input, parameters, macs, error }: Point): string {
  return [
    `${name} (${input.join("×")})`,
    `top-1 error ${error.top1} %${error.top5 === undefined ? "" : `, top-5 ${error.top5} %`}`,
    `${formatCount(macs)} multiply-adds, ${formatCount(parameters)} parameters`,
    error.protocol,
    error.source,
  ].join("\n");
}

const axisIn =
  ({ quiet, line }: Look) =>
  (name: string, nameGap: number): Readonly<Record<string, unknown>> => ({
    type: "value",
    name,
    nameLocation: "middle",
    nameGap,
    nameTextStyle: { color: quiet, fontSize: 12 },
    axisLabel: { color: quiet },
    axisLine: { show: true, onZero: false, lineStyle: { color: quiet } },
    axisTick: { show: true, lineStyle: { color: quiet } },
    splitLine: { lineStyle: { color: line } },
  });

interface Range {
  readonly min: number;
  readonly max: number;
}

function axisOf(values: readonly number[], margin: number): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(high - low, 0.5) * margin;
  return { min: low - room, max: high + room };
}

/** From and to whole steps, some four to eight of them. */
function roundAxis(values: readonly number[]): Range & { readonly interval: number } {
  const { min, max } = axisOf(values, 0.06);
  const interval = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((step) => (max - min) / step <= 7) ?? 20;
  return { min: Math.floor(min / interval) * interval, max: Math.ceil(max / interval) * interval, interval };
}

/** Whole numbers that read well within a range of powers of ten, as powers. */
function ticks({ min, max }: Range, width: number): number[] {
  const steps = width < 560 ? [1] : max - min > 2.5 ? [1, 3] : [1, 2, 5];
  const out: number[] = [];
  for (let power = Math.floor(min); power <= max; power++) out.push(...steps.map((step) => power + Math.log10(step)));
  return out.filter((value) => value > min && value < max);
}
