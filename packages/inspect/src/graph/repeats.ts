import type { GraphBox, GraphEdge, ModelGraph } from "./model-graph.js";

/** What a block consists of, and how it hangs in the graph. */
interface Part {
  /** All inside that are no blocks, in order. */
  readonly leaves: string[];
  /** Position of each of them. */
  readonly position: Map<string, number>;
  readonly inner: GraphEdge[];
  readonly incoming: GraphEdge[];
  readonly outgoing: GraphEdge[];
}

/** Blocks that follow each other, each fed by the one before alone, and are the same inside, become one with their number. Inner ones first. */
export function foldRepeats(graph: ModelGraph): ModelGraph {
  const depths = depthsOf(graph.boxes);
  let folded = graph;
  for (let depth = Math.max(0, ...depths.values()); depth >= 0; depth--) {
    folded = foldLevel(
      folded,
      folded.boxes.filter((box) => box.kind === "group" && depths.get(box.id) === depth),
    );
  }
  return folded;
}

/** How many blocks each box stands in. */
export function depthsOf(boxes: readonly GraphBox[]): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { id, parent } of boxes) depths.set(id, parent === null ? 0 : (depths.get(parent) as number) + 1);
  return depths;
}

function foldLevel(graph: ModelGraph, groups: readonly GraphBox[]): ModelGraph {
  if (groups.length < 2) return graph;
  const boxes = new Map(graph.boxes.map((box) => [box.id, box]));
  const level = new Set(groups.map(({ id }) => id));
  const blockOf = new Map<string, string | undefined>();
  for (const { id, parent } of graph.boxes)
    blockOf.set(id, level.has(id) ? id : parent === null ? undefined : blockOf.get(parent));
  const parts = partsOf(graph, groups, blockOf);
  const kept = new Map<string, GraphBox>();
  const replacement = new Map<string, string | null>();
  for (const run of runsOf(groups, parts, boxes, blockOf)) {
    const [first, last] = [run[0] as GraphBox, run.at(-1) as GraphBox];
    kept.set(first.id, { ...first, repeat: run.length, lastPath: last.path });
    for (const { id } of run.slice(1)) {
      const { leaves } = parts.get(id) as Part;
      const from = (parts.get(first.id) as Part).leaves;
      for (const [i, leaf] of leaves.entries()) replacement.set(leaf, id === last.id ? (from[i] as string) : null);
    }
  }
  if (kept.size === 0) return graph;
  const gone = (id: string): boolean => {
    const block = blockOf.get(id);
    return block !== undefined && !kept.has(block) && (parts.get(block) as Part).leaves.some((l) => replacement.has(l));
  };
  return {
    ...graph,
    boxes: graph.boxes.filter(({ id }) => !gone(id)).map((box) => kept.get(box.id) ?? box),
    edges: graph.edges.flatMap((edge) => {
      if (replacement.has(edge.to)) return [];
      const from = replacement.get(edge.from);
      return from === null ? [] : [from === undefined ? edge : { ...edge, from }];
    }),
  };
}

function partsOf(
  { boxes, edges }: ModelGraph,
  groups: readonly GraphBox[],
  blockOf: ReadonlyMap<string, string | undefined>,
): Map<string, Part> {
  const parts = new Map<string, Part>(
    groups.map(({ id }) => [id, { leaves: [], position: new Map(), inner: [], incoming: [], outgoing: [] }]),
  );
  for (const { id, kind } of boxes) {
    const part = parts.get(blockOf.get(id) ?? "");
    if (part !== undefined && kind !== "group") part.position.set(id, part.leaves.push(id) - 1);
  }
  for (const edge of edges) {
    const [from, to] = [blockOf.get(edge.from), blockOf.get(edge.to)];
    if (from === to) parts.get(from ?? "")?.inner.push(edge);
    else {
      parts.get(from ?? "")?.outgoing.push(edge);
      parts.get(to ?? "")?.incoming.push(edge);
    }
  }
  return parts;
}

/** Neighbours that can be one: at least two, in order. */
function runsOf(
  groups: readonly GraphBox[],
  parts: ReadonlyMap<string, Part>,
  boxes: ReadonlyMap<string, GraphBox>,
  blockOf: ReadonlyMap<string, string | undefined>,
): GraphBox[][] {
  const runs: GraphBox[][] = [];
  let run: GraphBox[] = [];
  let signature = "";
  const contents = contentsOf(boxes, blockOf);
  for (const group of groups) {
    const part = parts.get(group.id) as Part;
    const before = run.at(-1);
    const own = signatureOf(group, part, contents.get(group.id) ?? "");
    if (before !== undefined && before.parent === group.parent && own === signature) {
      const earlier = parts.get(before.id) as Part;
      const chained =
        earlier.outgoing.every(({ to }) => blockOf.get(to) === group.id) &&
        part.incoming.every(({ from }) => blockOf.get(from) === before.id);
      if (chained) {
        run.push(group);
        continue;
      }
    }
    if (run.length > 1) runs.push(run);
    run = [group];
    signature = own;
  }
  if (run.length > 1) runs.push(run);
  return runs;
}

/** The boxes inside each block as text, without their paths. */
function contentsOf(
  boxes: ReadonlyMap<string, GraphBox>,
  blockOf: ReadonlyMap<string, string | undefined>,
): Map<string, string> {
  const contents = new Map<string, string>();
  const index = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { id, kind, parent, type, detail, outputShape, parameters, macs, repeat } of boxes.values()) {
    const block = blockOf.get(id);
    if (block === undefined) continue;
    const count = counts.get(block) ?? 0;
    counts.set(block, count + 1);
    index.set(id, count);
    const place = id === block ? "" : index.get(parent ?? "");
    const text = [place, kind, type, detail, outputShape?.join("x"), parameters, macs, repeat].join(" ");
    contents.set(block, `${contents.get(block) ?? ""}\n${text}`);
  }
  return contents;
}

function signatureOf(group: GraphBox, { position, inner, incoming, outgoing }: Part, content: string): string {
  const arrow = ({ from, to, shape }: GraphEdge): string =>
    `${position.get(from) ?? ""}>${position.get(to) ?? ""} ${shape.join("x")}`;
  const arrows = [inner, incoming, outgoing].map((edges) => [...new Set(edges.map(arrow))].sort().join());
  return [group.type, content, ...arrows].join("\n");
}
