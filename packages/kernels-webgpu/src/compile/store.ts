/**
 * Which tensors get memory. Elementwise arithmetic and views have none of their own unless it pays: their consumers compute them while
 * reading.
 */
import { type Node, sizeOf, type Tensor } from "@ocelli/core";
import { sameOrder } from "../wgsl/body.js";
import { behindViews, fixedNodes } from "./fixed.js";
import type { Ways } from "./ways.js";

/** The tensor whose memory, read in order, is this one's. */
export function baseOf(tensor: Tensor): Tensor {
  let base = tensor;
  while (sameOrder.has(base.node.op.name)) base = base.node.inputs[0] as Tensor;
  return base;
}

/** An expression this long is cut, so that shaders stay readable and walks shallow. */
const longest = 40;
/** A memory pass is worth this much arithmetic. */
const passWeight = 8;
/** Arithmetic above this is not repeated for each element that a broadcast makes of one. */
const spreadWeight = 16;

interface Tree {
  /** Tensors in memory that are read. */
  readonly loads: ReadonlySet<Tensor>;
  readonly weight: number;
  readonly length: number;
}

const nothing: Tree = { loads: new Set(), weight: 0, length: 0 };

/** @param required end in memory whatever it costs */
export function chooseStored(
  order: readonly Node[],
  ways: Ways,
  buffers: number,
  required: readonly Tensor[],
): ReadonlySet<Tensor> {
  const chooser = new Chooser(required, buffers, ways, countUses(order, ways), fixedNodes(required));
  for (const node of order) chooser.forceInputs(node);
  for (const node of order) chooser.visit(node);
  return chooser.stored;
}

class Chooser {
  readonly stored: Set<Tensor>;
  readonly #trees = new Map<Tensor, Tree>();
  readonly #buffers: number;
  readonly #ways: Ways;
  readonly #uses: ReadonlyMap<Tensor, number>;
  readonly #fixed: ReadonlySet<Node>;

  constructor(
    required: readonly Tensor[],
    buffers: number,
    ways: Ways,
    uses: ReadonlyMap<Tensor, number>,
    fixed: ReadonlySet<Node>,
  ) {
    this.#fixed = fixed;
    this.stored = new Set(required.map(baseOf));
    this.#buffers = buffers;
    this.#ways = ways;
    this.#uses = uses;
  }

  /** What a kernel reads many times has to lie in memory. */
  forceInputs(node: Node): void {
    const kernel = this.#ways.kernel(node);
    if (kernel === undefined) return;
    const inlines = kernel.inlines?.(node) ?? [];
    for (const [i, input] of node.inputs.entries()) if (inlines[i] !== true) this.stored.add(baseOf(input));
  }

  visit(node: Node): void {
    if (node.op.name === "full") return;
    if (!this.#fixed.has(node)) this.#keepFixed(node);
    const expression = this.#ways.expression(node);
    const way = this.#ways.of(node);
    if (expression === undefined && way !== "view") {
      for (const output of node.outputs) this.stored.add(output);
      if (way !== "leaf") this.#limitLoads(node.inputs, this.#buffers - node.outputs.length - 1);
      return;
    }
    if (way === "view") this.#keepOffSpreading(node);
    this.#limitLoads(node.inputs, this.#buffers - 2);
    const output = node.outputs[0] as Tensor;
    const tree = joined(
      node.inputs.map((input) => this.#treeOf(input)),
      expression?.weight ?? 1,
    );
    this.#trees.set(output, tree);
    if (tree.length > longest || (expression !== undefined && paysToStore(output, tree, this.#uses.get(output) ?? 0)))
      this.stored.add(output);
  }

  #treeOf(tensor: Tensor): Tree {
    if (this.stored.has(tensor)) return { loads: new Set([tensor]), weight: 0, length: 0 };
    return this.#trees.get(tensor) ?? nothing;
  }

  /** Stores inputs, the one with the most loads first, until all of them together read few enough tensors. */
  #limitLoads(inputs: readonly Tensor[], most: number): void {
    for (;;) {
      const trees = inputs.map((input) => [baseOf(input), this.#treeOf(baseOf(input))] as const);
      if (
        joined(
          trees.map(([, tree]) => tree),
          0,
        ).loads.size <= most
      )
        return;
      const widest = trees.reduce((a, b) => (b[1].loads.size > a[1].loads.size ? b : a));
      if (widest[1].loads.size < 2) return;
      this.stored.add(widest[0]);
    }
  }

  /** Arithmetic on constants is done once and for all, before views make more of its results. */
  #keepFixed(node: Node): void {
    for (const input of node.inputs) {
      const source = behindViews(input);
      if (this.#fixed.has(source.node) && this.#ways.expression(source.node) !== undefined) this.stored.add(source);
    }
  }

  /** Arithmetic that costs much is done before its result is repeated. */
  #keepOffSpreading(node: Node): void {
    const input = baseOf(node.inputs[0] as Tensor);
    const growth = sizeOf((node.outputs[0] as Tensor).shape) / Math.max(1, sizeOf(input.shape));
    if (growth >= 4 && this.#treeOf(input).weight >= spreadWeight) this.stored.add(input);
  }
}

function joined(trees: readonly Tree[], weight: number): Tree {
  const loads = new Set<Tensor>();
  let total = weight;
  let length = 1;
  for (const tree of trees) {
    for (const load of tree.loads) loads.add(load);
    total += tree.weight;
    length += tree.length;
  }
  return { loads, weight: total, length };
}

/** Compares memory passes: computing anew at each use against storing once and reading. */
function paysToStore(tensor: Tensor, { loads, weight }: Tree, uses: number): boolean {
  if (uses < 2 || weight === 0) return false;
  const size = sizeOf(tensor.shape);
  const large = [...loads].filter(({ shape }) => sizeOf(shape) * 4 >= size).length;
  const anew = uses * (large + weight / passWeight);
  const once = large + weight / passWeight + 1 + uses;
  return anew > once;
}

/** How many ops read each tensor, views left out: their readers count. */
function countUses(order: readonly Node[], ways: Ways): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const through = ways.of(node) === "view" ? (uses.get(node.outputs[0] as Tensor) ?? 1) : 1;
    for (const input of new Set(node.inputs)) uses.set(input, (uses.get(input) ?? 0) + through);
  }
  return uses;
}
