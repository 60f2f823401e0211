import { byteSize, type Node, topologicalOrder } from "@ocelli/core";
import type { ProgramGraph } from "@ocelli/core/backend";

/**
 * Bytes that are in use at once while a graph runs, at most: what the runtime's memory grows to, and is not given back before the
 * session is released. What is fed is not counted, nor what operators need for themselves.
 */
export function arenaBytes({ outputs, updates }: ProgramGraph): number {
  const order = topologicalOrder([...outputs, ...updates.values()]).filter(({ inputs }) => inputs.length > 0);
  const lastRead = new Map<Node, number>(order.map((node, step) => [node, step]));
  for (const [step, { inputs }] of order.entries()) {
    for (const { node } of inputs) if (lastRead.has(node)) lastRead.set(node, step);
  }
  const freed = new Float64Array(order.length);
  for (const [node, step] of lastRead) freed[step] = (freed[step] as number) + bytesOf(node);
  let [now, most] = [0, 0];
  for (const [step, node] of order.entries()) {
    now += bytesOf(node);
    most = Math.max(most, now);
    now -= freed[step] as number;
  }
  return most;
}

/** A view has no memory of its own. */
const bytesOf = ({ op, outputs }: Node): number =>
  op.view ? 0 : outputs.reduce((sum, output) => sum + byteSize(output), 0);
