/**
 * A {@link Walk} in registers alone: each thread sums a tile of output channels by columns, reading its operands straight from the
 * inputs. Nothing is shared through memory, so nothing waits; where reads are dear and a barrier dearer still, as on a CPU, this is the
 * fastest.
 */
import { type Dispatch, groups } from "../kernel.js";
import { targetOf } from "./split.js";
import {
  type Axis,
  alwaysInside,
  both,
  chosen,
  indented,
  lines,
  type ResidueClass,
  range,
  tapsOf,
  u,
  type Walk,
} from "./walk.js";

/** A way to run a walk in registers. */
export interface DirectTile {
  readonly kind: "direct";
  /** Output channels of a thread. */
  readonly outs: number;
  /** Columns of a thread, for each residue class. */
  readonly cols: number;
  /** Channels, row taps and column taps that one round of the loop takes; each divides its number. */
  readonly unroll: readonly [number, number, number];
  /** Threads of a workgroup. */
  readonly threads: number;
  /**
   * Whether four neighbouring threads work together: each reads `w` for a quarter of the output channels, and they pass `x` around. Needs
   * subgroups, and output channels in fours.
   */
  readonly quads: boolean;
  /** Parts into which the channels are cut; their sums are added by a second dispatch. */
  readonly split: number;
}

/** One element of `w` within a round: channel, row tap and column tap. */
type Step = readonly [number, number, number];

interface Column {
  /** Place among the thread's columns. */
  readonly at: number;
  readonly residue: ResidueClass;
  /** Number of the column within its class. */
  readonly index: number;
}

/** How a thread gets at what the others of its quad hold. The first is itself. */
const swaps = ["", "quadSwapX", "quadSwapY", "quadSwapDiagonal"] as const;

/** What a thread holds for one output channel (in quads: for one in each quarter) and one of the quad's threads. */
interface Part {
  readonly out: number;
  readonly swap: number;
}

const partsOf = ({ outs, quads }: DirectTile): Part[] =>
  quads
    ? range(outs / 4).flatMap((out) => range(4).map((swap) => ({ out, swap })))
    : range(outs).map((out) => ({ out, swap: 0 }));

const columnsOf = ({ classes }: Axis, count: number): Column[] =>
  range(count * classes.length).map((at) => ({
    at,
    residue: classes[at % classes.length]!,
    index: Math.floor(at / classes.length),
  }));

/** Position in `x` where a column meets column tap `tap` of `w`, relative to the thread's first; undefined when they do not meet. */
function meeting({ stride, step, every }: Axis, { residue, index }: Column, tap: number): number | undefined {
  const m = (tap - residue.first) / every;
  return Number.isInteger(m) && m >= 0 && m < residue.taps ? index * stride + m * step + residue.offset : undefined;
}

const stepsOf = ([c, m, t]: DirectTile["unroll"]): Step[] =>
  range(c).flatMap((i) => range(m).flatMap((j) => range(t).map((k): Step => [i, j, k])));

const nameOfW = (out: number, step: Step): string => `w${out}_${step.join("_")}`;
const nameOfX = (c: number, m: number, col: number, swap = 0): string =>
  `x${c}_${m}_${col < 0 ? `n${-col}` : col}${["", "x", "y", "d"][swap]}`;
const nameOfSum = ({ out, swap }: Part, at: number): string => `s${out}_${swap}_${at}`;

/** The dispatch that sums the walk, or each part of its channels into temporary memory. */
export function direct(walk: Walk, tile: DirectTile): Dispatch {
  const { rows, cols } = walk;
  const rowsOfClass = Math.ceil(rows.out / rows.classes.length);
  const blocks = Math.ceil(cols.out / (tile.cols * cols.classes.length));
  const pixels = walk.images * rowsOfClass * blocks;
  const outBlocks = Math.ceil(walk.outs / tile.outs);
  const units = tile.split * walk.groups * rows.classes.length * outBlocks;
  // A quad has its output channels in common. Elsewhere, threads of few pixels fill workgroups together.
  const mixed = !tile.quads && pixels < tile.threads;
  const perUnit = mixed ? pixels : Math.ceil(pixels / tile.threads);
  const guard = mixed ? `part < ${u(tile.split)}` : `pixel < ${u(pixels)}`;
  const exact = mixed ? (units * pixels) % tile.threads === 0 : pixels % tile.threads === 0;
  const thread = `group * ${u(tile.threads)} + lix`;
  return {
    name: walk.name,
    reads: [walk.x.input, walk.w.input],
    writes: [targetOf(walk, tile.split)],
    workgroupSize: [tile.threads, 1, 1],
    workgroups: groups(mixed ? Math.ceil((units * pixels) / tile.threads) : units * perUnit),
    body: lines(
      mixed
        ? `let pixel = (${thread}) % ${u(pixels)};`
        : `let pixel = group % ${u(perUnit)} * ${u(tile.threads)} + lix;`,
      `let unit = ${mixed ? `(${thread})` : "group"} / ${u(perUnit)};`,
      `let out = unit % ${u(outBlocks)} * ${u(tile.outs)}${tile.quads ? " + (sgLane & 3u)" : ""};`,
      `let rowClass = unit / ${u(outBlocks)} % ${u(rows.classes.length)};`,
      `let member = unit / ${u(outBlocks * rows.classes.length)} % ${u(walk.groups)};`,
      `let part = unit / ${u(outBlocks * rows.classes.length * walk.groups)};`,
      `let image = pixel / ${u(rowsOfClass * blocks)};`,
      `let rowIndex = pixel / ${u(blocks)} % ${u(rowsOfClass)};`,
      `let block = pixel % ${u(blocks)};`,
      ...rounds(walk, tile),
      ...stores(walk, tile, exact ? undefined : guard),
    ),
    subgroups: tile.quads,
    macs: walk.macs,
  };
}

