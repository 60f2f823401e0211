import type { Arrangement } from "@ocelli/inspect/graph";

type Point = readonly [x: number, y: number];

/** Lines and heads of many arrows as two paths: a dense block has thousands of arrows. */
export function arrowPaths(arrows: Arrangement["arrows"]): { readonly lines: string; readonly heads: string } {
  const lines: string[] = [];
  const heads: string[] = [];
  for (const { points, head } of arrows) {
    const [first, ...rest] = points as readonly [Point, ...Point[]];
    lines.push(`M${first.map(tenth).join(" ")}`);
    let before = first;
    for (const point of rest) {
      lines.push(segment(before, point));
      before = point;
    }
    // Every arrow comes in from above.
    if (head)
      heads.push(`M${tenth(before[0] - 3.5)} ${tenth(before[1] - 6)}h7L${tenth(before[0])} ${tenth(before[1])}Z`);
  }
  return { lines: lines.join(""), heads: heads.join("") };
}

/** Straight down, or a curve that begins and ends so. */
function segment([px, py]: Point, [x, y]: Point): string {
  if (Math.abs(px - x) < 0.5) return `L${tenth(x)} ${tenth(y)}`;
  const half = tenth((py + y) / 2);
  return `C${tenth(px)} ${half} ${tenth(x)} ${half} ${tenth(x)} ${tenth(y)}`;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
