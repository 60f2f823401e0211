import { ArgumentError } from "@ocelli/core";
import { arrange } from "./arrange.js";
import type { GraphBox, ModelGraph } from "./model-graph.js";
import { place } from "./place.js";
import { depthsOf } from "./repeats.js";
import type { Arrangement, Scene } from "./scene.js";

/** Where everything of a scene is with the blocks in `open` (places in `boxes`) open. */
export const arrangementOf = (scene: Scene, open: readonly number[]): Arrangement => arrange(scene, open, place);

export interface OpenOptions {
  /** How many levels of blocks are open: 0 shows the outermost closed. Default: as many as stay under `boxes`. */
  readonly depth?: number | undefined;
  /** Default 90: from there on a picture shows too much to be read. */
  readonly boxes?: number;
}

/** Places in a graph's `boxes` of the blocks that are open. @throws ArgumentError for a depth that is no count */
export function openBlocks({ boxes }: ModelGraph, { depth, boxes: limit = 90 }: OpenOptions = {}): number[] {
  if (depth !== undefined && !(Number.isInteger(depth) && depth >= 0))
    throw new ArgumentError(`graph: depth is ${depth}; it needs 0, 1, 2 ...`, { depth });
  const depths = depthsOf(boxes);
  const deepest = Math.max(0, ...depths.values());
  let levels = depth ?? 0;
  if (depth === undefined) while (levels < deepest && shown(boxes, depths, levels + 1) <= limit) levels++;
  return boxes.flatMap(({ id, kind }, i) => (kind === "group" && (depths.get(id) as number) < levels ? [i] : []));
}

const shown = (boxes: readonly GraphBox[], depths: ReadonlyMap<string, number>, levels: number): number =>
  boxes.filter(({ id, kind }) => {
    const depth = depths.get(id) as number;
    return kind === "group" ? depth === levels : depth <= levels;
  }).length;
