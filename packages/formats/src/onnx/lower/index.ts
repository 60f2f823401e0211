import type { Op } from "@ocelli/core";
import { type KernelTable, primitives } from "@ocelli/core/backend";
import { convLowerings } from "./conv.js";
import { elementwiseLowerings } from "./elementwise.js";
import { layoutLowerings } from "./layout.js";
import type { Lowering } from "./lowering.js";
import { matmulLowerings } from "./matmul.js";
import { normLowerings } from "./norm.js";
import { poolLowerings } from "./pool.js";
import { randomLowerings } from "./random.js";
import { reduceLowerings } from "./reduce.js";
import { sampleLowerings } from "./sample.js";

export { flippedPads, type PixelProduct, turnedWeight, weightGradLowering } from "./conv.js";
export { type LoweredGraph, lowerGraph } from "./graph.js";
export {
  type Emitter,
  elementwise,
  type Held,
  type Lower,
  type Lowering,
  type LoweringContext,
  type LoweringTable,
  lowering,
  type Packing,
  reduced,
  reshaped,
  transposed,
} from "./lowering.js";
export { operands as matmulOperands } from "./matmul.js";
export { exactPadding } from "./pool.js";

/** Every primitive in ONNX's own operators, so that whatever runs can be exported. */
export const portable = {
  ...elementwiseLowerings,
  ...layoutLowerings,
  ...reduceLowerings,
  ...matmulLowerings,
  ...convLowerings,
  ...poolLowerings,
  ...normLowerings,
  ...randomLowerings,
  ...sampleLowerings,
} satisfies KernelTable<Lowering>;

/** The primitives that a table writes as they are; the others are replaced by their definitions first. */
export function opsOf(table: KernelTable<Lowering>): Set<Op> {
  return new Set(
    Object.entries(primitives).flatMap(([name, op]) =>
      // Op is invariant in its attributes: a set of all of them forgets what each takes.
      table[name as keyof typeof primitives] === "decompose" ? [] : [op as unknown as Op],
    ),
  );
}
