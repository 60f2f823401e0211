import { topologicalOrder } from "../graph.js";
import { Node, type Tensor } from "../tensor.js";

/** What replaces a node's outputs, or undefined to keep it. `inputs` are already rewritten. */
export type Rule = (node: Node, inputs: readonly Tensor[]) => readonly Tensor[] | undefined;

/** Rebuilds a graph from its leaves up, replacing nodes. Nodes that nothing changes stay the same objects. */
export function rewrite(outputs: readonly Tensor[], rule: Rule): Tensor[] {
  const replaced = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor;
  for (const node of topologicalOrder(outputs)) {
    const inputs = node.inputs.map(current);
    const results =
      rule(node, inputs) ??
      (inputs.every((input, i) => input === node.inputs[i]) ? node.outputs : rebuilt(node, inputs));
    for (const [i, output] of node.outputs.entries()) {
      const result = results[i] as Tensor;
      if (result !== output) replaced.set(output, result);
    }
  }
  return outputs.map(current);
}

function rebuilt(node: Node, inputs: readonly Tensor[]): readonly Tensor[] {
  return new Node(node.op, inputs, node.attrs, node.outputs, node.scope).outputs;
}
