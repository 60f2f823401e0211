/**
 * A {@link Walk} as a matrix product through workgroup memory: `w` is a matrix of output channels by `k`, `x` one of `k` by pixels,
 * where `k` counts channels and taps. Neither is ever laid out: the tiles are read by the walk's strides.
 */
import { type Dispatch, groups, type Source } from "../kernel.js";
import { targetOf } from "./split.js";
import { alwaysInside, both, chosen, indented, lines, range, u, type Walk } from "./walk.js";

/** A way to run a walk through workgroup memory. */
export interface TiledTile {
  readonly kind: "tiled";
  /** Output channels, pixels and `k` of a workgroup's tile. */
  readonly tile: readonly [number, number, number];
  /** Output channels and pixels of a thread, in fours. */
  readonly thread: readonly [number, number];
  /** Parts into which `k` is cut; their sums are added by a second dispatch. */
  readonly split: number;
}

/** Sizes that follow from a walk and a tile. */
interface Plan {
  readonly threads: number;
  /** Whether four neighbours of `w` along the output channels, of `x` along the pixels, are read at once. */
  readonly wide: readonly [boolean, boolean];
  /** Rows and columns of one residue class, and pixels of it. */
  readonly rows: number;
  readonly cols: number;
  readonly pixels: number;
  readonly tiles: readonly [number, number];
}

function planOf(
  walk: Walk,
  { tile: [outs, pixels], thread }: TiledTile,
  vectorizable: (input: number) => boolean,
): Plan {
  const { rows, cols, x, w } = walk;
  const inClass = [rows, cols].map(({ out, classes }) => Math.ceil(out / classes.length)) as [number, number];
  const fours = (...strides: number[]): boolean => strides.every((stride) => stride % 4 === 0);
  const [only] = cols.classes;
  const aligned =
    rows.out === 1 &&
    rows.classes.length * cols.classes.length * cols.stride * only!.taps === 1 &&
    only!.offset === 0 &&
    cols.size === cols.out;
  const wide: [boolean, boolean] = [
    vectorizable(w.input) && w.out === 1 && fours(walk.outs, w.group, w.channel, w.row, w.col),
    vectorizable(x.input) && x.col === 1 && aligned && fours(cols.out, x.group, x.channel, x.image, x.row),
  ];
  const count = walk.images * inClass[0] * inClass[1];
  return {
    threads: (outs / thread[0]) * (pixels / thread[1]),
    wide,
    rows: inClass[0],
    cols: inClass[1],
    pixels: count,
    tiles: [Math.ceil(walk.outs / outs), Math.ceil(count / pixels)],
  };
}

/** The dispatch that sums the walk, or each part of it into temporary memory. */
export function tiled(walk: Walk, tile: TiledTile, vectorizable: (input: number) => boolean): Dispatch {
  const plan = planOf(walk, tile, vectorizable);
  const [outs, pixels, depth] = tile.tile;
  const classes = [walk.rows.classes.length, walk.cols.classes.length] as const;
  const units = tile.split * walk.groups * classes[0] * classes[1];
  const source = (input: number, wide: boolean): Source => (wide ? { input, width: 4 } : input);
  return {
    name: walk.name,
    reads: [source(walk.x.input, plan.wide[1]), source(walk.w.input, plan.wide[0])],
    writes: [targetOf(walk, tile.split)],
    workgroupSize: [plan.threads, 1, 1],
    workgroups: groups(units * plan.tiles[0] * plan.tiles[1]),
    declarations: `var<workgroup> tileW: array<vec4f, ${(depth * outs) / 4}>;\nvar<workgroup> tileX: array<vec4f, ${(depth * pixels) / 4}>;`,
    body: lines(
      `let out0 = group % ${u(plan.tiles[0])} * ${u(outs)};`,
      `let pixel0 = group / ${u(plan.tiles[0])} % ${u(plan.tiles[1])} * ${u(pixels)};`,
      `let unit = group / ${u(plan.tiles[0] * plan.tiles[1])};`,
      `let rowClass = unit % ${u(classes[0])};`,
      `let colClass = unit / ${u(classes[0])} % ${u(classes[1])};`,
      `let member = unit / ${u(classes[0] * classes[1])} % ${u(walk.groups)};`,
      `let part = unit / ${u(classes[0] * classes[1] * walk.groups)};`,
      ...product(walk, tile, plan),
      ...stores(walk, tile, plan),
    ),
    macs: walk.macs,
  };
}

