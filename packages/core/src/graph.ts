import { dtypes } from "./dtype.js";
import type { HostTensor } from "./host.js";
import type { Attrs, Node, Tensor } from "./tensor.js";

/**
 * Nodes that `outputs` depend on, each after its inputs. The walk does not go past `leaves`. Iterative: depth is not bounded by the
 * stack.
 */
export function topologicalOrder(outputs: readonly Tensor[], leaves?: Pick<ReadonlySet<Node>, "has">): Node[] {
  const order: Node[] = [];
  const entered = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const output of outputs) {
    if (entered.has(output.node)) continue;
    entered.add(output.node);
    stack.push({ node: output.node, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: Node; next: number };
      const input = leaves?.has(top.node) ? undefined : top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!entered.has(input.node)) {
        entered.add(input.node);
        stack.push({ node: input.node, next: 0 });
      }
    }
  }
  return order;
}

/** For each node of `order`, the position of the last node that reads one of its outputs (Infinity for `outputs`). */
export function lastUses(order: readonly Node[], outputs: readonly Tensor[]): Map<Node, number> {
  const last = new Map<Node, number>();
  for (const [position, node] of order.entries()) for (const input of node.inputs) last.set(input.node, position);
  for (const output of outputs) last.set(output.node, Number.POSITIVE_INFINITY);
  return last;
}

/** A text that two sets of attributes share exactly when they are equal. Host data enters by content. */
export function attrsKey(attrs: Attrs): string {
  const names = Object.keys(attrs as object).sort();
  let key = "";
  for (const name of names) {
    const value = (attrs as Record<string, unknown>)[name];
    if (value === undefined) continue;
    key += `${name}=${isHostTensor(value) ? hostKey(value) : attrText(value)};`;
  }
  return key;
}

function attrText(value: unknown): string {
  // JSON has no word for these, and -0 differs from 0.
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return Array.isArray(value) ? `[${value.map(attrText).join()}]` : JSON.stringify(value);
}

function isHostTensor(value: unknown): value is HostTensor {
  return typeof value === "object" && value !== null && dtypes.includes((value as HostTensor).dtype);
}

const hostKeys = new WeakMap<HostTensor, string>();
let hostCount = 0;

/** Up to this size constants are compared by content; beyond, hashing would cost seconds (frozen weights), and they are known by identity. */
const hashedBytes = 2 ** 16;

function hostKey(host: HostTensor): string {
  let key = hostKeys.get(host);
  if (key === undefined) {
    const { data } = host;
    const content =
      data.byteLength > hashedBytes
        ? `object ${hostCount++}`
        : hashBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    key = `${host.dtype}[${host.shape.join()}]#${content}`;
    hostKeys.set(host, key);
  }
  return key;
}

/** 64 bits of a content hash (two lanes of FNV-1a with different primes), as hexadecimal. */
export function hashBytes(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}

/**
 * Names the structure of a graph: ops, attributes, shapes, dtypes and wiring. Two graphs with the same hash may share one compiled
 * program. Values that change from step to step are inputs and do not enter.
 */
export function structuralHash(outputs: readonly Tensor[]): string {
  const order = topologicalOrder(outputs);
  const position = new Map<Node, number>();
  const parts: string[] = [];
  for (const [index, node] of order.entries()) {
    position.set(node, index);
    const inputs = node.inputs.map((input) => `${position.get(input.node)}.${input.index}`).join();
    const specs = node.outputs.map((out) => `${out.dtype}[${out.shape.join()}]`).join();
    parts.push(`${node.op.name}#${node.op.id}(${inputs}){${attrsKey(node.attrs)}}${specs}`);
  }
  parts.push(outputs.map((output) => `${position.get(output.node)}.${output.index}`).join());
  return hashBytes(new TextEncoder().encode(parts.join("\n")));
}
