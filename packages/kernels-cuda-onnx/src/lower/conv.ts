import { lowering, weightGradLowering } from "@ocelli/formats/onnx";

/** As the portable one, with 1x1 gradients by `FusedMatMul`, which needs no transposed copy of the pixels. */
export const conv2dWeightGrad = lowering(
  weightGradLowering((b, dy, pixels) =>
    b.node("FusedMatMul", [dy, pixels], { transB: 1 }, { domain: "com.microsoft" }),
  ),
);
