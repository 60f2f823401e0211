import { type Node, type Tensor, topologicalOrder } from "@ocelli/core";
import type { AnyModule, TapRecord } from "@ocelli/layers";
import { tensorsIn } from "../calls.js";

/** One call of a module, with the calls inside it and the nodes that are its own. */
export interface Call {
  readonly path: string;
  readonly module: AnyModule;
  readonly outputs: readonly Tensor[];
  readonly children: readonly Call[];
  /** In order of computation. Without those of the calls inside. */
  readonly nodes: Node[];
}

/** Calls from taps, which come inner before outer; the last is the root's. */
export function callTree(records: readonly TapRecord[]): Call[] {
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
  return calls;
}

/** Nodes of a pass that depend on `x`, each after its inputs. */
export function nodesAfter(x: Tensor, outputs: readonly Tensor[]): Set<Node> {
  const found = new Set<Node>([x.node]);
  for (const node of topologicalOrder(outputs)) if (node.inputs.some((input) => found.has(input.node))) found.add(node);
  return found;
}

/**
 * Gives each node to the call that made it. A node knows its module's path only, and a module may be called several times: what a call
 * made is found by walking back from its output. Returns the owner of each node.
 */
export function assignNodes(calls: readonly Call[], nodes: ReadonlySet<Node>, x: Tensor): Map<Node, Call> {
  const owner = new Map<Node, Call>();
  const parents = new Map(calls.flatMap((call) => call.children.map((child) => [child, call] as const)));
  const isInside = (inner: Call | undefined, outer: Call): boolean => {
    let call = inner;
    while (call !== undefined && call !== outer) call = parents.get(call);
    return call === outer;
  };
  for (const call of calls) {
    const stack = call.outputs.map((output) => output.node);
    const seen = new Set<Node>();
    while (stack.length > 0) {
      const node = stack.pop() as Node;
      if (seen.has(node) || node === x.node || !nodes.has(node)) continue;
      seen.add(node);
      const known = owner.get(node);
      if (known === undefined ? node.scope !== call.path : !isInside(known, call)) continue;
      if (known === undefined) owner.set(node, call);
      for (const input of node.inputs) stack.push(input.node);
    }
  }
  const byPath = new Map(calls.map((call) => [call.path, call] as const));
  for (const node of nodes) {
    if (node === x.node) continue;
    const call = owner.get(node) ?? byPath.get(node.scope) ?? calls.at(-1);
    if (call === undefined) continue;
    owner.set(node, call);
    call.nodes.push(node);
  }
  return owner;
}
