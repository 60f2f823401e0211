/**
 * Adding at indices without atomics, and in the order of the indices, so that results repeat. A few indices are compared by every
 * output. Many are sorted (by merging, stably), and each output adds up its own stretch of them.
 */
import { type DType, sizeOf } from "@ocelli/core";
import { type Dispatch, groups, type Kernel, type Temp } from "../kernel.js";
import { scalarOf } from "../wgsl/storage.js";
import { each } from "./threads.js";

/** The indexed tensor seen from its axis. */
interface Target {
  readonly name: string;
  /** Elements of the tensor, length of the axis, elements of one of its entries. */
  readonly size: number;
  readonly count: number;
  readonly inner: number;
  /** How many indices. */
  readonly indices: number;
  readonly dtype: DType;
}

const zero = (dtype: DType): string => (dtype === "bool" ? "0u" : `${scalarOf[dtype]}(0)`);
const number = (value: string, dtype: DType): string => (dtype === "bool" ? `u32(${value})` : value);
const result = (dtype: DType): string => (dtype === "bool" ? "total != 0u" : "total");

/** Statements: `entry` is the element's place on the axis; what update 0 would add to it lies at `updates`. */
const place = ({ count, inner, indices }: Target): string =>
  `  let entry = i / ${inner}u % ${count}u;
  let updates = i / ${inner * count}u * ${indices * inner}u + i % ${inner}u;
`;

function byComparing(target: Target): Dispatch {
  const { name, size, inner, indices, dtype } = target;
  const loop = `  for (var k = 0u; k < ${indices}u; k++) {
    if (u32(r1(k)) == entry) { total += ${number(`r2(updates + k * ${inner}u)`, dtype)}; }
  }
`;
  const body = `${place(target)}  var total = ${number("r0(i)", dtype)};\n${loop}  w0(i, ${result(dtype)});`;
  return each({ name, count: size, reads: [0, 1, 2], writes: [0], body });
}

/** Indices in ascending order of pairs (index, number), as far as they are sorted yet. */
interface Pairs {
  readonly keys: Temp;
  readonly numbers: Temp;
}

function pairs(generation: number, size: number): Pairs {
  // Each step reads what the last one wrote.
  const suffix = generation % 2;
  return {
    keys: { temp: `keys${suffix}`, dtype: "uint32", size },
    numbers: { temp: `numbers${suffix}`, dtype: "uint32", size },
  };
}

const block = 256;

/**
 * Sorts blocks, each in one workgroup: an index's place is the number of indices that go before it. What is missing of the last block goes
 * behind all others.
 */
function sortBlocks({ name, indices }: Target, to: Pairs): Dispatch {
  return {
    name: `${name}.sort`,
    reads: [1],
    writes: [to.keys, to.numbers],
    workgroupSize: [block, 1, 1],
    workgroups: groups(Math.ceil(indices / block)),
    declarations: `var<workgroup> keys: array<u32, ${block}>;`,
    body: `  let start = group * ${block}u;
  if (start >= ${indices}u) { return; }
  var own = 0xffffffffu;
  if (start + lix < ${indices}u) { own = u32(r0(start + lix)); }
  keys[lix] = own;
  workgroupBarrier();
  var place = start;
  for (var n = 0u; n < ${block}u; n++) {
    place += select(0u, 1u, keys[n] < own || (keys[n] == own && n < lix));
  }
  if (start + lix < ${indices}u) {
    w0(place, own);
    w1(place, start + lix);
  }`,
  };
}

/** A WGSL function: how many of the sorted keys from `first` on, and before `behind`, are less than `key`. */
const searching = `
fn less(key: u32, first: u32, behind: u32) -> u32 {
  var low = first;
  var high = behind;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (r0(middle) < key) { low = middle + 1u; } else { high = middle; }
  }
  return low - first;
}`;

/** Merges neighbouring sorted runs of `width` by twos: a pair moves by as many as go before it in the other run; equal keys of
 * the earlier run go first. */
function mergeRuns({ name, indices }: Target, width: number, from: Pairs, to: Pairs): Dispatch {
  const body = `  let run = i / ${width}u;
  let other = (run ^ 1u) * ${width}u;
  let stop = min(other + ${width}u, ${indices}u);
  let ahead = less(r0(i) + (run & 1u), min(other, stop), stop);
  let place = (run >> 1u) * ${2 * width}u + i % ${width}u + ahead;
  w0(place, r0(i));
  w1(place, r1(i));`;
  return each({
    name: `${name}.merge`,
    count: indices,
    reads: [from.keys, from.numbers],
    writes: [to.keys, to.numbers],
    declarations: searching,
    body,
  });
}

function bySorting(target: Target): Dispatch[] {
  const { name, size, count, inner, indices, dtype } = target;
  let sorted = pairs(0, indices);
  const dispatches = [sortBlocks(target, sorted)];
  for (let width = block; width < indices; width *= 2) {
    const to = pairs(dispatches.length, indices);
    dispatches.push(mergeRuns(target, width, sorted, to));
    sorted = to;
  }
  const starts: Temp = { temp: "starts", dtype: "uint32", size: count + 1 };
  dispatches.push(
    each({
      name: `${name}.starts`,
      count: count + 1,
      reads: [sorted.keys],
      writes: [starts],
      declarations: searching,
      body: `  w0(i, less(i, 0u, ${indices}u));`,
    }),
  );
  // In blocks, so that many updates of one entry are no long chain of additions.
  const body = `${place(target)}  let stop = r3(entry + 1u);
  var total = ${number("r0(i)", dtype)};
  for (var next = r3(entry); next < stop; next += 64u) {
    var some = ${zero(dtype)};
    for (var k = next; k < min(stop, next + 64u); k++) {
      some += ${number(`r1(updates + r2(k) * ${inner}u)`, dtype)};
    }
    total += some;
  }
  w0(i, ${result(dtype)});`;
  dispatches.push(each({ name, count: size, reads: [0, 2, sorted.numbers, starts], writes: [0], body }));
  return dispatches;
}

/** `x` with updates added at indices along an axis. Inputs: x, indices (int32), updates. */
export const scatterAdd: Kernel = {
  inlines: () => [true, false, true],
  dispatches: ({ node, inputs, attrs }) => {
    const { axis } = attrs as { axis: number };
    const { shape, dtype } = inputs[0]!;
    const indices = inputs[1]!.shape[0]!;
    const size = sizeOf(shape);
    const inner = sizeOf(shape.slice(axis + 1));
    const target = { name: node.op.name, size, count: shape[axis]!, inner, indices, dtype };
    if (indices === 0)
      return [each({ name: target.name, count: size, reads: [0], writes: [0], body: "  w0(i, r0(i));" })];
    return indices <= 64 ? [byComparing(target)] : bySorting(target);
  },
};
