import { Graph, layout } from "@dagrejs/dagre";
import { formatCount } from "../format.js";
import type { GraphBox, GraphEdge, ModelGraph } from "./model-graph.js";
import type { Plan, PlanEdge, PlanNode, Scene, SceneBox } from "./scene.js";

/** An arrow, or a part of one that crosses the frames of blocks, within one block. */
interface Piece {
  readonly from: string;
  readonly to: string;
  readonly fromPort: string | null;
  readonly toPort: string | null;
  readonly label: string;
}

/** The block that a box stands in; "" at the top. */
type Inside = string;

/** Lays out each block for itself (dagre: ranks from top to bottom, few crossings), all blocks closed. */
export function sceneOf(graph: ModelGraph): Scene {
  const boxes = graph.boxes;
  const index = new Map(boxes.map(({ id }, i) => [id, i]));
  const groups = boxes.filter(({ kind }) => kind === "group");
  const planIndex = new Map<Inside, number>(["", ...groups.map(({ id }) => id)].map((id, i) => [id, i]));
  const sceneBoxes = boxes.map((box): SceneBox => {
    const around = boxes[index.get(box.parent ?? "") ?? -1];
    return sceneBox(box, around?.path ?? "", planIndex.get(box.id) ?? null);
  });
  const pieces = piecesOf(graph);
  const ports = portsOf(pieces);
  const members = new Map<Inside, string[]>([...planIndex.keys()].map((id) => [id, []]));
  for (const { id, parent } of boxes) members.get(parent ?? "")?.push(id);
  const nodesIn = (inside: Inside): readonly string[] => [...(members.get(inside) ?? []), ...(ports.get(inside) ?? [])];
  const plans = [...planIndex.keys()].map((inside): Plan => {
    const names = nodesIn(inside);
    const box = inside === "" ? null : (index.get(inside) as number);
    const width = box === null ? 0 : headingWidth(sceneBoxes[box] as SceneBox);
    const position = new Map(names.map((name, i) => [name, i]));
    const { nodes, bends } = place(names, pieces.get(inside) ?? [], (name) => {
      const own = index.get(name);
      return own === undefined ? null : { box: own, ...sizeOfBox(sceneBoxes[own] as SceneBox) };
    });
    const port = (block: string, name: string | null): number | null =>
      name === null ? null : nodesIn(block).indexOf(name);
    const edges = (pieces.get(inside) ?? []).map(
      ({ from, to, fromPort, toPort, label }, i): PlanEdge => ({
        from: position.get(from) as number,
        to: position.get(to) as number,
        fromPort: port(from, fromPort),
        toPort: port(to, toPort),
        bends: bends[i] as PlanEdge["bends"],
        label,
      }),
    );
    return { box, width, nodes, edges };
  });
  return { boxes: sceneBoxes, plans };
}

/** Cuts arrows where they cross the frames of blocks. What comes from one box with one shape enters a block once. */
function piecesOf({ boxes, edges }: ModelGraph): Map<Inside, Piece[]> {
  const parents = new Map(boxes.map(({ id, parent }) => [id, parent ?? ""]));
  const around = (id: string): Inside[] => {
    const blocks: Inside[] = [];
    for (let inside = parents.get(id); inside !== undefined; inside = parents.get(inside)) blocks.push(inside);
    return blocks;
  };
  const pieces = new Map<Inside, Map<string, Piece>>();
  const labelled = new Set<string>();
  const add = (inside: Inside, piece: Omit<Piece, "label">, label: string): void => {
    const own = pieces.get(inside) ?? new Map<string, Piece>();
    pieces.set(inside, own);
    const key = [piece.from, piece.to, piece.fromPort, piece.toPort].join(" ");
    if (own.has(key)) return;
    const spoken = `${inside} ${piece.from} ${piece.fromPort} ${label}`;
    own.set(key, { ...piece, label: labelled.has(spoken) || piece.from.startsWith("in ") ? "" : label });
    labelled.add(spoken);
  };
  for (const edge of edges) cut(edge, around(edge.from), around(edge.to), add);
  return new Map([...pieces].map(([inside, own]) => [inside, [...own.values()]]));
}

