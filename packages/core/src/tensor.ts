import type { DType } from "./dtype.js";
import type { HostTensor } from "./host.js";
import type { Op } from "./op.js";
import { formatShape, type Shape } from "./shape.js";

/** What is known of a tensor before it is computed. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Values that an op may carry besides its inputs. They are part of a graph's structure. */
export type AttrValue = number | boolean | string | readonly number[] | HostTensor | undefined;
// biome-ignore lint/suspicious/noExplicitAny: interfaces without index signature must be accepted as attributes
export type Attrs = any;

/** One application of an op. Holds no data: a graph is made of descriptions. */
export class Node {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  /** Path of the module inside which this node was made (`layer1.0.conv1`), or "". */
  readonly scope: string;
  readonly outputs: readonly Tensor[];

  constructor(op: Op, inputs: readonly Tensor[], attrs: Attrs, specs: readonly Spec[], scope: string) {
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.scope = scope;
    this.outputs = specs.map((spec, index) => new Tensor(this, index, spec));
    hooks.made?.(this);
  }
}

/** How a walk backwards looks at the graph. */
interface View {
  /** What a node's gradient rule sees in place of the node, given its outputs' gradients. */
  see(node: Node, dys: readonly (Tensor | null)[]): Node;
  /** Told of the gradients that the rule made of what it saw. */
  made(grads: readonly (Tensor | null)[]): void;
}

/** What `recompute` adds to building and to differentiating. Empty until it is used, so that programs without it carry nothing of it. */
export const hooks: {
  /** Told of each node as it is made. */
  made?: ((node: Node) => void) | undefined;
  /** Once for each walk backwards. */
  view?: () => View;
} = {};

/**
 * A description of a value: one output of a {@link Node}. Building tensors is synchronous and pure; a device computes them.
 */
export class Tensor implements Spec {
  readonly node: Node;
  /** Which of the node's outputs this is. */
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: DType;

  constructor(node: Node, index: number, spec: Spec) {
    this.node = node;
    this.index = index;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
  }

  toString(): string {
    return `Tensor ${formatSpec(this)} (${this.node.op.name})`;
  }
}

/** `float32[1, 32, 56, 56]` */
export function formatSpec(spec: Spec): string {
  return `${spec.dtype}${formatShape(spec.shape)}`;
}

let currentScope = "";

/** The path that nodes made now are tagged with. */
export function scope(): string {
  return currentScope;
}

/** Runs `fn` with nodes tagged as belonging to `path`. */
export function withScope<T>(path: string, fn: () => T): T {
  const previous = currentScope;
  currentScope = path;
  try {
    return fn();
  } finally {
    currentScope = previous;
  }
}
