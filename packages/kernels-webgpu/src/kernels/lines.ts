/**
 * One way to reduce, whatever is reduced: lines of elements are folded into an accumulator each. Which threads work on which elements
 * follows from the shape: a thread a line, a workgroup a line, a workgroup for several neighbouring lines, or several workgroups a line
 * whose accumulators a second dispatch merges. The order of additions is fixed by the shape, so results repeat.
 */
import { type DType, type Shape, sizeOf, stridesOf } from "@ocelli/core";
import { type Dispatch, groups, isProcessor, type Limits, type Source, type Target, type Temp } from "../kernel.js";
import { type Axis, threadsFor, walk } from "./threads.js";

/** The lines of an array: `kept` walks over their starts, `reduced` along one. */
export interface Lines {
  readonly count: number;
  readonly length: number;
  readonly kept: readonly Axis[];
  readonly reduced: readonly Axis[];
}

/** The lines that reducing `axes` makes of a row-major array. Neighbouring axes that go together become one. */
export function linesOf(shape: Shape, axes: readonly number[]): Lines {
  const strides = stridesOf(shape);
  const kept: Axis[] = [];
  const reduced: Axis[] = [];
  let last: Axis[] | undefined;
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue;
    const list = axes.includes(i) ? reduced : kept;
    const outer = list === last ? list.pop() : undefined;
    list.push({ size: size * (outer?.size ?? 1), stride: strides[i]! });
    last = list;
  }
  const total = (list: readonly Axis[]): number => sizeOf(list.map(({ size }) => size));
  return { count: total(kept), length: total(reduced), kept, reduced };
}

export type Scalar = "f32" | "i32" | "u32";

const dtypeOf: Readonly<Record<Scalar, DType>> = { f32: "float32", i32: "int32", u32: "uint32" };

/** How elements become one accumulator, a WGSL struct `Acc`. All members are WGSL. */
export interface Fold {
  readonly fields: Readonly<Record<string, Scalar>>;
  /** Values of the fields when there are no elements. */
  readonly zero: string;
  /** Statements before a lane's elements. `line` is the line; the lane's first element is `first` (valid even if it has none). */
  readonly begin?: string;
  /** Statements that add to `acc` the element `k` of the line, which lies at `at`. */
  readonly take: string;
  /** Statements after a lane's elements. */
  readonly end?: string;
  /** Statements that return what `a` and `b` make together. `a` holds the earlier elements of two lanes that interleave. */
  readonly merge: string;
  /** Statements that return what the `acc` of all lanes of a subgroup make together. */
  readonly subgroup: string;
}

/** What happens to the accumulator of a whole line, `total`. */
interface Finish {
  /** Statements, once a line; `place` is its number. */
  readonly line?: string;
  /** Statements, once an element `k` of the line, which lies at `at`. */
  readonly element?: string;
}

interface Folding {
  readonly name: string;
  readonly limits: Limits;
  readonly lines: Lines;
  readonly fold: Fold;
  readonly reads: readonly Source[];
  readonly writes: readonly Target[];
  readonly finish: Finish;
}

/** Who works on what. */
interface Plan {
  /** Neighbouring lines of a workgroup. */
  readonly across: number;
  /** Threads a line. */
  readonly lanes: number;
  /** Workgroups a line. */
  readonly parts: number;
  /** Elements of a part: a multiple of `lanes`. */
  readonly chunk: number;
}

// Longer chains of float additions lose digits.
const longestChain = 256;
// About as many workgroups of 256 as keep a large GPU busy.
const busy = 1024;

const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, least)));

/** More lanes only mean more merging where they take turns. */
function narrowLanes({ count, length }: Lines): Pick<Plan, "across" | "lanes"> {
  if (length <= 32) return { across: threadsFor(count), lanes: 1 };
  return { across: 1, lanes: Math.min(256, Math.max(4, powerOfTwo(length / longestChain))) };
}