/** The sums, and the loop that adds to them: one loop over channels and taps, since each has its price. */
function rounds(walk: Walk, tile: DirectTile): string[] {
  const { x, w, rows, cols, channels } = walk;
  const [perChannel, perRow, perCol] = tile.unroll;
  const columns = columnsOf(cols, tile.cols);
  const perPart = Math.ceil(channels / perChannel / tile.split) * perChannel;
  const rowTaps = chosen(rows.classes, "taps", "rowClass");
  const loopsRows = rowTaps !== u(perRow);
  const loopsCols = tapsOf(cols) > perCol;
  const end = tile.split === 1 ? u(channels) : `min((part + 1u) * ${u(perPart)}, ${u(channels)})`;
  return [
    ...partsOf(tile).flatMap((part) => columns.map(({ at }) => `var ${nameOfSum(part, at)} = 0f;`)),
    `let row0 = rowIndex * ${u(rows.stride)} + ${chosen(rows.classes, "offset", "rowClass")};`,
    `let col0 = block * ${u(tile.cols * cols.stride)};`,
    `let xBase = image * ${u(x.image)} + member * ${u(x.group)} + row0 * ${u(x.row)} + col0 * ${u(x.col)};`,
    `let wBase = member * ${u(w.group)} + out * ${u(w.out)} + ${chosen(rows.classes, "first", "rowClass")} * ${u(w.row)};`,
    `let end = ${rows.classes.some(({ taps }) => taps === 0) ? `select(${end}, 0u, ${rowTaps} == 0u)` : end};`,
    ...(loopsRows ? ["var m = 0u;"] : []),
    ...(loopsCols ? ["var t = 0u;"] : []),
    `for (var c = ${tile.split === 1 ? "0u" : `part * ${u(perPart)}`}; c < end;) {`,
    ...indented([
      `let xAt = xBase + c * ${u(x.channel)}${loopsRows ? ` + m * ${u(rows.step * x.row)}` : ""}${loopsCols ? ` + t * ${u(cols.step * x.col)}` : ""};`,
      `let wAt = wBase + c * ${u(w.channel)}${loopsRows ? ` + m * ${u(rows.every * w.row)}` : ""}${loopsCols ? ` + t * ${u(w.col)}` : ""};`,
      ...readsOfW(walk, tile),
      ...readsOfX(walk, tile, columns, [loopsRows ? "m" : "0u", loopsCols ? "t" : "0u"]),
      ...sums(walk, tile, columns),
      ...advance(perChannel, [
        ...(loopsCols ? [{ name: "t", by: perCol, to: u(tapsOf(cols)) }] : []),
        ...(loopsRows ? [{ name: "m", by: perRow, to: rowTaps }] : []),
      ]),
    ]),
    "}",
  ];
}

/** Counts the innermost counter on; each that is through carries into the next, the last into the channel. */
function advance(perChannel: number, counters: readonly { name: string; by: number; to: string }[]): string[] {
  let carry = "";
  const result: string[] = [];
  const step = (name: string, by: number): string =>
    carry === "" ? `${name} += ${u(by)};` : `${name} = select(${name}, ${name} + ${u(by)}, ${carry});`;
  for (const { name, by, to } of counters) {
    result.push(step(name, by), `let ${name}_end = ${name} == ${to};`, `${name} = select(${name}, 0u, ${name}_end);`);
    carry = `${name}_end`;
  }
  return [...result, step("c", perChannel)];
}

function readsOfW({ w, rows }: Walk, { outs, quads, unroll }: DirectTile): string[] {
  const outStride = quads ? 4 * w.out : w.out;
  return stepsOf(unroll).flatMap((step) => {
    const [c, m, t] = step;
    const offset = c * w.channel + m * rows.every * w.row + t * w.col;
    return range(quads ? outs / 4 : outs).map(
      (i) => `let ${nameOfW(i, step)} = r1(wAt + ${u(offset + i * outStride)});`,
    );
  });
}

