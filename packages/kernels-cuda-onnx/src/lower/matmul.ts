import type { MatmulAttrs } from "@ocelli/core/backend";
import { type Lowering, matmulOperands } from "@ocelli/formats/onnx";

/** `FusedMatMul` reads an operand transposed; ONNX's `MatMul` wants it moved first. */
export const matmul: Lowering = {
  broadcasts: true,
  lower: (b, node, _, context) => {
    const { transposeA, transposeB } = node.attrs as MatmulAttrs;
    const operands = matmulOperands(context, node.inputs);
    if (!transposeA && !transposeB) return [b.node("MatMul", operands)];
    if (node.outputs[0]?.shape.length === 2) {
      return [b.node("Gemm", operands, { transA: transposeA, transB: transposeB })];
    }
    return [b.node("FusedMatMul", operands, { transA: transposeA, transB: transposeB }, { domain: "com.microsoft" })];
  },
};
