import {
  type HostTensor,
  hostRandomBits,
  type Node,
  type RandomKey,
  sizeOf,
  type Tensor,
  topologicalOrder,
} from "@ocelli/core";
import type { ProgramGraph } from "@ocelli/core/backend";

/**
 * Random bits whose key is fed with each run are drawn on the host and fed as well: twenty rounds of integer arithmetic would be dozens of
 * passes over memory here. The bits are the same either way.
 */
export interface HostRandom {
  /** What is fed: the bits, or the floats made of them. */
  readonly tensor: Tensor;
  readonly key: Tensor;
  readonly stream: number;
}

/** What a tensor is behind barriers: recomputed numbers wait, but a key is there from the start. */
function behindBarriers(tensor: Tensor | undefined): Tensor | undefined {
  let source = tensor;
  while (source?.node.op.name === "barrier") source = source.node.inputs[0];
  return source;
}

function drawn(node: Node, keys: ReadonlySet<Node>): HostRandom | undefined {
  const output = node.outputs[0] as Tensor;
  const bits = node.op.name === "unitFloat" ? node.inputs[0]?.node : node;
  const key = bits?.op.name === "randomBits" ? behindBarriers(bits.inputs[0]) : undefined;
  if (bits === undefined || key === undefined || !keys.has(key.node)) return undefined;
  return { tensor: output, key, stream: (bits.attrs as { stream: number }).stream };
}

/** What of a graph's random numbers the host can draw. */
export function hostRandom(graph: ProgramGraph): HostRandom[] {
  const outputs = [...graph.outputs, ...graph.updates.values()];
  const keys = new Set([...graph.inputs.values(), ...graph.state.values()].map(({ node }) => node));
  const find = (leaves: ReadonlySet<Node>, name: string): HostRandom[] =>
    topologicalOrder(outputs, leaves).flatMap((node) => (node.op.name === name ? (drawn(node, keys) ?? []) : []));
  const floats = find(new Set(), "unitFloat");
  // Bits that something else reads, too.
  return [...floats, ...find(new Set(floats.map(({ tensor }) => tensor.node)), "randomBits")];
}

/** Draws one of them, under a key's value. */
export function draw({ tensor, stream }: HostRandom, key: ArrayLike<number>): HostTensor {
  const { shape, dtype } = tensor;
  const bits = hostRandomBits([key[0], key[1]] as unknown as RandomKey, sizeOf(shape), stream);
  if (dtype === "uint32") return { dtype, shape, data: bits };
  return { dtype, shape, data: unitFloats(bits) };
}

/** What the op `unitFloat` computes. A loop: `Float32Array.from` with a function takes many times as long. */
function unitFloats(bits: Uint32Array): Float32Array {
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) floats[i] = ((bits[i] as number) >>> 8) * 2 ** -24;
  return floats;
}