/** Reads of `x`, each once a round however many taps it meets. Padding reads as 0. */
function readsOfX(
  { x, rows, cols }: Walk,
  tile: DirectTile,
  columns: readonly Column[],
  counters: readonly [string, string],
): string[] {
  const result: string[] = [];
  const met = new Set(range(tile.unroll[2]).flatMap((t) => columns.map((column) => meeting(cols, column, t))));
  const positions = [...met].filter((p) => p !== undefined).sort((a, b) => a - b);
  const inRows = alwaysInside(rows);
  // Columns beyond the last, in a thread's remainder, are never stored and may read anything.
  const inCols = alwaysInside(cols);
  if (!inCols) {
    result.push(`let col = col0 + ${counters[1]} * ${u(cols.step)};`);
    for (const p of positions) result.push(`let in${nameOfX(0, 0, p)} = col + ${u(p)} < ${u(cols.size)};`);
  }
  for (const m of range(tile.unroll[1])) {
    if (!inRows) result.push(`let in${m} = row0 + (${counters[0]} + ${u(m)}) * ${u(rows.step)} < ${u(rows.size)};`);
    for (const c of range(tile.unroll[0])) {
      for (const p of positions) {
        const value = `r0(xAt + ${u(c * x.channel + m * rows.step * x.row + p * x.col)})`;
        const inside = both(...(inRows ? [] : [`in${m}`]), ...(inCols ? [] : [`in${nameOfX(0, 0, p)}`]));
        result.push(`let ${nameOfX(c, m, p)} = ${inside === "" ? value : `select(0f, ${value}, ${inside})`};`);
        if (!tile.quads) continue;
        for (const swap of [1, 2, 3])
          result.push(`let ${nameOfX(c, m, p, swap)} = ${swaps[swap]}(${nameOfX(c, m, p)});`);
      }
    }
  }
  return result;
}

function sums({ cols }: Walk, tile: DirectTile, columns: readonly Column[]): string[] {
  const steps = stepsOf(tile.unroll);
  return partsOf(tile).flatMap((part) =>
    columns.flatMap((column) => {
      const terms = steps.flatMap((step) => {
        const p = meeting(cols, column, step[2]);
        return p === undefined ? [] : [`${nameOfW(part.out, step)} * ${nameOfX(step[0], step[1], p, part.swap)}`];
      });
      return terms.length === 0 ? [] : [`${nameOfSum(part, column.at)} += ${terms.join(" + ")};`];
    }),
  );
}

const when = (test: string, inside: readonly string[]): string[] =>
  test === "" ? [...inside] : [`if (${test}) {`, ...indented(inside), "}"];

/** Writes the sums; a quad's thread writes for each of the four their pixels, and its own output channels. */
function stores({ y, rows, cols, outs, size }: Walk, tile: DirectTile, guard: string | undefined): string[] {
  const width = tile.cols * cols.classes.length;
  const classes = rows.classes.length;
  const perOut = tile.quads ? 4 : 1;
  const tests = [
    ...(guard === undefined ? [] : [guard]),
    ...(rows.out % classes === 0 ? [] : [`row < ${u(rows.out)}`]),
  ];
  const ragged = cols.out % width !== 0;
  const raggedOuts = outs % tile.outs !== 0;
  const store = (swap: number): string[] =>
    partsOf(tile)
      .filter((part) => part.swap === swap)
      .flatMap((part) =>
        when(
          raggedOuts ? `out + ${u(part.out * perOut)} < ${u(outs)}` : "",
          range(width).flatMap((at) =>
            when(ragged && at > 0 ? `first${swap} + ${u(at)} < ${u(cols.out)}` : "", [
              `w0(base + place${swap} + ${u(part.out * perOut * y.out + at * y.col)}, ${nameOfSum(part, at)});`,
            ]),
          ),
        ),
      );
  const exchanged = (name: string, value: string): string[] => [
    `let ${name}0 = ${value};`,
    ...(tile.quads ? [1, 2, 3] : []).map((swap) => `let ${name}${swap} = ${swaps[swap]}(${name}0);`),
  ];
  return [
    `let row = rowIndex * ${u(classes)} + rowClass;`,
    ...exchanged("place", `image * ${u(y.image)} + row * ${u(y.row)} + block * ${u(width * y.col)}`),
    ...(tests.length === 0 ? [] : exchanged("valid", `select(0u, 1u, ${both(...tests)})`)),
    ...(ragged ? exchanged("first", `block * ${u(width)}`) : []),
    `let base = part * ${u(size)} + member * ${u(y.group)} + out * ${u(y.out)};`,
    ...range(tile.quads ? 4 : 1).flatMap((swap) => when(tests.length === 0 ? "" : `valid${swap} == 1u`, store(swap))),
  ];
}
