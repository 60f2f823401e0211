/** Which ways a walk may run, and which of them comes first. */
import type { Dispatch, Site } from "../kernel.js";
import { type DirectTile, direct } from "./conv-direct.js";
import { sumOfParts } from "./split.js";
import { range, tapsOf, type Walk } from "./walk.js";

export type Tile = DirectTile;

export function dispatchesOf(walk: Walk, tile: Tile, _site: Site): Dispatch[] {
  if (walk.size === 0) return [];
  const sums = direct(walk, tile);
  return tile.split === 1 ? [sums] : [sums, sumOfParts(walk, tile.split)];
}

/** Divisors of `n`, ascending. */
const divisors = (n: number): number[] =>
  range(n)
    .map((i) => i + 1)
    .filter((d) => n % d === 0);

/** The largest divisor of `n` that is at most `most`. */
const upTo = (n: number, most: number): number =>
  divisors(n)
    .filter((d) => d <= most)
    .at(-1) ?? 1;

export function directTile(
  walk: Walk,
  outs: number,
  cols: number,
  { share, split = 1, macs = 256, threads = 32 }: { share: boolean; split?: number; macs?: number; threads?: number },
): DirectTile {
  const { rows, cols: columns, channels } = walk;
  const taps = tapsOf(columns);
  const accumulators = outs * cols * columns.classes.length;
  const perMac = columns.classes.length;
  const steps = Math.max(1, Math.floor((macs / accumulators) * perMac));
  const t =
    columns.classes.length > 1 || (columns.classes.length === 1 && taps <= 7) ? taps : upTo(taps, Math.min(steps, 8));
  const m = rows.classes.length > 1 ? 1 : upTo(rows.classes[0]!.taps, Math.max(1, Math.floor(steps / t)));
  const c = upTo(Math.max(1, channels), Math.max(1, Math.floor(steps / t / m)));
  return { kind: "direct", outs, cols, unroll: [channels === 0 ? 1 : c, m, t], threads, share, split };
}

export function tilesFor(walk: Walk, site: Site): Tile[] {
  const share = site.limits.subgroups?.min === 4 && site.limits.subgroups.max === 4;
  const outs = (n: number): number => Math.min(walk.outs, n);
  const cols = (n: number): number => Math.min(Math.ceil(walk.cols.out / walk.cols.classes.length), n);
  return [
    directTile(walk, outs(8), cols(4), { share }),
    directTile(walk, outs(16), cols(4), { share }),
    directTile(walk, outs(4), cols(2), { share: false, split: walk.channels > 1 ? 2 : 1 }),
  ];
}
