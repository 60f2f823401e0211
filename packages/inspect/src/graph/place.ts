import type { Plan } from "./scene.js";

/** A node's size, and where in it the parent's column runs. */
export interface Extent {
  readonly left: number;
  readonly w: number;
  readonly h: number;
}

/** A plan with the sizes that its boxes have now. Coordinates count from its own corner. */
export interface Placed extends Extent {
  /** `x` is that of the column, `y` that of the middle. */
  readonly nodes: readonly (Extent & { readonly x: number; readonly y: number })[];
  readonly bends: readonly (readonly (readonly [x: number, y: number])[])[];
}

/**
 * Places a plan's nodes once some of them have grown: ranks and columns stay as they were laid out, and are pushed apart as far as
 * needed. Pages carry the text of this function: it uses nothing from outside itself.
 */
export function place({ nodes, edges, width, box }: Plan, sizes: readonly Extent[]): Placed {
  const [heading, padding, gap] = [26, 16, 22];
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.5;
  const distinct = (values: number[]): number[] =>
    values.sort((a, b) => a - b).filter((v, i, all) => i === 0 || !near(v, all[i - 1] as number));
  const indexOf = (values: number[], value: number): number => values.findIndex((v) => near(v, value));
  const points = [
    ...nodes.map(({ x, y, w, h }, i) => ({ x, y, w, h, now: sizes[i] as Extent })),
    ...edges.flatMap(({ bends }) => bends.map(([x, y]) => ({ x, y, w: 0, h: 0, now: { left: 0, w: 0, h: 0 } }))),
  ];
  const levels = distinct(points.map(({ y }) => y));
  const columns = distinct(points.map(({ x }) => x));
  const rows = levels.map((level) => points.filter(({ y }) => near(y, level)).sort((a, b) => a.x - b.x));

  const half = rows.map((row) => Math.max(...row.map(({ now }) => now.h)) / 2);
  const ys: number[] = [];
  for (const [k, row] of rows.entries()) {
    const above = rows[k - 1];
    const tall = (of: typeof row): number => Math.max(...of.map(({ h }) => h)) / 2;
    const between =
      above === undefined ? 0 : (levels[k] as number) - (levels[k - 1] as number) - tall(above) - tall(row);
    ys.push((ys[k - 1] ?? 0) + (half[k - 1] ?? 0) + between + (half[k] as number));
  }

  // Who stands beside whom: pairs that must keep their distance.
  const apart: { left: number; right: number; by: number }[] = [];
  for (const row of rows) {
    for (const [i, right] of row.entries()) {
      const left = row[i - 1];
      if (left === undefined || near(left.x, right.x)) continue;
      const room = Math.min(gap, Math.max(4, right.x - left.x - (left.w + right.w) / 2));
      const by = left.now.w - left.now.left + right.now.left + room;
      apart.push({ left: indexOf(columns, left.x), right: indexOf(columns, right.x), by });
    }
  }
  const xs: number[] = [];
  for (const [k, x] of columns.entries()) {
    const least = k === 0 ? 0 : (xs[k - 1] as number) + x - (columns[k - 1] as number);
    xs.push(
      apart.reduce((at, { left, right, by }) => (right === k ? Math.max(at, (xs[left] as number) + by) : at), least),
    );
  }

  const xOf = (x: number): number => xs[indexOf(columns, x)] as number;
  const low = Math.min(...points.map(({ x, now }) => xOf(x) - now.left));
  const inside = Math.max(...points.map(({ x, now }) => xOf(x) + now.w - now.left)) - low;
  const w = Math.max(box === null ? 0 : width, inside + 2 * padding);
  const [enters, leaves] = [nodes.find(({ port }) => port === "in"), nodes.some(({ port }) => port === "out")];
  const [dx, dy] = [(w - inside) / 2 - low, enters ? heading : box === null ? padding : heading + 6];
  const bottom = (ys.at(-1) as number) + (half.at(-1) as number) + dy;
  return {
    left: enters === undefined ? w / 2 : xOf(enters.x) + dx,
    w,
    h: bottom + (leaves ? -8 : padding),
    nodes: nodes.map(({ x, y }, i) => ({
      ...(sizes[i] as Extent),
      x: xOf(x) + dx,
      y: (ys[indexOf(levels, y)] as number) + dy,
    })),
    // Beside a tall neighbour an arrow runs straight down.
    bends: edges.map(({ bends }) =>
      bends.flatMap(([x, y]) => {
        const [level, px] = [indexOf(levels, y), xOf(x) + dx];
        const [py, reach] = [(ys[level] as number) + dy, half[level] as number];
        return reach === 0 ? [[px, py] as const] : [[px, py - reach] as const, [px, py + reach] as const];
      }),
    ),
  };
}
