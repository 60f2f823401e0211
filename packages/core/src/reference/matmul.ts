import { type MatmulAttrs, matmulSizes } from "../ops/matmul.js";
import { sizeOf } from "../shape.js";
import { outputOf, type ReferenceKernel, zeros } from "./kernel.js";

export const matmul: ReferenceKernel = (node, [a, b]) => {
  const [left, right] = [node.inputs[0]!, node.inputs[1]!];
  const attrs = node.attrs as MatmulAttrs;
  const { m, k, n } = matmulSizes(left, right, attrs);
  const [rowA, colA] = attrs.transposeA ? [1, m] : [k, 1];
  const [rowB, colB] = attrs.transposeB ? [1, k] : [n, 1];
  const out = zeros(outputOf(node));
  for (let batch = 0; batch < sizeOf(left.shape.slice(0, -2)); batch++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let l = 0; l < k; l++)
          total += a![batch * m * k + i * rowA + l * colA]! * b![batch * k * n + l * rowB + j * colB]!;
        out[(batch * m + i) * n + j] = total;
      }
    }
  }
  return out;
};
