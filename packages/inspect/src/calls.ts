import { byteSize, type Node, sizeOf, Tensor, topologicalOrder } from "@ocelli/core";
import type { TapRecord } from "@ocelli/layers";
import { flopsOf, macsOf, memoryRule } from "./cost.js";
import { memoryBlocks } from "./liveness.js";

/** What one call of a module costs, without the calls inside it. */
export interface CallCost {
  macs: number;
  flops: number;
  storedValues: number;
  storedBytes: number;
  bytesMoved: number;
}

/**
 * Costs of each call of a pass from `x` to `outputs`. Every operation that an output needs belongs to one call; what the graph computes
 * and nobody needs costs nothing.
 */
export function costsOfCalls(calls: readonly TapRecord[], outputs: readonly Tensor[], x: Tensor): CallCost[] {
  const costs = calls.map((): CallCost => ({ macs: 0, flops: 0, storedValues: 0, storedBytes: 0, bytesMoved: 0 }));
  const callOf = callsOfNodes(calls);
  const order = topologicalOrder(outputs);
  const costOfNode = (node: Node): CallCost | undefined => costs[callOf.get(node) ?? -1];
  for (const node of order) {
    const cost = costOfNode(node);
    if (cost === undefined || node.inputs.length === 0) continue;
    cost.macs += macsOf(node);
    cost.flops += flopsOf(node);
  }
  const fromInput = dependents(order, x);
  for (const { tensor, bytes } of memoryBlocks(order, outputs)) {
    const cost = costOfNode(tensor.node);
    // Weights that are put together on the way are no activations.
    if (cost === undefined || !fromInput.has(tensor.node)) continue;
    cost.storedValues += sizeOf(tensor.shape);
    cost.storedBytes += bytes;
  }
  for (const [call, tensors] of tensorsMoved(order, outputs, callOf)) {
    for (const tensor of tensors) (costs[call] as CallCost).bytesMoved += byteSize(tensor);
  }
  return costs;
}

/** For each node the call that made it: the first one to end, of the module whose name the node carries, that the node leads to. */
export function callsOfNodes(calls: readonly TapRecord[]): Map<Node, number> {
  const callOf = new Map<Node, number>();
  const waiting = new Map<string, Node[]>();
  const seen = new Set<Node>();
  for (const [i, { path, output }] of calls.entries()) {
    for (const node of topologicalOrder(tensorsIn(output), seen)) {
      if (seen.has(node)) continue;
      seen.add(node);
      const list = waiting.get(node.scope);
      if (list === undefined) waiting.set(node.scope, [node]);
      else list.push(node);
    }
    for (const node of waiting.get(path) ?? []) callOf.set(node, i);
    waiting.delete(path);
  }
  // What a module leaves for others besides its output falls to the whole.
  for (const nodes of waiting.values()) for (const node of nodes) callOf.set(node, calls.length - 1);
  return callOf;
}

/** The tensors that a module returns: one, or those of a record or list. */
export function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output];
  const values: unknown[] = typeof output === "object" && output !== null ? Object.values(output) : [];
  return values.filter((value) => value instanceof Tensor);
}

function dependents(order: readonly Node[], x: Tensor): Set<Node> {
  const found = new Set([x.node]);
  for (const node of order) if (node.inputs.some((tensor) => found.has(tensor.node))) found.add(node);
  return found;
}

/** For each call what it reads from elsewhere, and what of its own others read; views stand for what they show. */
function tensorsMoved(
  order: readonly Node[],
  outputs: readonly Tensor[],
  callOf: ReadonlyMap<Node, number>,
): Map<number, Set<Tensor>> {
  const moved = new Map<number, Set<Tensor>>();
  const move = (call: number | undefined, tensor: Tensor): void => {
    if (call === undefined) return;
    const set = moved.get(call);
    if (set === undefined) moved.set(call, new Set([tensor]));
    else set.add(tensor);
  };
  const base = new Map<Tensor, Tensor>();
  // A leaf is nobody's own: it lies in memory before the pass.
  const makerOf = ({ node }: Tensor): number | undefined => (node.inputs.length === 0 ? undefined : callOf.get(node));
  for (const node of order) {
    const inputs = node.inputs.map((tensor) => base.get(tensor) ?? tensor);
    if (inputs.length > 0 && memoryRule(node) === "view") {
      base.set(node.outputs[0] as Tensor, inputs[0] as Tensor);
      continue;
    }
    const reader = callOf.get(node);
    for (const tensor of inputs) {
      if (isUniform(tensor) || makerOf(tensor) === reader) continue;
      move(reader, tensor);
      move(makerOf(tensor), tensor);
    }
  }
  for (const output of outputs) {
    const tensor = base.get(output) ?? output;
    move(makerOf(tensor), tensor);
  }
  return moved;
}

/** One number everywhere is part of the code. */
const isUniform = ({ node: { inputs, attrs } }: Tensor): boolean =>
  inputs.length === 0 && typeof (attrs as { readonly value?: unknown }).value === "number";
