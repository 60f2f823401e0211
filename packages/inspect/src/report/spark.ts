import type { Point } from "./line-chart.js";

const [sparkWidth, sparkHeight] = [120, 24];
/** Bars of a histogram. */
const barCount = 32;

/** The numbers beside it say what it shows: nothing to read out. */
export function sparkline(points: readonly Point[]): string {
  const ys = points.map(({ y }) => y);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const [first, last] = [points[0] as Point, points.at(-1) as Point];
  const place = ({ x, y }: Point): string => {
    const across = ((x - first.x) / (last.x - first.x || 1)) * sparkWidth;
    const down = high > low ? (1 - (y - low) / (high - low)) * (sparkHeight - 4) + 2 : sparkHeight / 2;
    return `${across.toFixed(1)},${down.toFixed(1)}`;
  };
  return `<svg class="spark" viewBox="0 0 ${sparkWidth} ${sparkHeight}" width="${sparkWidth}" height="${sparkHeight}" aria-hidden="true"><polyline points="${points.map(place).join(" ")}"/></svg>`;
}

/** How often values occur from the least to the largest. */
export function histogram(data: ArrayLike<number>, min: number, max: number): string {
  const counts = new Array<number>(barCount).fill(0);
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor((((data[i] as number) - min) / (max - min || 1)) * barCount);
    const bin = Math.min(at, barCount - 1);
    if (bin >= 0) counts[bin] = (counts[bin] as number) + 1;
  }
  const most = Math.max(...counts, 1);
  const step = sparkWidth / barCount;
  const bars = counts.map((count, i) => {
    const height = (count / most) * sparkHeight;
    return height === 0
      ? ""
      : `M${(i * step).toFixed(2)} ${sparkHeight}v${(-height).toFixed(1)}h${(step - 0.6).toFixed(2)}V${sparkHeight}z`;
  });
  return `<svg class="spark" viewBox="0 0 ${sparkWidth} ${sparkHeight}" width="${sparkWidth}" height="${sparkHeight}" aria-hidden="true"><path d="${bars.join("")}"/></svg>`;
}