/** `k` taken apart. Where an axis has one tap, its place is 0. */
function placesOfK(walk: Walk, name: string, k: string): string[] {
  const [rowTaps, colTaps] = [
    chosen(walk.rows.classes, "taps", "rowClass"),
    chosen(walk.cols.classes, "taps", "colClass"),
  ];
  const [oneRow, oneCol] = [rowTaps === "1u", colTaps === "1u"];
  return [
    `let ${name}_t = ${oneCol ? "0u" : `${k} % (${colTaps})`};`,
    `let ${name}_m = ${oneRow ? "0u" : `${oneCol ? k : `${k} / (${colTaps})`} % (${rowTaps})`};`,
    `let ${name}_c = ${oneRow && oneCol ? k : `${k} / ((${rowTaps}) * (${colTaps}))`};`,
  ];
}

function product(walk: Walk, tile: TiledTile, plan: Plan): string[] {
  const [outs, pixels, depth] = tile.tile;
  const [perOut, perPixel] = [tile.thread[0] / 4, tile.thread[1] / 4];
  const taps = `(${chosen(walk.rows.classes, "taps", "rowClass")}) * (${chosen(walk.cols.classes, "taps", "colClass")})`;
  const across = pixels / tile.thread[1];
  const down = outs / tile.thread[0];
  const sums = range(tile.thread[0]).flatMap((i) => range(perPixel).map((v) => `s${i}_${v}`));
  return [
    `let length = ${u(walk.channels)} * ${taps};`,
    ...(tile.split === 1
      ? ["let begin = 0u;", "let end = length;"]
      : [
          `let each = (length + ${u(tile.split * depth - 1)}) / ${u(tile.split * depth)} * ${u(depth)};`,
          "let begin = part * each;",
          "let end = min(begin + each, length);",
        ]),
    ...placesOfPixels(walk, plan, pixels),
    `let wBase = member * ${u(walk.w.group)} + ${chosen(walk.rows.classes, "first", "rowClass")} * ${u(walk.w.row)} + ${chosen(walk.cols.classes, "first", "colClass")} * ${u(walk.w.col)};`,
    ...sums.map((name) => `var ${name} = vec4f();`),
    `let tx = lix % ${u(across)};`,
    `let ty = lix / ${u(across)};`,
    `for (var k0 = begin; k0 < end; k0 += ${u(depth)}) {`,
    ...indented([...loadW(walk, tile, plan), ...loadX(walk, tile, plan), "workgroupBarrier();"]),
    `  for (var k = 0u; k < ${u(depth)}; k++) {`,
    ...range(perOut).map((v) => `    let a${v} = tileW[k * ${u(outs / 4)} + ty + ${u(v * down)}];`),
    ...range(perPixel).map((v) => `    let c${v} = tileX[k * ${u(pixels / 4)} + tx + ${u(v * across)}];`),
    ...range(tile.thread[0]).flatMap((i) =>
      range(perPixel).map((v) => `    s${i}_${v} += a${Math.floor(i / 4)}.${"xyzw"[i % 4]} * c${v};`),
    ),
    "  }",
    "  workgroupBarrier();",
    "}",
  ];
}

/** Where the four pixels lie whose elements of `x` a thread brings. They stay the same for all of `k`. */
function placesOfPixels(walk: Walk, plan: Plan, pixels: number): string[] {
  const { rows, cols, x } = walk;
  const group = `lix % ${u(pixels / 4)}`;
  return [
    `let mine = pixel0 + ${group} * 4u;`,
    ...range(plan.wide[1] ? 1 : 4).flatMap((q) => [
      `let row${q} = (mine + ${u(q)}) / ${u(plan.cols)} % ${u(plan.rows)} * ${u(rows.stride)} + ${chosen(rows.classes, "offset", "rowClass")};`,
      `let col${q} = (mine + ${u(q)}) % ${u(plan.cols)} * ${u(cols.stride)} + ${chosen(cols.classes, "offset", "colClass")};`,
      `let x${q} = member * ${u(x.group)} + (mine + ${u(q)}) / ${u(plan.cols * plan.rows)} * ${u(x.image)} + row${q} * ${u(x.row)} + col${q} * ${u(x.col)};`,
    ]),
  ];
}

