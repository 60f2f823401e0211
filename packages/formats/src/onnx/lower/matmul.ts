import { sameShape } from "@ocelli/core";
import type { MatmulAttrs } from "@ocelli/core/backend";
import type { Value } from "../builder.js";
import { type Emitter, inputOf, type Lowering, type LoweringContext, outputOf, transposed } from "./lowering.js";

/**
 * Operands whose leading dimensions may still be 1: `MatMul` broadcasts them. At least one of the two has them all, so that the
 * product is as large as the node says.
 */
export function operands(context: LoweringContext, [a, b]: Parameters<typeof inputOf>[0]["inputs"]): [Value, Value] {
  if (a === undefined || b === undefined) throw new RangeError("matmul has two inputs");
  const [heldA, heldB] = [context.held(a), context.held(b)];
  const matrix = (tensor: typeof a): boolean => sameShape(context.held(tensor).shape.slice(-2), tensor.shape.slice(-2));
  const wholeA = sameShape(heldA.shape, a.shape);
  const left = wholeA ? heldA.value : matrix(a) && sameShape(heldB.shape, b.shape) ? heldA.value : context.full(a);
  const right = matrix(b) ? heldB.value : context.full(b);
  return [left, right];
}

export function swapLast(b: Emitter, context: LoweringContext, value: Value, rank: number): Value {
  const perm = Array.from({ length: rank }, (_, i) => i);
  [perm[rank - 1], perm[rank - 2]] = [rank - 2, rank - 1];
  return context.once(`swapped ${value}`, () => transposed(b, value, perm));
}

const matmul: Lowering = {
  broadcasts: true,
  lower: (b, node, _, context) => {
    const { transposeA, transposeB } = node.attrs as MatmulAttrs;
    const [left, right] = operands(context, node.inputs);
    const rank = outputOf(node).shape.length;
    if (rank === 2 && (transposeA || transposeB)) {
      return [b.node("Gemm", [left, right], { transA: transposeA, transB: transposeB })];
    }
    const rankOf = (i: number): number => context.held(inputOf(node, i)).shape.length;
    const x = transposeA ? swapLast(b, context, left, Math.min(rank, rankOf(0))) : left;
    const y = transposeB ? swapLast(b, context, right, Math.min(rank, rankOf(1))) : right;
    return [b.node("MatMul", [x, y])];
  },
};

export const matmulLowerings = { matmul };
