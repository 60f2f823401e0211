import { attrsKey } from "../graph.js";
import type { Node, Tensor } from "../tensor.js";
import { rewrite } from "./rewrite.js";

/** Computes equal values once. Barriers are never shared: that is what they are for. */
export function share(outputs: readonly Tensor[]): Tensor[] {
  const ids = new Map<Node, number>();
  const known = new Map<string, readonly Tensor[]>();
  return rewrite(outputs, (node, inputs) => {
    if (node.op.name === "barrier") return undefined;
    const wiring = inputs.map((input) => {
      if (!ids.has(input.node)) ids.set(input.node, ids.size);
      return `${ids.get(input.node)}.${input.index}`;
    });
    const key = `${node.op.id}(${wiring.join()}){${attrsKey(node.attrs)}}`;
    const same = known.get(key);
    if (same !== undefined) return same;
    const kept = inputs.every((input, i) => input === node.inputs[i]) ? node.outputs : undefined;
    if (kept !== undefined) known.set(key, kept);
    else return remember(node, inputs, key, known);
    return undefined;
  });
}

function remember(
  node: Node,
  inputs: readonly Tensor[],
  key: string,
  known: Map<string, readonly Tensor[]>,
): readonly Tensor[] {
  const { outputs } = new (node.constructor as typeof Node)(node.op, inputs, node.attrs, node.outputs, node.scope);
  known.set(key, outputs);
  return outputs;
}
