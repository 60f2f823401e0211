import type { Value } from "../builder.js";
import { castTo } from "./elementwise.js";
import { inputOf, lowering, reduced } from "./lowering.js";

const axesOf = (attrs: unknown): readonly number[] => (attrs as { axes: readonly number[] }).axes;

const sum = lowering((b, node, [x]) => {
  if (inputOf(node, 0).dtype !== "int32") return [reduced(b, "ReduceSum", x as Value, axesOf(node.attrs))];
  // 32-bit sums saturate in some kernels; ours wrap around.
  return [castTo(b, reduced(b, "ReduceSum", castTo(b, x as Value, "int64"), axesOf(node.attrs)), "int32")];
});

const max = lowering((b, node, [x]) => [reduced(b, "ReduceMax", x as Value, axesOf(node.attrs))]);

const argmax = lowering((b, node, [x]) => {
  const { dtype } = inputOf(node, 0);
  // Kernels take these; uint32 fits a double exactly, which is needed nowhere else.
  const known =
    dtype === "bool" ? castTo(b, x as Value, "uint8") : dtype === "uint32" ? castTo(b, x as Value, "float64") : x;
  const at = b.node("ArgMax", [known as Value], { axis: (node.attrs as { axis: number }).axis, keepdims: 1 });
  return [castTo(b, at, "int32")];
});

export const reduceLowerings = { sum, max, argmax };
