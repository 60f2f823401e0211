/** Which ways a walk may run, and which of them comes first. */
import { type Dispatch, isProcessor, type Site } from "../kernel.js";
import { type DirectTile, direct } from "./conv-direct.js";
import { type TiledTile, tiled } from "./gemm.js";
import { sumOfParts } from "./split.js";
import { range, tapsOf, type Walk } from "./walk.js";

export type Tile = DirectTile | TiledTile;

export function dispatchesOf(walk: Walk, tile: Tile, site: Site): Dispatch[] {
  if (walk.size === 0) return [];
  const sums = tile.kind === "direct" ? direct(walk, tile) : tiled(walk, tile, site.vectorizable);
  return tile.split === 1 ? [sums] : [sums, sumOfParts(walk, tile.split)];
}

/** Ways to run a walk, the best guess first. */
export function tilesFor(walk: Walk, site: Site): Tile[] {
  // SwiftShader takes seconds to compile a shader with much workgroup memory, and pays for each barrier with a switch of fibers.
  if (isProcessor(site.limits)) return directTiles(walk, walk.outs >= 3).slice(0, 4);
  const through = gpuTiles(walk);
  const registers = directTiles(walk, false);
  // Tiles would stay mostly empty.
  return walk.outs < 8 ? [...registers.slice(0, 2), ...through.slice(0, 2)] : [...through, registers[0]!];
}

// --- in registers

/** What a CPU's vector unit executes for a read of four addresses, a multiply-add, and a sum carried through the loop. */
const price = { read: 135, x: 17, multiply: 4.5, sum: 19, round: 60 } as const;
/** Longer loops leave the instruction cache, and take long to compile. */
const longest = { instructions: 4800, products: 224, sums: 64 } as const;

/** Multiply-adds from which on work is cut so that all of a device has some. */
const worthSplitting = 2 ** 20;

const divisors = (n: number): number[] =>
  range(Math.min(n, 16))
    .map((i) => i + 1)
    .filter((d) => n % d === 0);

interface Priced {
  readonly tile: DirectTile;
  readonly price: number;
}

/** Estimated price of a walk. */
function priced(walk: Walk, tile: DirectTile): Priced {
  const { rows, cols } = walk;
  const [c, m, t] = tile.unroll;
  const classes = cols.classes.length;
  const lanes = tile.quads ? 4 : 1;
  const columns = tile.cols * classes;
  const met = classes > 1 ? tile.cols + Math.ceil(t / classes) - 1 : distinct(tile.cols, cols.stride, t, cols.step);
  const products = (tile.outs * columns * c * m * t) / classes;
  const sums = tile.outs * columns;
  const reads = c * m * (met + (tile.outs / lanes) * t);
  const instructions =
    reads * price.read + c * m * met * price.x + products * price.multiply + sums * (price.sum + 2) + price.round;
  const long = Math.max(
    1,
    instructions / longest.instructions,
    (products / longest.products) ** 2,
    (sums / longest.sums) ** 2,
  );
  const rounds =
    Math.max(1, walk.channels / c) * (Math.max(...rows.classes.map(({ taps }) => taps)) / m) * (tapsOf(cols) / t);
  const threads =
    walk.images * walk.groups * rows.out * Math.ceil(cols.out / columns) * Math.ceil(walk.outs / tile.outs);
  return { tile, price: threads * rounds * instructions * long };
}

/** Number of different values of `i * a + j * b`. */
const distinct = (n: number, a: number, m: number, b: number): number =>
  new Set(range(n).flatMap((i) => range(m).map((j) => i * a + j * b))).size;

/** Tiles in registers by their estimated price. */
function directTiles(walk: Walk, quads: boolean): DirectTile[] {
  const { rows, cols, channels, outs } = walk;
  const taps = tapsOf(cols);
  const widest = Math.ceil(cols.out / cols.classes.length);
  const outTiles = quads ? [4, 8, 16].filter((n) => n < outs + 4) : [1, 2, 4, 8].filter((n) => n <= outs);
  const candidates = outTiles.flatMap((out) =>
    range(Math.min(8, widest)).flatMap((i) =>
      (cols.classes.length > 1 ? [taps] : divisors(taps)).flatMap((t) =>
        (rows.classes.length > 1 ? [1] : divisors(rows.classes[0]!.taps)).flatMap((m) =>
          divisors(Math.max(1, channels)).map((c) => sized(walk, { outs: out, cols: i + 1, unroll: [c, m, t], quads })),
        ),
      ),
    ),
  );
  return candidates
    .map((tile) => priced(walk, tile))
    .sort((a, b) => a.price - b.price)
    .map(({ tile }) => tile);
}

function sized(walk: Walk, tile: Pick<DirectTile, "outs" | "cols" | "unroll" | "quads">): DirectTile {
  const { rows, cols } = walk;
  const pixels =
    walk.images * Math.ceil(rows.out / rows.classes.length) * Math.ceil(cols.out / (tile.cols * cols.classes.length));
  const units = walk.groups * rows.classes.length * Math.ceil(walk.outs / tile.outs);
  const threads = tile.quads ? Math.min(32, Math.ceil(pixels / 4) * 4) : 64;
  const workgroups = units * Math.ceil(pixels / threads);
  // A second dispatch costs more than a little work that is done by few.
  const wanted = walk.macs < worthSplitting ? 1 : Math.floor(8 / workgroups);
  const split = Math.max(1, Math.min(Math.floor(walk.channels / tile.unroll[0]), wanted));
  return { kind: "direct", ...tile, threads, split };
}

// --- through workgroup memory

/** Fewer workgroups than this leave a GPU idle. */
const enough = 128;

function gpuTiles(walk: Walk): TiledTile[] {
  const { rows, cols, outs, channels } = walk;
  const pixels = walk.images * rows.out * cols.out;
  const depth = channels * rows.classes[0]!.taps * cols.classes[0]!.taps;
  const single = rows.classes.length * cols.classes.length === 1;
  const make = (tile: TiledTile["tile"], thread: TiledTile["thread"]): TiledTile => {
    const workgroups = walk.groups * Math.ceil(outs / tile[0]) * Math.ceil(pixels / tile[1]);
    const parts = Math.min(Math.ceil(enough / workgroups), Math.floor(depth / (4 * tile[2])), 32);
    return { kind: "tiled", tile, thread, split: single ? Math.max(1, parts) : 1 };
  };
  const large = make([128, 128, 8], [8, 8]);
  const middle = make([64, 64, 16], [4, 4]);
  const small = make([32, 32, 16], [4, 4]);
  const flat = make([32, 64, 16], [4, 4]);
  const flatter = make([16, 64, 16], [4, 4]);
  if (outs <= 16) return [flatter, small, middle];
  if (outs <= 32) return [flat, small, middle];
  return outs >= 128 && pixels >= 4096 ? [large, middle, small, flat] : [middle, small, flat, large];
}
