import { ArgumentError } from "@ocelli/core";
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from "../model.js";
import { int64Tensor } from "../tensor.js";

export interface TracedTwice {
  /** One program, written at two batch sizes. */
  readonly first: OnnxModel;
  readonly second: OnnxModel;
  readonly sizes: readonly [number, number];
  /** Declared shapes, with `"N"` for the batch. */
  readonly inputs: Readonly<Record<string, { readonly shape: readonly (number | "N")[] }>>;
}

/**
 * One model out of two that differ in their batch size: sizes that differ become `N`, and so do the shape constants. A reshape takes -1;
 * other shapes are computed from the input's.
 * @throws ArgumentError naming the op, when the models differ otherwise
 */
export function nameBatch(traced: TracedTwice): OnnxModel {
  const { first, second } = traced;
  if (first.graph.nodes.length !== second.graph.nodes.length) {
    throw new ArgumentError(
      `exportGraph: the graph has ${first.graph.nodes.length} nodes at batch ${traced.sizes[0]} and ${second.graph.nodes.length} at ${traced.sizes[1]}; its structure must not depend on N`,
    );
  }
  const naming = new Naming(traced);
  const nodes = first.graph.nodes.map((node, i) => naming.node(node, second.graph.nodes[i] as OnnxNode));
  const inputs = first.graph.inputs.map((value) => ({
    ...value,
    shape: traced.inputs[value.name]?.shape ?? value.shape,
  }));
  const outputs = first.graph.outputs.map((value, i) => naming.output(value, second.graph.outputs[i] as OnnxValue));
  const all = [...naming.prelude, ...nodes];
  const used = new Set(all.flatMap((node) => node.inputs));
  const initializers = [...first.graph.initializers, ...naming.constants].filter(({ name }) => used.has(name));
  return { ...first, graph: { ...first.graph, nodes: all, inputs, outputs, values: [], initializers } };
}

class Naming {
  /** Nodes that compute N, and shapes from it. */
  readonly prelude: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  readonly #traced: TracedTwice;
  readonly #initializers: readonly [ReadonlyMap<string, OnnxTensor>, ReadonlyMap<string, OnnxTensor>];
  readonly #made = new Map<string, string>();

  constructor(traced: TracedTwice) {
    const byName = ({ graph }: OnnxModel) => new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
    this.#traced = traced;
    this.#initializers = [byName(traced.first), byName(traced.second)];
  }

  node(first: OnnxNode, second: OnnxNode): OnnxNode {
    if (first.opType !== second.opType || first.inputs.length !== second.inputs.length) {
      throw this.#refusal(first, "another operator stands there at another batch size");
    }
    for (const [name, attribute] of Object.entries(first.attributes)) {
      const other = second.attributes[name];
      if (!sameAttribute(attribute, other)) throw this.#refusal(first, `its attribute ${name} depends on N`);
    }
    return { ...first, inputs: first.inputs.map((_, i) => this.#input(first, second, i)) };
  }

  output(first: OnnxValue, second: OnnxValue): OnnxValue {
    const [n] = this.#traced.sizes;
    const shape = first.shape?.map((dim, i) => (dim === second.shape?.[i] ? dim : dim === n ? "N" : ""));
    return { ...first, shape };
  }

  #input(first: OnnxNode, second: OnnxNode, index: number): string {
    const name = first.inputs[index] as string;
    const tensors = [
      this.#initializers[0].get(name),
      this.#initializers[1].get(second.inputs[index] as string),
    ] as const;
    const [a, b] = tensors;
    if (a === undefined || b === undefined || sameTensor(a, b)) return name;
    if (a.dtype !== "int64" || a.shape.join() !== b.shape.join())
      throw this.#refusal(first, "a constant in it depends on N");
    const values = [integers(a), integers(b)] as const;
    const open = values[0].flatMap((value, i) => (value === values[1][i] ? [] : [i]));
    if (first.opType === "Reshape" && index === 1 && open.length === 1 && !values[0].includes(0)) {
      return this.#constant(values[0].map((value, i) => (i === open[0] ? -1 : value)));
    }
    return this.#computed(first, values);
  }

  /** A vector some of whose elements are multiples of N: `N * factors + rest`. */
  #computed(node: OnnxNode, [a, b]: readonly [readonly number[], readonly number[]]): string {
    const [n, m] = this.#traced.sizes;
    const factors = a.map((value, i) => (value === b[i] ? 0 : value / n));
    if (factors.some((factor, i) => factor !== 0 && (!Number.isInteger(factor) || factor * m !== b[i]))) {
      throw this.#refusal(node, "a shape in it is no multiple of N");
    }
    const rest = a.map((value, i) => (factors[i] === 0 ? value : 0));
    return this.#once(`${factors}|${rest}`, (name) => {
      const product = this.#operation("Mul", [this.#batch(), this.#constant(factors)], `${name}_multiples`);
      this.#operation("Add", [product, this.#constant(rest)], name);
    });
  }

  /** N as a vector of one element. */
  #batch(): string {
    return this.#once("N", (name) => {
      const [input, axis] = Object.entries(this.#traced.inputs).flatMap(([key, { shape }]) => {
        const at = shape.indexOf("N");
        return at < 0 ? [] : [[key, at] as const];
      })[0] as readonly [string, number];
      const shape = this.#operation("Shape", [input], `${name}_shape`);
      this.#operation("Gather", [shape, this.#constant([axis])], name, { axis: { kind: "int", value: 0 } });
    });
  }

  #constant(values: readonly number[]): string {
    return this.#once(`[${values}]`, (name) => this.constants.push(int64Tensor(values, undefined, name)));
  }

  #once(key: string, make: (name: string) => void): string {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const name = `batch_${this.#made.size}`;
    this.#made.set(key, name);
    make(name);
    return name;
  }

  #operation(opType: string, inputs: readonly string[], name: string, attributes: OnnxNode["attributes"] = {}): string {
    this.prelude.push({ opType, domain: "", name, inputs, outputs: [name], attributes });
    return name;
  }

  #refusal({ name, opType }: OnnxNode, what: string): ArgumentError {
    const place = name.replace(/:\d+$/, "");
    return new ArgumentError(
      `exportGraph: ${place} (${opType}): ${what}. Export with a fixed batch size instead of "N".`,
      {
        node: place,
      },
    );
  }
}

function sameAttribute(a: OnnxAttribute, b: OnnxAttribute | undefined): boolean {
  return b !== undefined && JSON.stringify([a.kind, a.value]) === JSON.stringify([b.kind, b.value]);
}

function sameTensor(a: OnnxTensor, b: OnnxTensor): boolean {
  if (a === b || a.bytes === b.bytes) return true;
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || a.bytes.length !== b.bytes.length) return false;
  return a.bytes.every((byte, i) => byte === b.bytes[i]);
}

function integers({ bytes }: OnnxTensor): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}