function cut(
  { from, to, shape }: GraphEdge,
  leaving: readonly Inside[],
  entering: readonly Inside[],
  add: (inside: Inside, piece: Omit<Piece, "label">, label: string) => void,
): void {
  const label = shape.length === 0 ? "1" : shape.join("×");
  const common = leaving.find((inside) => entering.includes(inside)) as Inside;
  const exits = leaving.slice(0, leaving.indexOf(common));
  const entries = entering.slice(0, entering.indexOf(common));
  const [out, into] = [`out ${from} ${label}`, `in ${from} ${label}`];
  let [start, startPort]: [string, string | null] = [from, null];
  for (const block of exits) {
    add(block, { from: start, to: out, fromPort: startPort, toPort: null }, label);
    [start, startPort] = [block, out];
  }
  let [end, endPort]: [string, string | null] = [to, null];
  for (const block of entries) {
    add(block, { from: into, to: end, fromPort: null, toPort: endPort }, label);
    [end, endPort] = [block, into];
  }
  add(common, { from: start, to: end, fromPort: startPort, toPort: endPort }, label);
}

function portsOf(pieces: ReadonlyMap<Inside, readonly Piece[]>): Map<Inside, string[]> {
  return new Map(
    [...pieces].map(([inside, own]) => [
      inside,
      [...new Set(own.flatMap(({ from, to }) => [from, to]).filter((name) => /^(in|out) /.test(name)))],
    ]),
  );
}

/** Runs dagre on one block. */
function place(
  names: readonly string[],
  pieces: readonly Piece[],
  sizeOf: (name: string) => { readonly box: number; readonly w: number; readonly h: number } | null,
): { readonly nodes: readonly PlanNode[]; readonly bends: readonly PlanEdge["bends"][] } {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 34, edgesep: 16 });
  for (const name of names) {
    const size = sizeOf(name);
    graph.setNode(name, { width: size?.w ?? 1, height: size?.h ?? 1 });
  }
  const beside = shortcuts(pieces);
  const same = samePorts(names, pieces);
  for (const name of names) if (same(name) !== name) graph.removeNode(name);
  const drawn = (name: string): Point => graph.node(same(name)) as Point;
  for (const [i, { from, to }] of pieces.entries()) {
    if (same(from) === from && same(to) === to && !beside.has(i)) graph.setEdge(from, to, {}, `${i}`);
  }
  layout(graph);
  const side = firstGoLeft(names.map(drawn)) ? 1 : -1;
  const nodes = names.map((name): PlanNode => {
    const { x, y } = drawn(name);
    const size = sizeOf(name);
    const port = size !== null ? null : name.startsWith("in ") ? "in" : "out";
    return { x: side * tenth(x), y: tenth(y), w: size?.w ?? 0, h: size?.h ?? 0, box: size?.box ?? null, port };
  });
  const bus = busLines(pieces, beside, nodes, names);
  const bends = pieces.map(({ from, to }, i): PlanEdge["bends"] => {
    if (beside.has(i)) return bus(from, to);
    const { points = [] } = (graph.edge(from, to, `${i}`) ?? {}) as { readonly points?: readonly Point[] };
    return points.slice(1, -1).map(({ x, y }) => [side * tenth(x), tenth(y)] as const);
  });
  return { nodes, bends };
}

/** More arrows than this past other boxes are drawn beside them: what a dense block has. */
const passing = 8;

/** Arrows of a dense block that shorten a longer way between the same boxes: with them in it, a layout is slow and wide. */
function shortcuts(pieces: readonly Piece[]): ReadonlySet<number> {
  const after = new Map<string, Set<string>>();
  for (const { from, to } of pieces) after.set(from, (after.get(from) ?? new Set()).add(to));
  const reached = (start: string): Set<string> => {
    const seen = new Set<string>();
    const stack = [...(after.get(start) ?? [])].flatMap((next) => [...(after.get(next) ?? [])]);
    while (stack.length > 0) {
      const name = stack.pop() as string;
      if (seen.has(name)) continue;
      seen.add(name);
      stack.push(...(after.get(name) ?? []));
    }
    return seen;
  };
  const furtherOn = new Map([...after.keys()].map((name) => [name, reached(name)]));
  const past = pieces.flatMap(({ from, to }, i) => (furtherOn.get(from)?.has(to) ? [i] : []));
  return new Set(past.length > passing ? past : []);
}

/**
 * Many arrows that enter a block for the same boxes, as into a layer of a dense block, come in at one place: the name of the first port of
 * each kind. One by one, a layout would take most of its time over them.
 */
