import { DeviceError } from "../errors.js";
import { topologicalOrder } from "../graph.js";
import { definitionOf, type Op } from "../op.js";
import { constantOp, fullOp, inputOp } from "../ops/leaf.js";
import { type Tensor, withScope } from "../tensor.js";
import { rewrite } from "./rewrite.js";

/** By identity: an op of somebody's own may have any name. */
const leaves: ReadonlySet<Op> = new Set([inputOp, constantOp, fullOp] as readonly Op[] as Op[]);

/** Definitions may use ops that have definitions themselves; deeper nesting than this is a cycle. */
const maxDepth = 16;

/**
 * Replaces the ops that a device lacks by their definitions.
 * @throws DeviceError for an op that is neither supported nor defined by others
 */
export function decompose(outputs: readonly Tensor[], supports: (op: Op) => boolean): Tensor[] {
  let current = [...outputs];
  for (let depth = 0; depth < maxDepth; depth++) {
    const open = topologicalOrder(current).some(({ op }) => !leaves.has(op) && !supports(op));
    if (!open) return current;
    current = rewrite(current, (node, inputs) => {
      const { op, scope } = node;
      if (leaves.has(op) || supports(op)) return undefined;
      const defined = withScope(scope, () => definitionOf(node, inputs));
      if (defined !== undefined) return defined;
      throw new DeviceError(
        `${op.name}: the device has no kernel for it and it has no definition by other ops. Register a kernel or give it a decompose.`,
      );
    });
  }
  throw new DeviceError(`decompose: definitions are nested more than ${maxDepth} deep; does an op define itself?`);
}
