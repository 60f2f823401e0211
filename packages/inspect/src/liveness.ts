import { byteSize, type Node, sizeOf, type Tensor } from "@ocelli/core";
import { memoryRule } from "./cost.js";

/** A piece of memory, from the step that writes it first to the last that needs it. */
export interface Block {
  /** What was written there first. */
  readonly tensor: Tensor;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** As many operands as one pass over element-wise arithmetic reads; kernels can bind no more. */
const mostOperands = 8;

/**
 * Memory of a graph run in this order, by three rules that every device follows more or less:
 * - views take none;
 * - a chain of element-wise operations is one pass: what only the next of them reads is never written;
 * - an element-wise operation writes over an operand of its size that is read for the last time.
 *
 * @param kept tensors that are needed after the last step
 * @param written tensors that have memory of their own already (updates of a state, written in place)
 */
export function memoryBlocks(
  order: readonly Node[],
  kept: Iterable<Tensor>,
  written: ReadonlySet<Tensor> = new Set(),
): Block[] {
  const { sources, lastRead } = readsOf(order, new Set(kept), written);
  const blocks: Block[] = [];
  const held = new Map<Tensor, Block>();
  for (const [step, node] of order.entries()) {
    if (node.inputs.length === 0) continue;
    const reusable = overwritable(node, step, sources, lastRead).find((tensor) => held.has(tensor));
    for (const [i, tensor] of node.outputs.entries()) {
      // Views and what is computed inside the next pass have others as sources.
      if (sources.get(tensor)?.[0] !== tensor || written.has(tensor)) continue;
      const last = lastRead.get(tensor) ?? step;
      const old = i === 0 && reusable && byteSize(reusable) === byteSize(tensor) ? held.get(reusable) : undefined;
      const block = old ?? { tensor, bytes: byteSize(tensor), first: step, last };
      block.last = last;
      held.set(tensor, block);
      if (old === undefined) blocks.push(block);
    }
  }
  return blocks;
}

interface Reads {
  /** The tensors in memory that each tensor is read from: itself, or others for views and what is computed on the way. */
  readonly sources: ReadonlyMap<Tensor, readonly Tensor[]>;
  readonly lastRead: ReadonlyMap<Tensor, number>;
}

function readsOf(order: readonly Node[], kept: ReadonlySet<Tensor>, written: ReadonlySet<Tensor>): Reads {
  const readers = singleReaders(order, kept);
  const sources = new Map<Tensor, readonly Tensor[]>();
  const lastRead = new Map<Tensor, number>();
  const sourcesOf = (tensor: Tensor): readonly Tensor[] => sources.get(tensor) as readonly Tensor[];
  const from = ({ inputs }: Node): readonly Tensor[] =>
    inputs.length === 1 ? sourcesOf(inputs[0] as Tensor) : [...new Set(inputs.flatMap(sourcesOf))];
  for (const [step, node] of order.entries()) {
    const [output] = node.outputs as readonly [Tensor];
    if (node.inputs.length > 0 && memoryRule(node) === "view") {
      sources.set(output, sourcesOf(node.inputs[0] as Tensor));
    } else {
      const read = from(node);
      const passing =
        read.length > 0 && read.length <= mostOperands && isPassing(output, readers) && !written.has(output);
      if (passing) sources.set(output, read);
      else {
        for (const tensor of read) lastRead.set(tensor, step);
        for (const tensor of node.outputs) sources.set(tensor, [tensor]);
      }
    }
  }
  for (const tensor of kept) {
    for (const source of sources.get(tensor) ?? []) lastRead.set(source, Number.POSITIVE_INFINITY);
  }
  return { sources, lastRead };
}

/** Whether a value is computed where it is needed: by the one element-wise operation of its size that reads it. */
function isPassing(output: Tensor, readers: ReadonlyMap<Tensor, Node | null>): boolean {
  const reader = readers.get(output);
  if (reader === undefined || reader === null) return false;
  const [next] = reader.outputs as readonly [Tensor];
  return (
    memoryRule(output.node) === "pointwise" &&
    memoryRule(reader) === "pointwise" &&
    sizeOf(next.shape) === sizeOf(output.shape)
  );
}

/** The operation that reads a tensor, views aside; null when there are several, or it is kept. */
function singleReaders(order: readonly Node[], kept: ReadonlySet<Tensor>): Map<Tensor, Node | null> {
  const base = new Map<Tensor, Tensor>();
  const readers = new Map<Tensor, Node | null>();
  for (const node of order) {
    const inputs = new Set(node.inputs.map((input) => base.get(input) ?? input));
    if (node.inputs.length > 0 && memoryRule(node) === "view") {
      base.set(node.outputs[0] as Tensor, [...inputs][0] as Tensor);
    } else {
      for (const input of inputs) readers.set(input, readers.has(input) ? null : node);
    }
  }
  for (const tensor of kept) readers.set(base.get(tensor) ?? tensor, null);
  return readers;
}

function overwritable(node: Node, step: number, sources: Reads["sources"], lastRead: Reads["lastRead"]): Tensor[] {
  const rule = memoryRule(node);
  if (rule === "new" || rule === "view") return [];
  const operands = rule === "pointwise" ? node.inputs : node.inputs.slice(0, 1);
  const bytes = byteSize(node.outputs[0] as Tensor);
  return operands
    .flatMap((input) => sources.get(input) ?? [])
    .filter((tensor) => lastRead.get(tensor) === step && byteSize(tensor) === bytes);
}

/** The most that is in use at once, and the first step where it is. */
export function fullest(blocks: readonly Block[], steps: number): { readonly bytes: number; readonly step: number } {
  const change = new Float64Array(steps + 1);
  for (const { bytes, first, last } of blocks) {
    change[first] = (change[first] as number) + bytes;
    if (last < steps) change[last + 1] = (change[last + 1] as number) - bytes;
  }
  let [now, most, at] = [0, 0, 0];
  for (const [step, difference] of change.entries()) {
    now += difference;
    if (now > most) [most, at] = [now, step];
  }
  return { bytes: most, step: at };
}
