/** Rewrites a graph into what this device computes well. */
import { Node, type Tensor, withScope } from "@ocelli/core";
import { fold, rewrite, share } from "@ocelli/core/backend";
import { foldScale } from "./fold-scale.js";
import { baseOf } from "./store.js";
import { copyOp, type Ways } from "./ways.js";

/** Puts other ops in the place of those that ask for it (batch-norm: its statistics, then arithmetic that fuses with what follows). */
export function lowered(outputs: readonly Tensor[], ways: Ways): Tensor[] {
  const replaced = rewrite(outputs, (node, inputs) => {
    const way = ways.of(node);
    if (typeof way !== "object" || !("lower" in way)) return undefined;
    return withScope(node.scope, () => way.lower(inputs, node.attrs as never));
  });
  return share(fold(foldScale(fold(replaced))));
}

/** Gives results that are leaves, and results that are asked for twice, memory of their own. */
export function ownMemory(outputs: readonly Tensor[], ways: Ways): Tensor[] {
  const taken = new Set<Tensor>();
  return outputs.map((output) => {
    const base = baseOf(output);
    const free = ways.of(base.node) !== "leaf" && !taken.has(base);
    taken.add(base);
    return free ? output : copy(output);
  });
}

function copy(tensor: Tensor): Tensor {
  return new Node(copyOp, [tensor], {}, [tensor], tensor.node.scope).outputs[0] as Tensor;
}
