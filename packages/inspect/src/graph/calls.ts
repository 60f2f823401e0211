import { type Node, type Tensor, topologicalOrder } from "@ocelli/core";
import type { AnyModule, TapRecord } from "@ocelli/layers";
import { callsOfNodes, tensorsIn } from "../calls.js";

/** One call of a module, with the calls inside it and the nodes that are its own. */
export interface Call {
  readonly path: string;
  readonly module: AnyModule;
  readonly outputs: readonly Tensor[];
  readonly children: readonly Call[];
  /** In order of computation. Without those of the calls inside. */
  readonly nodes: Node[];
}

/** Calls from taps, which come inner before outer; the last is the root's. Each gets those of `nodes` that it made, but for the input. */
export function callTree(records: readonly TapRecord[], nodes: ReadonlySet<Node>, x: Tensor): Call[] {
  const calls: Call[] = [];
  let open: Call[] = [];
  for (const { path, module, output } of records) {
    const prefix = path === "" ? "" : `${path}.`;
    // All since the first call of a part of this module happened inside it, whatever it is named.
    const first = open.findIndex((call) => call.path.startsWith(prefix));
    const children = first < 0 ? [] : open.slice(first);
    const call: Call = { path, module, outputs: tensorsIn(output), children, nodes: [] };
    open = [...(first < 0 ? open : open.slice(0, first)), call];
    calls.push(call);
  }
  const callOf = callsOfNodes(records);
  for (const node of nodes) if (node !== x.node) calls[callOf.get(node) ?? calls.length - 1]?.nodes.push(node);
  return calls;
}

/** Nodes of a pass that depend on `x`, each after its inputs. */
export function nodesAfter(x: Tensor, outputs: readonly Tensor[]): Set<Node> {
  const found = new Set<Node>([x.node]);
  for (const node of topologicalOrder(outputs)) if (node.inputs.some((input) => found.has(input.node))) found.add(node);
  return found;
}
