import { isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp } from "../op.js";
import { broadcastShapes, formatShape, sameShape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { broadcastTo } from "./layout.js";

export interface MatmulAttrs {
  /** Read the last two dimensions of `a` swapped. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Rows, inner size and columns of a product. */
export function matmulSizes(
  a: Spec,
  b: Spec,
  { transposeA, transposeB }: MatmulAttrs,
): { m: number; k: number; n: number; kb: number } {
  const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
  return {
    m: transposeA ? colsA : rowsA,
    k: transposeA ? rowsA : colsA,
    n: transposeB ? rowsB : colsB,
    kb: transposeB ? colsB : rowsB,
  };
}

export const matmulOp = defineOp<MatmulAttrs>({
  name: "matmul",
  inputs: ["a", "b"],
  infer: ([x, y], attrs) => {
    const [a, b] = [x as Spec, y as Spec];
    if (a.dtype !== b.dtype || !isFloat(a.dtype)) {
      throw new DTypeError(`matmul: operands are ${a.dtype} and ${b.dtype}; they need one float dtype`);
    }
    if (
      a.shape.length < 2 ||
      b.shape.length !== a.shape.length ||
      !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    ) {
      throw new ShapeError(
        `matmul: operands are ${formatShape(a.shape)} and ${formatShape(b.shape)}; they need two dimensions and equal ones before them`,
      );
    }
    const { m, k, n, kb } = matmulSizes(a, b, attrs);
    if (k !== kb) {
      throw new ShapeError(
        `matmul: a has ${k} columns${attrs.transposeA ? " (transposed)" : ""}; b has ${kb} rows${attrs.transposeB ? " (transposed)" : ""}`,
        { k, kb },
      );
    }
    return { shape: [...a.shape.slice(0, -2), m, n], dtype: a.dtype };
  },
  macs: ([a, b], _, attrs) => {
    const { m, k, n } = matmulSizes(a as Spec, b as Spec, attrs);
    return sizeOf((a as Spec).shape.slice(0, -2)) * m * k * n;
  },
  vjp: ({ dy, inputs, attrs: { transposeA, transposeB } }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    // With A' = op(A), B' = op(B): dA' = dy B'^T, dB' = A'^T dy; a transposed operand wants its gradient transposed.
    const dA = transposeA
      ? product(b, dy, { transposeA: transposeB, transposeB: true })
      : product(dy, b, { transposeA: false, transposeB: !transposeB });
    const dB = transposeB
      ? product(dy, a, { transposeA: true, transposeB: transposeA })
      : product(a, dy, { transposeA: !transposeA, transposeB: false });
    return [dA, dB];
  },
});

const product = (a: Tensor, b: Tensor, attrs: MatmulAttrs): Tensor => apply(matmulOp, [a, b], attrs);

/**
 * Matrix product `[..., M, K] x [..., K, N] -> [..., M, N]`; leading dimensions broadcast. The flags read an operand transposed
 * without moving it.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: Partial<MatmulAttrs> = {},
): Tensor {
  const attrs = { transposeA, transposeB };
  if (a.shape.length < 2 || b.shape.length < 2) return product(a, b, attrs);
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul");
  const spread = (x: Tensor): Tensor => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  return product(spread(a), spread(b), attrs);
}
