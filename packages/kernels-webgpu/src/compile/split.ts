/**
 * Tensors that are too large for one binding (the first fully connected layer of VGG has 411 MB) become several, cut along their first
 * axis. Arithmetic, sums and matrix products go through in parts; whatever else meets such a tensor is a named error.
 */
import {
  add,
  byteSize,
  concat,
  DeviceError,
  formatSpec,
  full,
  matmul,
  Node,
  narrow,
  reshape,
  type Spec,
  sum,
  type Tensor,
  topologicalOrder,
  withScope,
} from "@ocelli/core";
import type { MatmulAttrs, ProgramGraph } from "@ocelli/core/backend";
import { formatBytes } from "../errors.js";
import type { Ways } from "./ways.js";

/** Rows `from` to `to` (exclusive) of each part of a tensor; one part when it fits. @throws DeviceError when a single row does not */
export function partsOf(spec: Spec, most: number): readonly (readonly [number, number])[] {
  const bytes = byteSize(spec);
  const rows = spec.shape[0] ?? 1;
  if (bytes <= most) return [[0, rows]];
  const perPart = Math.floor(most / (bytes / rows));
  if (perPart === 0) throw tooLarge("a state entry", spec, most);
  return Array.from({ length: Math.ceil(rows / perPart) }, (_, i) => [i * perPart, Math.min((i + 1) * perPart, rows)]);
}

export function tooLarge(what: string, spec: Spec, most: number): DeviceError {
  return new DeviceError(
    `webgpu: ${what} is ${formatSpec(spec)}, ${formatBytes(byteSize(spec))}; this adapter binds at most ${formatBytes(most)} at once. Use a smaller batch or image, or an adapter with larger limits.`,
  );
}

/** A graph in whose place another was put, with the entry and the part that each of its state leaves is. */
export interface SplitGraph extends ProgramGraph {
  readonly partOf: ReadonlyMap<string, { readonly entry: string; readonly part: number }>;
}

/** A graph whose leaves are all small enough. Parts of an entry `name` are called `name#0`, `name#1` ... */
export function splitOversized(graph: ProgramGraph, most: number, ways: Ways): SplitGraph {
  const partOf = new Map([...graph.state.keys()].map((entry) => [entry, { entry, part: 0 }]));
  const large = [...graph.state].filter(([, leaf]) => byteSize(leaf) > most);
  if (large.length === 0) return { ...graph, partOf };
  const splitter = new Splitter(most, ways);
  const state = new Map<string, Tensor>();
  for (const [entry, leaf] of graph.state) {
    const parts = splitter.leaf(leaf);
    for (const [part, tensor] of parts.entries()) {
      const name = parts.length > 1 ? `${entry}#${part}` : entry;
      state.set(name, tensor);
      partOf.set(name, { entry, part });
    }
  }
  splitter.visit(topologicalOrder([...graph.outputs, ...graph.updates.values()]));
  const updates = new Map<string, Tensor>();
  for (const [name, tensor] of graph.updates) {
    const parts = splitter.parts(tensor);
    for (const [i, part] of parts.entries()) updates.set(parts.length > 1 ? `${name}#${i}` : name, part);
  }
  return { ...graph, partOf, state, updates, outputs: graph.outputs.map((output) => splitter.whole(output)) };
}

type Parts = readonly Tensor[];
type Rule = (node: Node, bounds: (tensor: Tensor) => readonly (readonly [number, number])[]) => Tensor | Parts;

class Splitter {
  readonly #most: number;
  readonly #ways: Ways;
  readonly #parts = new Map<Tensor, Parts>();

  constructor(most: number, ways: Ways) {
    this.#most = most;
    this.#ways = ways;
  }

