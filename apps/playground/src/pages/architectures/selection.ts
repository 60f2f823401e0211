import type { Shape } from "@ocelli/core";
import type { LayerRow } from "@ocelli/inspect";
import type { AnalysedBox, Analysis } from "../../workers/analysis/api.js";

/** A layer, a block or a function, as graph and table both know it. */
export interface Chosen {
  readonly path: string;
  /** Its place among the graph's boxes: functions have no path of their own. */
  readonly box?: number | undefined;
}

/** Along height and width: pixels that one output pixel sees, from one output pixel to the next, and the middle of what the first sees. */
export interface Field {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly start: readonly [number, number];
}

/** What there is to know of what is chosen. */
export interface LayerFacts {
  readonly path: string;
  readonly type: string;
  /** "3x3 /2" */
  readonly detail: string;
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape | null;
  readonly weights: number;
  readonly biases: number;
  readonly macs: number;
  /** Values that it adds to memory; null of functions, whose memory counts with their block. */
  readonly storedValues: number | null;
  readonly field: Field | null;
  /** How many equal blocks in a row it stands for, and the last of them. */
  readonly repeat: number;
  readonly lastPath: string;
}

const sums = [
  "parameters",
  "weights",
  "biases",
  "macs",
  "flops",
  "activationBytes",
  "storedValues",
  "storedBytes",
] as const;

const isWithin = (path: string, block: string): boolean =>
  block === "" || path === block || path.startsWith(`${block}.`);

/** Rows of one block as one: numbers add up, and what comes out of the last comes out of all. */
function together(path: string, type: string, rows: readonly LayerRow[]): LayerRow {
  const last = rows.at(-1) as LayerRow;
  const totals = Object.fromEntries(sums.map((key) => [key, rows.reduce((sum, row) => sum + row[key], 0)]));
  return { ...last, ...totals, path, type, used: rows.some(({ used }) => used) };
}

/** How deep blocks are nested at most. */
export const depthOf = (rows: readonly LayerRow[]): number =>
  Math.max(1, ...rows.map(({ path }) => path.split(".").length));

/** The least depth that shows more than a handful of rows. */
export function usualDepth(rows: readonly LayerRow[]): number {
  const deepest = depthOf(rows);
  for (let depth = 1; depth < deepest; depth++)
    if (new Set(rows.map(({ path }) => upTo(path, depth))).size >= 7) return depth;
  return deepest;
}

const upTo = (path: string, depth: number): string => path.split(".").slice(0, depth).join(".");

/** A row for each block of this depth, with all inside added up. */
export function rowsAt({ rows, boxes }: Pick<Analysis, "rows" | "boxes">, depth: number): LayerRow[] {
  if (depth >= depthOf(rows)) return [...rows];
  const groups = new Map<string, LayerRow[]>();
  for (const row of rows) {
    const path = upTo(row.path, depth);
    groups.set(path, [...(groups.get(path) ?? []), row]);
  }
  return Array.from(groups, ([path, inside]) =>
    inside.length === 1 && inside[0]?.path === path
      ? inside[0]
      : together(path, boxes[boxOf(boxes, path) ?? -1]?.type ?? "block", inside),
  );
}

/** The box of a path, or of the one that stands for it among equal blocks. */
export function boxOf(boxes: readonly AnalysedBox[], path: string): number | undefined {
  const own = boxes.findIndex((box) => box.path === path && box.kind !== "join" && box.kind !== "function");
  if (own >= 0) return own;
  for (const { path: first, lastPath, repeat } of boxes) {
    if (repeat === 1) continue;
    const mapped = asFirst(path, first, lastPath);
    if (mapped !== undefined && mapped !== path) return boxOf(boxes, mapped);
  }
  return undefined;
}

const numbered = /^(.*?)(\d+)$/;

/** `layer1.2.conv1` as `layer1.1.conv1`, where `layer1.1` is drawn for all up to `layer1.4`. */
function asFirst(path: string, first: string, last: string): string | undefined {
  const [, stem, from] = numbered.exec(first) ?? [];
  const [, , to] = numbered.exec(last) ?? [];
  if (stem === undefined || !path.startsWith(stem)) return undefined;
  const [, digits = "", rest = ""] = /^(\d+)((?:\..*)?)$/.exec(path.slice(stem.length)) ?? [];
  return digits !== "" && Number(digits) >= Number(from) && Number(digits) <= Number(to)
    ? `${first}${rest}`
    : undefined;
}

export function factsOf({ boxes, rows }: Pick<Analysis, "boxes" | "rows">, chosen: Chosen): LayerFacts | undefined {
  const box = boxes[chosen.box ?? boxOf(boxes, chosen.path) ?? -1];
  if (
    box !== undefined &&
    (box.kind === "join" || box.kind === "function" || box.kind === "input" || box.kind === "output")
  )
    return factsOfFunction(box);
  const inside = rows.filter(({ path }) => isWithin(path, chosen.path));
  if (inside.length === 0) return undefined;
  const row = together(chosen.path, box?.type ?? inside.at(-1)?.type ?? "", inside);
  const { path, type, outputShape, weights, biases, macs, storedValues } = row;
  return {
    path,
    type,
    detail: box?.detail ?? "",
    inputShapes: box?.inputShapes ?? [],
    ...{ outputShape, weights, biases, macs, storedValues },
    field: fieldOfRow(row),
    repeat: box?.path === path ? box.repeat : 1,
    lastPath: box?.lastPath ?? path,
  };
}

function factsOfFunction({ path, type, detail, inputShapes, outputShape, macs, field }: AnalysedBox): LayerFacts {
  const both = (of: (axis: NonNullable<typeof field>["vertical"]) => number): readonly [number, number] =>
    field === null ? [0, 0] : [of(field.vertical), of(field.horizontal)];
  return {
    ...{ path, type, detail, inputShapes, outputShape, macs },
    weights: 0,
    biases: 0,
    storedValues: null,
    field:
      field === null
        ? null
        : { size: both(({ size }) => size), stride: both(({ jump }) => jump), start: both(({ start }) => start) },
    repeat: 1,
    lastPath: path,
  };
}

const fieldOfRow = ({ receptiveField, stride, centre }: LayerRow): Field | null =>
  receptiveField === null || stride === null || centre === null
    ? null
    : { size: receptiveField, stride, start: centre };
