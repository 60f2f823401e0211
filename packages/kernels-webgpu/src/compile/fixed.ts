/** What depends on constants alone is computed once, when a program is compiled. */
import { type Node, type Tensor, topologicalOrder } from "@ocelli/core";
import { views } from "../wgsl/body.js";

/** Nodes that depend on no input and no state, but on some constant. */
export function fixedNodes(outputs: readonly Tensor[]): ReadonlySet<Node> {
  const fixed = new Set<Node>();
  for (const node of topologicalOrder(outputs)) {
    const { op, inputs } = node;
    const sources = inputs.filter((input) => input.node.op.name !== "full");
    const follows = sources.length > 0 && sources.every((input) => fixed.has(input.node));
    if (op.name === "constant" || follows) fixed.add(node);
  }
  return fixed;
}

/** What a tensor shows, behind all views of it. */
export function behindViews(tensor: Tensor): Tensor {
  let source = tensor;
  while (views.has(source.node.op.name) && source.node.op.name !== "gather") source = source.node.inputs[0] as Tensor;
  return source;
}