  leaf(leaf: Tensor): Parts {
    const { node, dtype } = leaf;
    const bounds = partsOf(leaf, this.#most);
    const parts =
      bounds.length === 1
        ? [leaf]
        : bounds.map(([from, to], i) => {
            const spec = { shape: [to - from, ...leaf.shape.slice(1)], dtype };
            return new Node(
              node.op,
              [],
              { ...node.attrs, ...spec, name: `${node.attrs.name}#${i}` },
              [spec],
              node.scope,
            ).outputs[0] as Tensor;
          });
    this.#parts.set(leaf, parts);
    return parts;
  }

  parts(tensor: Tensor): Parts {
    return this.#parts.get(tensor) ?? [tensor];
  }

  whole(tensor: Tensor): Tensor {
    const parts = this.parts(tensor);
    if (parts.length > 1) throw tooLarge(`the result of ${tensor.node.op.name}`, tensor, this.#most);
    return parts[0] as Tensor;
  }

  visit(order: readonly Node[]): void {
    for (const node of order) {
      if (this.#parts.has(node.outputs[0] as Tensor)) continue;
      const touched = node.inputs.some((input) => this.parts(input).length > 1 || this.parts(input)[0] !== input);
      const grows = node.outputs.some((output) => byteSize(output) > this.#most);
      if (!touched && !grows) continue;
      withScope(node.scope, () => this.#rebuild(node));
    }
  }

  #rebuild(node: Node): void {
    const split = node.inputs.some((input) => this.parts(input).length > 1);
    const grows = node.outputs.some((output) => byteSize(output) > this.#most);
    if (!split && !grows) {
      const inputs = node.inputs.map((input) => this.whole(input));
      const { outputs } = new Node(node.op, inputs, node.attrs, node.outputs, node.scope);
      for (const [i, output] of node.outputs.entries()) this.#parts.set(output, [outputs[i] as Tensor]);
      return;
    }
    const rule = this.#ways.expression(node) !== undefined ? this.#pointwise : this.#rules[node.op.name];
    if (rule === undefined) {
      const worst = [...node.inputs, ...node.outputs].reduce((a, b) => (byteSize(b) > byteSize(a) ? b : a));
      throw tooLarge(`a tensor of ${node.op.name}${node.scope === "" ? "" : ` at ${node.scope}`}`, worst, this.#most);
    }
    const made = rule(node, (tensor) => partsOf(tensor, this.#most));
    this.#parts.set(node.outputs[0] as Tensor, Array.isArray(made) ? (made as Parts) : [made as Tensor]);
  }

  /** Rows of a tensor, from its parts or cut out of it. */
  #rows(tensor: Tensor, bounds: readonly (readonly [number, number])[]): Parts {
    const parts = this.parts(tensor);
    return parts.length > 1 ? parts : bounds.map(([from, to]) => narrow(parts[0] as Tensor, 0, from, to));
  }

  readonly #pointwise: Rule = (node, boundsOf) => {
    const output = node.outputs[0] as Tensor;
    // A cast changes the bytes of a row; where the input's cut stands, it decides.
    const cut = node.inputs.find((input) => this.parts(input).length > 1) ?? output;
    const bounds = boundsOf(cut);
    const columns = node.inputs.map((input) => this.#rows(input, bounds));
    return bounds.map(([from, to], i) => {
      const spec = { shape: [to - from, ...output.shape.slice(1)], dtype: output.dtype };
      const inputs = columns.map((parts) => parts[i] as Tensor);
      return new Node(node.op, inputs, node.attrs, [spec], node.scope).outputs[0] as Tensor;
    });
  };

  readonly #rules: Readonly<Record<string, Rule>> = {
    full: ({ outputs, attrs }, boundsOf) => {
      const { shape, dtype } = outputs[0] as Tensor;
      return boundsOf({ ...(outputs[0] as Tensor) } as Tensor).map(([from, to]) =>
        full([to - from, ...shape.slice(1)], (attrs as { value: number }).value, dtype),
      );
    },
    broadcastTo: (node, boundsOf) => {
      const output = node.outputs[0] as Tensor;
      const x = this.whole(node.inputs[0] as Tensor);
      const varies = x.shape.length === output.shape.length && x.shape[0] !== 1;
      return boundsOf(output).map(([from, to]) => {
        const shape = [to - from, ...output.shape.slice(1)];
        const input = varies ? narrow(x, 0, from, to) : x;
        return new Node(node.op, [input], { shape }, [{ shape, dtype: output.dtype }], node.scope).outputs[0] as Tensor;
      });
    },
    sum: (node) => {
      const { axes } = node.attrs as { axes: readonly number[] };
      const parts = this.parts(node.inputs[0] as Tensor).map((part) => sum(part, { axes, keepDims: true }));
      return axes.includes(0) ? parts.reduce((total, part) => add(total, part)) : concat(parts, 0);
    },
    reshape: (node) => {
      const output = node.outputs[0] as Tensor;
      const input = node.inputs[0] as Tensor;
      if (output.shape[0] !== input.shape[0]) throw tooLarge("what reshape is given", input, this.#most);
      return this.parts(input).map((part) => reshape(part, [part.shape[0] as number, ...output.shape.slice(1)]));
    },
    matmul: (node, boundsOf) => this.#product(node, boundsOf(node.outputs[0] as Tensor)),
  };

  #product(node: Node, rows: readonly (readonly [number, number])[]): Tensor | Parts {
    const [a, b] = node.inputs as readonly [Tensor, Tensor];
    const attrs = node.attrs as MatmulAttrs;
    const { transposeA, transposeB } = attrs;
    if (a.shape.length !== 2) throw tooLarge("an operand of a batched matmul", a, this.#most);
    const [as, bs] = [this.parts(a), this.parts(b)];
    if (as.length > 1 && bs.length > 1) throw tooLarge("a matmul of two large operands: one", a, this.#most);
    if (bs.length > 1) {
      if (transposeB)
        return concat(
          bs.map((part) => matmul(this.whole(a), part, attrs)),
          1,
        );
      return inner(bs, (part, from, to) => matmul(narrow(this.whole(a), transposeA ? 0 : 1, from, to), part, attrs));
    }
    const right = this.whole(b);
    if (as.length > 1) {
      if (!transposeA) return as.map((part) => matmul(part, right, attrs));
      return inner(as, (part, from, to) => matmul(part, narrow(right, transposeB ? 1 : 0, from, to), attrs));
    }
    // The operands fit and the product does not: its rows are cut.
    const left = this.whole(a);
    return rows.map(([from, to]) => matmul(narrow(left, transposeA ? 1 : 0, from, to), right, attrs));
  }
}

/** Sum of products over parts of the inner dimension. */
function inner(parts: Parts, product: (part: Tensor, from: number, to: number) => Tensor): Tensor {
  let from = 0;
  const terms = parts.map((part) => {
    const to = from + (part.shape[0] as number);
    const term = product(part, from, to);
    from = to;
    return term;
  });
  return terms.reduce((total, term) => add(total, term));
}