function samePorts(names: readonly string[], pieces: readonly Piece[]): (name: string) => string {
  const targets = new Map<string, string[]>();
  for (const { from, to } of pieces) if (from.startsWith("in ")) targets.set(from, [...(targets.get(from) ?? []), to]);
  const kinds = new Map<string, string[]>();
  for (const name of names) {
    const key = targets.get(name)?.join();
    if (key !== undefined) kinds.set(key, [...(kinds.get(key) ?? []), name]);
  }
  const first = new Map<string, string>();
  for (const ports of kinds.values())
    if (ports.length > passing) for (const port of ports) first.set(port, ports[0] as string);
  return (name) => first.get(name) ?? name;
}

/** Beside all boxes, a line for each box that arrows lead on from: down along it, and off where it is read. */
function busLines(
  pieces: readonly Piece[],
  beside: ReadonlySet<number>,
  nodes: readonly PlanNode[],
  names: readonly string[],
): (from: string, to: string) => PlanEdge["bends"] {
  const sources = [...new Set(pieces.filter((_, i) => beside.has(i)).map(({ from }) => from))].sort(
    (a, b) => (nodes[names.indexOf(b)]?.y ?? 0) - (nodes[names.indexOf(a)]?.y ?? 0),
  );
  const right = Math.max(...nodes.map(({ x, w }) => x + w / 2));
  const levels = [...new Set(nodes.map(({ y }) => y))].sort((a, b) => a - b);
  return (from, to) => {
    const x = tenth(right + 24 + 10 * sources.indexOf(from));
    const [start, end] = [nodes[names.indexOf(from)]?.y ?? 0, nodes[names.indexOf(to)]?.y ?? 0];
    const between = levels.filter((y) => y > start && y < end);
    return [...new Set([between[0], between.at(-1)])].flatMap((y) => (y === undefined ? [] : [[x, y] as const]));
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Whether branches stand in the order of their calls. A layout has as few crossings as its mirror image. */
function firstGoLeft(points: readonly Point[]): boolean {
  const order = points.flatMap((a, i) => points.slice(i + 1).flatMap((b) => (a.y === b.y ? Math.sign(b.x - a.x) : [])));
  return order.reduce((sum, sign) => sum + sign, 0) >= 0;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** About what the letters take: no font can be measured here. */
const titleWidth = (text: string): number => 7.4 * text.length;
const lineWidth = (text: string): number => 6 * text.length;

function sizeOfBox({ title, lines, plan }: SceneBox): { readonly w: number; readonly h: number } {
  const w = Math.max(64, titleWidth(title) + (plan === null ? 24 : 52), ...lines.map((line) => lineWidth(line) + 24));
  return { w: Math.ceil(w / 2) * 2, h: 26 + 15 * lines.length };
}

const headingWidth = ({ title, lines }: SceneBox): number => titleWidth(title) + lineWidth(lines[0] ?? "") + 60;

function sceneBox(box: GraphBox, around: string, plan: number | null): SceneBox {
  const { id, kind, type, detail, repeat, parameters, macs, outputShape, path, lastPath } = box;
  const window = detail.replaceAll("x", "×");
  const title = `${type}${window === "" ? "" : ` ${window}`}${repeat > 1 ? ` × ${repeat}` : ""}`;
  const isLayer = kind !== "input" && kind !== "output" && kind !== "join" && kind !== "function";
  const local = (name: string): string =>
    around !== "" && name.startsWith(`${around}.`) ? name.slice(around.length + 1) : name;
  const last = lastPath.slice(lastPath.lastIndexOf(".") + 1);
  const name = path === "" ? "" : `${local(path)}${repeat > 1 ? ` … ${last}` : ""}`;
  const size = parameters === 0 ? "" : `${formatCount(parameters)} parameters`;
  const lines = isLayer ? [name, kind === "group" ? size : ""].filter((line) => line !== "") : [];
  const about = [
    `${path === "" ? "" : `${path}${repeat > 1 ? ` … ${last}` : ""}: `}${title}`,
    outputShape === null ? "" : `gives ${outputShape.join("×")}`,
    parameters === 0 ? "" : `${parameters.toLocaleString("en-US")} parameters${repeat > 1 ? " each" : ""}`,
    macs === 0 ? "" : `${macs.toLocaleString("en-US")} multiply-adds${repeat > 1 ? " each" : ""}`,
  ];
  return { id, kind, title, lines, about: about.filter((part) => part !== "").join("\n"), plan };
}
