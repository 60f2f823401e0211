import type { KernelTable } from "@ocelli/core/backend";
import type { Lowering } from "@ocelli/formats/onnx";
import { plain } from "../index.js";
import { blockedConvolutions } from "./conv.js";
import { blockedElementwise } from "./elementwise.js";
import { blockedLayers } from "./layers.js";
import { blockedNorms } from "./norm.js";

export { blockedPacking } from "./layout.js";

/** The plain lowerings, with convolutions and batch-norm on blocks of channels where the numbers of channels allow it. */
export function blocked(block: number) {
  return {
    ...plain,
    ...blockedElementwise(plain),
    ...blockedLayers(block, plain),
    ...blockedConvolutions(block, plain),
    ...blockedNorms(block, plain),
  } satisfies KernelTable<Lowering>;
}
