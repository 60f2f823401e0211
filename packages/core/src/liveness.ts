import { topologicalOrder } from "./graph.js";
import { byteSize } from "./host.js";
import type { Tensor } from "./tensor.js";

/**
 * The most bytes alive at once when `outputs` are computed in their order: every result from its node to its last reader, what only
 * changes shape in the memory of what it shows. Leaves do not count.
 */
export function peakBytes(outputs: readonly Tensor[]): number {
  const order = topologicalOrder(outputs);
  const base = (tensor: Tensor): Tensor => {
    let source = tensor;
    while (source.node.op.view || source.node.op.name === "barrier") source = source.node.inputs[0] as Tensor;
    return source;
  };
  const ends = new Map<Tensor, number>();
  for (const [position, { inputs }] of order.entries()) for (const input of inputs) ends.set(base(input), position);
  for (const output of outputs) ends.set(base(output), order.length);
  const freed = new Map<number, number>();
  for (const [tensor, end] of ends) {
    if (tensor.node.inputs.length > 0) freed.set(end, (freed.get(end) ?? 0) + byteSize(tensor));
  }
  let [alive, peak] = [0, 0];
  for (const [position, node] of order.entries()) {
    for (const output of node.outputs) if (node.inputs.length > 0 && ends.has(output)) alive += byteSize(output);
    peak = Math.max(peak, alive);
    alive -= freed.get(position) ?? 0;
  }
  return peak;
}
