import type { KernelTable } from "@ocelli/core/backend";
import { type Lowering, portable } from "@ocelli/formats/onnx";
import { conv2dWeightGrad } from "./conv.js";
import { matmul } from "./matmul.js";

/** The portable lowerings, with those replaced for which ONNX Runtime has faster operators of its own. */
export const plain = { ...portable, matmul, conv2dWeightGrad } satisfies KernelTable<Lowering>;