function lanesOf({ count, length, kept, reduced }: Lines): Pick<Plan, "across" | "lanes"> {
  const neighbours = kept.at(-1)?.stride === 1 || reduced.length === 0;
  if (!neighbours) {
    if (length <= 32) return { across: threadsFor(count), lanes: 1 };
    return { across: 1, lanes: length <= 512 ? 64 : 256 };
  }
  const inChain = Math.ceil(length / longestChain);
  const enough = Math.ceil(65536 / Math.max(1, count));
  const lanes = powerOfTwo(Math.max(inChain, Math.min(enough, length / 8)));
  if (lanes <= 1) return { across: threadsFor(count), lanes: 1 };
  const across = Math.min(32, powerOfTwo(kept.at(-1)?.size ?? 1));
  return { across, lanes: Math.min(lanes, 256 / across) };
}

/** The plan for some lines; with `split` false, one workgroup does a whole line. */
export function planOf(lines: Lines, split: boolean, limits: Limits): Plan {
  const narrow = isProcessor(limits);
  const { across, lanes } = narrow ? narrowLanes(lines) : lanesOf(lines);
  const each = Math.ceil(lines.length / lanes);
  const workgroups = Math.ceil(lines.count / across);
  const filling = !narrow && workgroups < busy / 2 && each >= 64 ? Math.min(busy / workgroups, each / 16) : 1;
  const parts = split ? Math.max(1, Math.floor(filling), Math.ceil(each / longestChain)) : 1;
  const chunk = Math.max(1, Math.ceil(each / parts)) * lanes;
  return { across, lanes, parts: Math.max(1, Math.ceil(lines.length / chunk)), chunk };
}

/** Subgroups serve where workgroups consist of whole ones that all work on one line. */
const bySubgroups = ({ across, lanes }: Plan, { subgroups }: Limits): boolean =>
  subgroups !== undefined && across === 1 && lanes > 1 && lanes % subgroups.max === 0;

const parameters = "lix: u32, sgLane: u32, sgSize: u32";

/**
 * `combine`: the accumulators of all lanes of a line, merged; every lane gets the result. WGSL does not promise that subgroups are
 * numbered through a workgroup of one dimension; its implementations do so.
 */
function combineBySubgroups(lanes: number, least: number, { zero, subgroup }: Fold): string {
  return `var<workgroup> partial: array<Acc, ${lanes / least}>;
fn within(acc: Acc) -> Acc {
${subgroup}
}
fn combine(own: Acc, ${parameters}) -> Acc {
  let mine = within(own);
  if (sgLane == 0u) { partial[lix / sgSize] = mine; }
  workgroupBarrier();
  var acc = Acc(${zero});
  for (var i = sgLane; i < ${lanes}u / sgSize; i += sgSize) { acc = merge(acc, partial[i]); }
  return within(acc);
}
`;
}

/** The same in workgroup memory, halving; `across` lines side by side. */
function combineByTree(across: number, lanes: number): string {
  return `var<workgroup> partial: array<Acc, ${across * lanes}>;
fn combine(own: Acc, lix: u32) -> Acc {
  partial[lix] = own;
  workgroupBarrier();
  for (var step = ${(across * lanes) / 2}u; step >= ${across}u; step >>= 1u) {
    if (lix < step) { partial[lix] = merge(partial[lix], partial[lix + step]); }
    workgroupBarrier();
  }
  return partial[lix % ${across}u];
}
`;
}

function declarationsOf({ lines, fold, limits }: Folding, plan: Plan): string {
  const { across, lanes } = plan;
  const fields = Object.entries(fold.fields).map(([field, type]) => `${field}: ${type}`);
  const least = limits.subgroups?.min ?? 1;
  const combine = bySubgroups(plan, limits)
    ? combineBySubgroups(lanes, least, fold)
    : lanes > 1
      ? combineByTree(across, lanes)
      : "";
  return `struct Acc { ${fields.join(", ")} }
${walk("lineAt", lines.kept)}${walk("elementAt", lines.reduced)}fn merge(a: Acc, b: Acc) -> Acc {
${fold.merge}
}
${combine}`;
}

/** A loop over a lane's elements, four at a time so that their reads overlap. */
function overElements({ length }: Lines, { lanes, parts, chunk }: Plan, statements: string): string {
  const body = (ahead: number): string =>
    `{ let k = next + ${ahead * lanes}u; let at = base + elementAt(k);\n${statements}\n    }`;
  const four = chunk >= 4 * lanes;
  const remainder = !four || length % (4 * lanes) !== 0 || (parts > 1 && chunk % (4 * lanes) !== 0);
  return `${
    four
      ? `  for (; next + ${3 * lanes}u < stop; next += ${4 * lanes}u) {\n    ${[0, 1, 2, 3].map(body).join("\n    ")}\n  }\n`
      : ""
  }${remainder ? `  for (; next < stop; next += ${lanes}u) {\n    ${body(0)}\n  }\n` : ""}`;
}

