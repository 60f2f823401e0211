/**
 * A {@link Walk} in registers alone: each thread sums a tile of output channels by columns, reading its operands straight from the
 * inputs. Nothing is shared between threads, so nothing waits; where reads are dear but arithmetic between registers is cheap, as on a
 * CPU, this is the fastest.
 */
import { type Dispatch, groups } from "../kernel.js";
import { targetOf } from "./split.js";
import { type Axis, lines, type ResidueClass, range, tapsOf, u, type Walk } from "./walk.js";

/** A way to run a walk in registers. */
export interface DirectTile {
  readonly kind: "direct";
  /** Output channels of a thread. */
  readonly outs: number;
  /** Columns of a thread, for each residue class. */
  readonly cols: number;
  /** Channels, row taps and column taps that one round of the loops takes; each divides its number. */
  readonly unroll: readonly [number, number, number];
  /** Threads of a workgroup. */
  readonly threads: number;
  /** Whether four lanes of a subgroup read four different elements of `w` and then pass them around. */
  readonly share: boolean;
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

/** A value that differs between residue classes, chosen by the class `r`. */
function chosen(classes: readonly ResidueClass[], key: keyof ResidueClass): string {
  const values = classes.map((c) => u(c[key]));
  if (new Set(values).size === 1) return values[0]!;
  return values.slice(1).reduce((text, value, i) => `select(${text}, ${value}, rowClass == ${i + 1}u)`, values[0]!);
}

const stepsOf = ([c, m, t]: DirectTile["unroll"]): Step[] =>
  range(c).flatMap((i) => range(m).flatMap((j) => range(t).map((k): Step => [i, j, k])));

const key = (step: Step): string => step.join("_");

/** The dispatch that sums the walk (or the parts of it, into temporary memory). */
export function direct(walk: Walk, tile: DirectTile): Dispatch {
  const { rows, cols, groups: groupCount, images, outs } = walk;
  const rowsOfClass = Math.ceil(rows.out / rows.classes.length);
  const blocks = Math.ceil(cols.out / (tile.cols * cols.classes.length));
  const outBlocks = Math.ceil(outs / tile.outs);
  const pixels = images * rowsOfClass * blocks;
  const shared = [tile.split, groupCount, rows.classes.length, outBlocks];
  const flat = !tile.share && pixels < tile.threads;
  const units = shared.reduce((a, b) => a * b, 1);
  const workgroups = flat ? Math.ceil((units * pixels) / tile.threads) : units * Math.ceil(pixels / tile.threads);
  const body = lines(
    ...places(flat ? "thread" : "group", flat ? pixels : Math.ceil(pixels / tile.threads), tile, walk),
    `let image = pixel / ${u(rowsOfClass * blocks)};`,
    `let rowIndex = pixel / ${u(blocks)} % ${u(rowsOfClass)};`,
    `let block = pixel % ${u(blocks)};`,
    ...rounds(walk, tile),
    ...stores(
      walk,
      tile,
      flat
        ? (units * pixels) % tile.threads !== 0 && `part < ${u(tile.split)}`
        : pixels % tile.threads !== 0 && `image < ${u(images)}`,
    ),
  );
  return {
    name: walk.name,
    reads: [walk.x.input, walk.w.input],
    writes: [targetOf(walk, tile.split)],
    workgroupSize: [tile.threads, 1, 1],
    workgroups: groups(workgroups),
    body,
    subgroups: tile.share,
    macs: walk.macs,
  };
}

/** Which part of the work is this thread's. Whatever all threads of a workgroup have in common is said so, for lanes to share reads. */
function places(unit: "thread" | "group", inUnit: number, { threads, outs }: DirectTile, walk: Walk): string[] {
  const outBlocks = Math.ceil(walk.outs / outs);
  const classes = walk.rows.classes.length;
  return [
    ...(unit === "thread"
      ? [`let thread = group * ${u(threads)} + lix;`, `let pixel = thread % ${u(inUnit)};`]
      : [`let pixel = group % ${u(inUnit)} * ${u(threads)} + lix;`]),
    `let unit = ${unit} / ${u(inUnit)};`,
    `let out = unit % ${u(outBlocks)} * ${u(outs)};`,
    `let rowClass = unit / ${u(outBlocks)} % ${u(classes)};`,
    `let member = unit / ${u(outBlocks * classes)} % ${u(walk.groups)};`,
    `let part = unit / ${u(outBlocks * classes * walk.groups)};`,
  ];
}

/** The accumulators, and the loops that fill them. */
function rounds(walk: Walk, tile: DirectTile): string[] {
  const { x, w, rows, cols, channels } = walk;
  const [perChannel, perRow, perCol] = tile.unroll;
  const steps = stepsOf(tile.unroll);
  const columns = columnsOf(cols, tile.cols);
  const [taps, loopsCols] = [tapsOf(cols), tapsOf(cols) > perCol];
  const part = channels / perChannel / tile.split;
  const bounds =
    tile.split === 1
      ? ["0u", u(channels)]
      : [
          `part * ${u(Math.ceil(part) * perChannel)}`,
          `min((part + 1u) * ${u(Math.ceil(part) * perChannel)}, ${u(channels)})`,
        ];
  const loop = (name: string, from: string, to: string, by: number, inside: string[]): string[] => [
    `for (var ${name} = ${from}; ${name} < ${to}; ${name} += ${u(by)}) {`,
    ...inside.map((line) => `  ${line}`),
    "}",
  ];
  const inner = [
    `let xAt = xBase + c * ${u(x.channel)} + m * ${u(rows.step * x.row)}${loopsCols ? ` + t * ${u(cols.step * x.col)}` : ""};`,
    `let wAt = wBase + c * ${u(w.channel)} + m * ${u(rows.every * w.row)}${loopsCols ? ` + t * ${u(w.col)}` : ""};`,
    ...readsOfW(walk, tile, steps),
    ...readsOfX(walk, tile, steps, columns, loopsCols),
    ...sums(walk, tile, steps, columns),
  ];
  const overCols = loopsCols ? loop("t", "0u", u(taps), perCol, inner) : inner;
  return [
    ...range(tile.outs).flatMap((i) => columns.map(({ at }) => `var s${i}_${at} = 0f;`)),
    `let row0 = rowIndex * ${u(rows.stride)} + ${chosen(rows.classes, "offset")};`,
    `let col0 = block * ${u(tile.cols * cols.stride)};`,
    `let xBase = image * ${u(x.image)} + member * ${u(x.group)} + row0 * ${u(x.row)} + col0 * ${u(x.col)};`,
    `let wBase = member * ${u(w.group)} + out * ${u(w.out)} + ${chosen(rows.classes, "first")} * ${u(w.row)}${tile.share ? ` + sgLane * ${u(w.out)}` : ""};`,
    ...loop("c", bounds[0]!, bounds[1]!, perChannel, loop("m", "0u", chosen(rows.classes, "taps"), perRow, overCols)),
  ];
}

/** Reads of `w`: one for each element, or, shared, one for four output channels. */
function readsOfW({ w, rows }: Walk, { outs, share }: DirectTile, steps: readonly Step[]): string[] {
  const offset = ([c, m, t]: Step): number => c * w.channel + m * rows.every * w.row + t * w.col;
  if (!share)
    return steps.flatMap((s) => range(outs).map((i) => `let w${i}_${key(s)} = r1(wAt + ${u(offset(s) + i * w.out)});`));
  return steps.flatMap((s) =>
    range(Math.ceil(outs / 4)).flatMap((g) => [
      `let q${g}_${key(s)} = r1(wAt + ${u(offset(s) + 4 * g * w.out)});`,
      ...range(Math.min(4, outs - 4 * g)).map(
        (l) => `let w${4 * g + l}_${key(s)} = subgroupBroadcast(q${g}_${key(s)}, ${l}u);`,
      ),
    ]),
  );
}

const nameOfX = (c: number, m: number, col: number): string => `x${c}_${m}_${col < 0 ? `n${-col}` : col}`;

/** Reads of `x`, each once a round however many taps it meets. Padding reads as 0. */
function readsOfX(
  { x, rows, cols }: Walk,
  tile: DirectTile,
  steps: readonly Step[],
  columns: readonly Column[],
  loopsCols: boolean,
): string[] {
  const result: string[] = [];
  const met = new Set(steps.flatMap(([, , t]) => columns.map((column) => meeting(cols, column, t))));
  const positions = [...met].filter((p) => p !== undefined).sort((a, b) => a - b);
  const inRows = alwaysInside(rows);
  // Columns beyond the last, in a thread's remainder, are never stored and may read anything.
  const inCols = alwaysInside(cols);
  if (!inCols) {
    result.push(`let col = col0${loopsCols ? ` + t * ${u(cols.step)}` : ""};`);
    for (const p of positions) result.push(`let ${nameOfX(0, 0, p)}_in = col + ${u(p)} < ${u(cols.size)};`);
  }
  for (const m of range(tile.unroll[1])) {
    if (!inRows) result.push(`let row${m}_in = row0 + (m + ${u(m)}) * ${u(rows.step)} < ${u(rows.size)};`);
    for (const c of range(tile.unroll[0])) {
      for (const p of positions) {
        const value = `r0(xAt + ${u(c * x.channel + m * rows.step * x.row + p * x.col)})`;
        const inside = [...(inRows ? [] : [`row${m}_in`]), ...(inCols ? [] : [`${nameOfX(0, 0, p)}_in`])].join(" && ");
        result.push(`let ${nameOfX(c, m, p)} = ${inside === "" ? value : `select(0f, ${value}, ${inside})`};`);
      }
    }
  }
  return result;
}

/** Whether every output meets only positions inside `x`. */
function alwaysInside({ out, size, classes, stride, step }: Axis): boolean {
  return classes.every(({ taps, offset }, r) => {
    const last = Math.ceil((out - r) / classes.length) - 1;
    const ends = [0, last * stride, (taps - 1) * step, last * stride + (taps - 1) * step].map((p) => p + offset);
    return taps === 0 || last < 0 || ends.every((p) => p >= 0 && p < size);
  });
}

function sums({ cols }: Walk, { outs }: DirectTile, steps: readonly Step[], columns: readonly Column[]): string[] {
  return range(outs).flatMap((i) =>
    columns.flatMap((column) => {
      const terms = steps.flatMap((step) => {
        const p = meeting(cols, column, step[2]);
        return p === undefined ? [] : [`w${i}_${key(step)} * ${nameOfX(step[0], step[1], p)}`];
      });
      return terms.length === 0 ? [] : [`s${i}_${column.at} += ${terms.join(" + ")};`];
    }),
  );
}

function stores({ y, rows, cols, outs, size }: Walk, tile: DirectTile, guard: string | false): string[] {
  const width = tile.cols * cols.classes.length;
  const classes = rows.classes.length;
  const guards = [...(guard === false ? [] : [guard]), ...(rows.out % classes === 0 ? [] : [`row < ${u(rows.out)}`])];
  const store = (i: number, at: number): string => `w0(yAt + ${u(i * y.out + at * y.col)}, s${i}_${at});`;
  const guarded = (test: string | false, inside: string[]): string[] =>
    test === false ? inside : [`if (${test}) {`, ...inside.map((line) => `  ${line}`), "}"];
  const inside = range(tile.outs).flatMap((i) =>
    guarded(
      outs % tile.outs !== 0 && i > 0 && `out + ${u(i)} < ${u(outs)}`,
      range(width).flatMap((at) =>
        guarded(cols.out % width !== 0 && at > 0 && `block * ${u(width)} + ${u(at)} < ${u(cols.out)}`, [store(i, at)]),
      ),
    ),
  );
  return [
    `let row = rowIndex * ${u(classes)} + rowClass;`,
    ...guarded(guards.length > 0 && guards.join(" && "), [
      `let yAt = part * ${u(size)} + member * ${u(y.group)} + image * ${u(y.image)} + out * ${u(y.out)} + row * ${u(y.row)} + block * ${u(width * y.col)};`,
      ...inside,
    ]),
  ];
}
