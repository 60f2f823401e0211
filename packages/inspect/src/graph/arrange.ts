import type { Extent, Placed, place } from "./place.js";
import type { Arrangement, Plan, PlanNode, Scene } from "./scene.js";

/**
 * Places a scene with the blocks in `open` open. Pages carry the text of this function: it uses nothing from outside itself, and is
 * handed `place`.
 */
export function arrange(scene: Scene, open: readonly number[], placePlan: typeof place): Arrangement {
  const isOpen = new Set(open);
  const planOf = ({ box }: PlanNode): number | null =>
    box === null || !isOpen.has(box) ? null : (scene.boxes[box]?.plan ?? null);
  const placed: Placed[] = [];
  const sizeOf = (node: PlanNode): Extent => placed[planOf(node) ?? -1] ?? { left: node.w / 2, w: node.w, h: node.h };
  // Inner plans come later, and give the outer ones their boxes' sizes.
  for (let i = scene.plans.length - 1; i >= 0; i--) {
    const plan = scene.plans[i] as Plan;
    if (plan.box === null || isOpen.has(plan.box)) placed[i] = placePlan(plan, plan.nodes.map(sizeOf));
  }

  const boxes: Arrangement["boxes"][number][] = [];
  const arrows: Arrangement["arrows"][number][] = [];
  const queue = [{ index: 0, x: 0, y: 0 }];
  for (const { index, x, y } of queue) {
    const { nodes, edges } = scene.plans[index] as Plan;
    const here = placed[index] as Placed;
    const placeOf = (node: number): Placed["nodes"][number] => here.nodes[node] as Placed["nodes"][number];
    for (const [i, node] of nodes.entries()) {
      if (node.box === null) continue;
      const at = placeOf(i);
      const inner = planOf(node);
      const corner = { x: x + at.x - at.left, y: y + at.y - at.h / 2 };
      boxes.push({ box: node.box, ...corner, w: at.w, h: at.h, open: inner !== null });
      if (inner !== null) queue.push({ index: inner, ...corner });
    }
    /** Where an arrow touches a node: at its port on a frame, else `aside` of the box's column. */
    const touch = (i: number, port: number | null, end: "from" | "to", aside: number): readonly [number, number] => {
      const [at, node] = [placeOf(i), nodes[i] as PlanNode];
      if (node.port !== null) return [at.x, node.port === "in" ? 0 : here.h];
      const inside = placed[planOf(node) ?? -1]?.nodes[port ?? -1];
      const across = inside === undefined ? at.x + aside * at.w : at.x - at.left + inside.x;
      return [across, at.y + ((end === "from" ? 1 : -1) * at.h) / 2];
    };
    // Several arrows enter a box side by side, in the order in which they come.
    const comesFrom = (e: number): number => here.bends[e]?.at(-1)?.[0] ?? placeOf(edges[e]?.from ?? 0).x;
    const entering = new Map<number, number[]>();
    for (const [e, { to }] of edges.entries()) entering.set(to, [...(entering.get(to) ?? []), e]);
    for (const list of entering.values()) list.sort((a, b) => comesFrom(a) - comesFrom(b));
    const drawn = new Set<string>();
    const said = new Set<number>();
    for (const [e, { from, to, fromPort, toPort, label }] of edges.entries()) {
      const [source, target] = [nodes[from] as PlanNode, nodes[to] as PlanNode];
      const closed = planOf(source) === null;
      // Several tensors between two closed boxes are one arrow.
      const pair = `${from} ${to}`;
      if (closed && planOf(target) === null && drawn.has(pair)) continue;
      drawn.add(pair);
      const rivals = entering.get(to) as number[];
      const aside = (rivals.indexOf(e) - (rivals.length - 1) / 2) * Math.min(0.12, 0.7 / rivals.length);
      const start = touch(from, fromPort, "from", 0);
      // Straight down beside a block's heading.
      const below = source.port === "in" ? [[start[0], placeOf(from).y] as const] : [];
      const points = [start, ...below, ...(here.bends[e] ?? []), touch(to, toPort, "to", aside)];
      const shapes = [
        ...new Set(edges.filter((other) => other.from === from && other.label !== "").map((one) => one.label)),
      ];
      const several = shapes.length > 1 ? `${shapes[0]} and ${shapes.length - 1} more` : label;
      const spoken = closed && !said.has(from) && label !== "" ? several : "";
      if (spoken !== "") said.add(from);
      arrows.push({
        points: points.map(([px, py]) => [x + px, y + py]),
        // The part inside an open block says it already.
        label: spoken,
        head: target.port === null && planOf(target) === null,
      });
    }
  }
  const { w: width, h: height } = placed[0] as Placed;
  return { width, height, boxes, arrows };
}