function bodyOf({ lines, fold, finish, limits }: Folding, plan: Plan): string {
  const { across, lanes, parts, chunk } = plan;
  const { count, length } = lines;
  const workgroups = Math.ceil(count / across) * parts;
  const combined = bySubgroups(plan, limits)
    ? "combine(acc, lix, sgLane, sgSize)"
    : lanes > 1
      ? "combine(acc, lix)"
      : "acc";
  const many = parts > 1;
  const mine = lanes > 1 ? `place < ${count}u && lane == 0u` : `place < ${count}u`;
  return `  if (group >= ${workgroups}u) { return; }
  let lane = lix / ${across}u;
  ${many ? `let part = group % ${parts}u;` : ""}
  let place = group ${many ? `/ ${parts}u ` : ""}* ${across}u + lix % ${across}u;
  let line = min(place, ${count - 1}u);
  let base = lineAt(line);
  let start = ${many ? `part * ${chunk}u + ` : ""}lane;
  let stop = ${many ? `min(${length}u, (part + 1u) * ${chunk}u)` : `${length}u`};
  var acc = Acc(${fold.zero});
  var next = start;
  ${fold.begin === undefined ? "" : `let first = base + elementAt(min(start, ${length - 1}u));\n${fold.begin}`}
${overElements(lines, plan, fold.take)}${fold.end ?? ""}
  let total = ${combined};
${finish.line === undefined ? "" : `  if (${mine}) {\n${finish.line}\n  }\n`}${
  finish.element === undefined
    ? ""
    : `  if (place < ${count}u) {\n  next = start;\n${overElements(lines, plan, finish.element)}  }\n`
}`;
}

function dispatchOf(folding: Folding, plan: Plan): Dispatch {
  const { name, lines, reads, writes, limits } = folding;
  return {
    name,
    reads,
    writes,
    workgroupSize: [plan.across * plan.lanes, 1, 1],
    workgroups: groups(Math.ceil(lines.count / plan.across) * plan.parts),
    declarations: declarationsOf(folding, plan),
    body: bodyOf(folding, plan),
    ...(bySubgroups(plan, limits) ? { subgroups: true } : {}),
  };
}

/** Lines without elements: nothing is read. */
function emptyDispatch(folding: Folding): Dispatch {
  const lines = { ...folding.lines, length: 1, reduced: [] };
  const { begin: _, end: __, ...fold } = folding.fold;
  return dispatchOf(
    { ...folding, lines, reads: [], fold: { ...fold, take: "" } },
    planOf(lines, false, folding.limits),
  );
}

/** Dispatches that fold each line. Only a `finish` by `line` may be done by several workgroups. */
export function foldLines(folding: Folding): Dispatch[] {
  const { name, lines, fold, finish, writes } = folding;
  if (lines.length === 0) return [emptyDispatch(folding)];
  const plan = planOf(lines, finish.element === undefined, folding.limits);
  if (plan.parts === 1) return [dispatchOf(folding, plan)];
  const { parts } = plan;
  const fields = Object.entries(fold.fields);
  const temps = fields.map(
    ([field, type]): Temp => ({ temp: `partial.${field}`, dtype: dtypeOf[type], size: lines.count * parts }),
  );
  const stores = fields.map(([field], i) => `    w${i}(place * ${parts}u + part, total.${field});`);
  const partial = dispatchOf(
    { ...folding, name: `${name}.parts`, writes: temps, finish: { line: stores.join("\n") } },
    plan,
  );
  const { begin: _, end: __, ...kept } = fold;
  const merging: Folding = {
    ...folding,
    name: `${name}.merge`,
    lines: {
      count: lines.count,
      length: parts,
      kept: [{ size: lines.count, stride: parts }],
      reduced: [{ size: parts, stride: 1 }],
    },
    reads: temps,
    writes,
    fold: { ...kept, take: `      acc = merge(acc, Acc(${fields.map((_field, i) => `r${i}(at)`).join(", ")}));` },
  };
  return [partial, dispatchOf(merging, planOf(merging.lines, false, folding.limits))];
}
