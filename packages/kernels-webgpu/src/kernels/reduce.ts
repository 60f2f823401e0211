import type { Attrs, DType } from "@ocelli/core";
import type { Kernel } from "../kernel.js";
import { scalarOf } from "../wgsl/storage.js";
import { type Fold, foldLines, linesOf, type Scalar } from "./lines.js";

/** Lowest value of each type. */
export const lowest: Readonly<Record<Scalar, string>> = { f32: "-0x1.fffffep+127", i32: "-2147483648", u32: "0u" };

/** The type that a dtype is compared in. */
const orderedType = (dtype: DType): Scalar => (dtype === "bool" ? "u32" : scalarOf[dtype]) as Scalar;

export const sumOf = (type: Scalar): Fold => ({
  fields: { sum: type },
  zero: "0",
  take: "      acc.sum += r0(at);",
  merge: "  return Acc(a.sum + b.sum);",
  subgroup: "  return Acc(subgroupAdd(acc.sum));",
});

const maxOf = (type: Scalar): Fold => ({
  fields: { most: type },
  zero: lowest[type],
  take: "      acc.most = max(acc.most, r0(at));",
  merge: "  return Acc(max(a.most, b.most));",
  subgroup: "  return Acc(subgroupMax(acc.most));",
});

const nowhere = "0xffffffffu";

/** The largest element and its number in the line: the first of equals. */
const argmaxOf = (type: Scalar): Fold => ({
  fields: { most: type, index: "u32" },
  zero: `${lowest[type]}, ${nowhere}`,
  take: `      let value = ${type}(r0(at));
      if (acc.index == ${nowhere} || value > acc.most) { acc = Acc(value, k); }`,
  merge: `  let second = b.index != ${nowhere} && (b.most > a.most || (b.most == a.most && b.index < a.index));
  return Acc(select(a.most, b.most, second), select(a.index, b.index, second));`,
  subgroup: `  let most = subgroupMax(acc.most);
  return Acc(most, subgroupMin(select(${nowhere}, acc.index, acc.most == most)));`,
});

function reduction(
  foldOf: (type: Scalar) => Fold,
  axesOf: (attrs: Attrs) => readonly number[],
  result: string,
): Kernel {
  return {
    inlines: () => [true],
    dispatches: ({ node, inputs, attrs, limits }) => {
      const { shape, dtype } = inputs[0]!;
      return foldLines({
        name: node.op.name,
        limits,
        lines: linesOf(shape, axesOf(attrs)),
        fold: foldOf(orderedType(dtype)),
        reads: [0],
        writes: [0],
        finish: { line: `    w0(place, ${result});` },
      });
    },
  };
}

const axesOf = (attrs: Attrs): readonly number[] => (attrs as { axes: readonly number[] }).axes;
const axisOf = (attrs: Attrs): readonly number[] => [(attrs as { axis: number }).axis];

/** Sum over axes, which stay as 1; 0 where there is nothing to add. */
export const sum = reduction(sumOf, axesOf, "total.sum");

/** Maximum over axes, which stay as 1. */
export const max = reduction(maxOf, axesOf, "total.most");

/** Index of the first largest element along an axis, which stays as 1. */
export const argmax = reduction(argmaxOf, axisOf, "i32(total.index)");