/** Brings a tile of `w` into workgroup memory, four output channels at a time; neighbouring threads read neighbours. */
function loadW({ w, rows, cols, ...walk }: Walk, tile: TiledTile, plan: Plan): string[] {
  const [outs, , depth] = tile.tile;
  return range(Math.ceil((outs * depth) / 4 / plan.threads)).flatMap((round) => {
    const e = `(lix + ${u(round * plan.threads)})`;
    const [k, four] = plan.wide[0]
      ? [`${e} / ${u(outs / 4)}`, `${e} % ${u(outs / 4)}`]
      : [`${e} % ${u(depth)}`, `${e} / ${u(depth)}`];
    const name = `w${round}`;
    const at = `${name}_at`;
    const inside = (q: number): string => both(`${name}_in`, `${name}_o + ${u(q)} < ${u(walk.outs)}`);
    const read = plan.wide[0]
      ? `select(vec4f(), r1(${at} / 4u), ${inside(0)})`
      : `vec4f(${range(4)
          .map((q) => `select(0f, r1(${at} + ${u(q * w.out)}), ${inside(q)})`)
          .join(", ")})`;
    return [
      `let ${name}_k = k0 + ${k};`,
      `let ${name}_o = out0 + ${four} * 4u;`,
      ...placesOfK({ w, rows, cols, ...walk }, name, `${name}_k`),
      `let ${name}_in = ${name}_k < end;`,
      `let ${at} = wBase + ${name}_o * ${u(w.out)} + ${name}_c * ${u(w.channel)} + ${name}_m * ${u(rows.every * w.row)} + ${name}_t * ${u(cols.every * w.col)};`,
      `tileW[${k} * ${u(outs / 4)} + ${four}] = ${read};`,
    ];
  });
}

/** Brings a tile of `x` into workgroup memory, four pixels at a time. Padding is 0. */
function loadX(walk: Walk, tile: TiledTile, plan: Plan): string[] {
  const { x, rows, cols } = walk;
  const [, pixels, depth] = tile.tile;
  const [inRows, inCols] = [alwaysInside(rows), alwaysInside(cols)];
  return range((pixels * depth) / 4 / plan.threads).flatMap((round) => {
    const k = `(lix + ${u(round * plan.threads)}) / ${u(pixels / 4)}`;
    const name = `x_${round}`;
    const inside = (q: number): string =>
      both(
        `${name}_in`,
        ...(inRows ? [] : [`row${q} + ${name}_m * ${u(rows.step)} < ${u(rows.size)}`]),
        ...(inCols ? [] : [`col${q} + ${name}_t * ${u(cols.step)} < ${u(cols.size)}`]),
      );
    const read = plan.wide[1]
      ? `select(vec4f(), r0((x0 + ${name}_at) / 4u), ${inside(0)})`
      : `vec4f(${range(4)
          .map((q) => `select(0f, r0(x${q} + ${name}_at), ${inside(q)})`)
          .join(", ")})`;
    return [
      `let ${name}_k = k0 + ${k};`,
      ...placesOfK(walk, name, `${name}_k`),
      `let ${name}_in = ${name}_k < end;`,
      `let ${name}_at = ${name}_c * ${u(x.channel)} + ${name}_m * ${u(rows.step * x.row)} + ${name}_t * ${u(cols.step * x.col)};`,
      `tileX[lix + ${u(round * plan.threads)}] = ${read};`,
    ];
  });
}

function stores({ y, rows, cols, outs, size }: Walk, tile: TiledTile, plan: Plan): string[] {
  const perPixel = tile.thread[1] / 4;
  const [down, across] = [tile.tile[0] / tile.thread[0], tile.tile[1] / tile.thread[1]];
  const classes = [rows.classes.length, cols.classes.length] as const;
  const outOf = (i: number): string => `out0 + (ty + ${u(Math.floor(i / 4) * down)}) * 4u + ${u(i % 4)}`;
  return range(perPixel).flatMap((v) =>
    range(4).flatMap((q) => [
      "{",
      ...indented([
        `let pixel = pixel0 + (tx + ${u(v * across)}) * 4u + ${u(q)};`,
        `let row = pixel / ${u(plan.cols)} % ${u(plan.rows)} * ${u(classes[0])} + rowClass;`,
        `let col = pixel % ${u(plan.cols)} * ${u(classes[1])} + colClass;`,
        `if (pixel < ${u(plan.pixels)} && row < ${u(rows.out)} && col < ${u(cols.out)}) {`,
        `  let at = part * ${u(size)} + member * ${u(y.group)} + pixel / ${u(plan.cols * plan.rows)} * ${u(y.image)} + row * ${u(y.row)} + col * ${u(y.col)};`,
        ...range(tile.thread[0]).map(
          (i) => `  if (${outOf(i)} < ${u(outs)}) { w0(at + (${outOf(i)}) * ${u(y.out)}, s${i}_${v}.${"xyzw"[q]}); }`,
        ),
        "}",
      ]),
      "}",
    ]),
  );
}
