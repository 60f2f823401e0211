import { DeviceError, type HostTensor, type Node, sameShape, type Tensor, topologicalOrder } from "@ocelli/core";
import { GraphBuilder, type NodeOptions, type Value } from "../builder.js";
import type { Emitter, Held, LoweringContext, LoweringTable, Packing } from "./lowering.js";
import { bitwiseOpset } from "./random.js";

/** What is to be written: every op has an entry in the table. */
export interface LoweredGraph {
  /** Values that each run feeds, by the name they shall have. Any tensor may be one: what it is made from is then left out. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Leaves that are written as constants, by the name they shall have: weights. */
  readonly constants?: ReadonlyMap<string, { readonly leaf: Tensor; readonly value: HostTensor }>;
}

/**
 * Writes a graph as an ONNX model, one node after the other. Broadcasts and uniform tensors are not written where what reads them
 * broadcasts by itself.
 * @param packing the order that the table's packed values lie in
 * @throws DeviceError for an op that the table lacks
 */
export function lowerGraph(graph: LoweredGraph, table: LoweringTable, packing?: Packing): GraphBuilder {
  const order = topologicalOrder(
    [...graph.outputs.values()],
    new Set([...graph.inputs.values()].map(({ node }) => node)),
  );
  // Only what needs newer operators is written with them: old checkers and runtimes then read all the rest.
  const newer = order.some(({ op }) => op.name === "randomBits");
  const b = new GraphBuilder(newer ? { opsets: { "": bitwiseOpset } } : {});
  const walk = new Walk(b, table, packing);
  for (const [name, tensor] of graph.inputs) {
    walk.hold(tensor, { value: b.input(name, tensor), shape: tensor.shape });
  }
  for (const [name, { leaf, value }] of graph.constants ?? []) {
    walk.hold(leaf, { value: b.initializer(value, name), shape: leaf.shape });
  }
  for (const node of order) walk.lower(node);
  for (const [name, tensor] of graph.outputs) b.output(name, walk.full(tensor), tensor);
  return b;
}

/** One walk over a graph, and what stands for its tensors so far. */
class Walk implements LoweringContext {
  readonly #b: GraphBuilder;
  readonly #table: LoweringTable;
  readonly #packing: Packing | undefined;
  readonly #held = new Map<Tensor, Held>();
  readonly #made = new Map<string, Value>();
  #count = 0;

  constructor(b: GraphBuilder, table: LoweringTable, packing: Packing | undefined) {
    this.#b = b;
    this.#table = table;
    this.#packing = packing;
  }

  hold(tensor: Tensor, held: Held): void {
    this.#held.set(tensor, held);
  }

  held(tensor: Tensor): Held {
    const raw = this.raw(tensor);
    if (!raw.packed) return raw;
    const unpack = (): Value => (this.#packing as Packing).unpack(this.#emitter(tensor.node), raw.value, tensor.shape);
    return { value: this.once(`unpacked ${raw.value}`, unpack), shape: raw.shape };
  }

  packed(tensor: Tensor): Value | undefined {
    const raw = this.raw(tensor);
    if (raw.packed) return raw.value;
    const packing = this.#packing;
    if (packing === undefined || tensor.dtype !== "float32" || !packing.takes(tensor.shape)) return undefined;
    const value = this.full(tensor);
    return this.once(`packed ${value}`, () => packing.pack(this.#emitter(tensor.node), value, tensor.shape));
  }

  raw(tensor: Tensor): Held {
    const held = this.#held.get(tensor);
    if (held === undefined)
      throw new DeviceError(`${tensor.node.op.name}: is no input of the program and was not computed`);
    return held;
  }

  full(tensor: Tensor): Value {
    const { value, shape } = this.held(tensor);
    if (sameShape(shape, tensor.shape)) return value;
    return this.once(`expanded ${value} ${tensor.shape}`, () =>
      this.#b.node("Expand", [value, this.#b.int64(tensor.shape)]),
    );
  }

  once(key: string, make: () => Value): Value {
    let value = this.#made.get(key);
    if (value === undefined) {
      value = make();
      this.#made.set(key, value);
    }
    return value;
  }

  lower(node: Node): void {
    if (node.outputs.every((output) => this.#held.has(output))) return;
    const results = this.#leaf(node) ?? this.#apply(node);
    for (const [i, output] of node.outputs.entries()) {
      const result = results[i] as Value | Held;
      if (!this.#held.has(output))
        this.hold(output, typeof result === "string" ? { value: result, shape: output.shape } : result);
    }
  }

  /** What takes no operator. */
  #leaf({ op, attrs, inputs }: Node): readonly Held[] | undefined {
    if (op.name === "full") return [{ value: this.#b.scalar(attrs.value, attrs.dtype), shape: [] }];
    if (op.name === "constant") {
      const host = attrs.value as HostTensor;
      return [{ value: this.#b.initializer(host), shape: host.shape }];
    }
    // A packed value has its whole shape: what is broadcast of it is not packed.
    if (op.name === "broadcastTo") return [this.held(inputs[0] as Tensor)];
    const [only] = op.name === "reshape" ? inputs : [];
    // A number everywhere stays one in any shape.
    if (only !== undefined && this.raw(only).shape.length === 0) return [this.raw(only)];
    return undefined;
  }

  #apply(node: Node): readonly (Value | Held)[] {
    const lowering = this.#table[node.op.name];
    if (lowering === undefined || lowering === "decompose") {
      throw new DeviceError(
        `${node.op.name}: there is no ONNX lowering for it, and it was not replaced by its definition`,
      );
    }
    const inputs = node.inputs.map((input) => (lowering.broadcasts ? this.raw(input).value : this.full(input)));
    return lowering.lower(this.#emitter(node), node, inputs, this);
  }

  /** The builder, with a name for every node: `layer1.0.conv1/conv2d:12`. Runtimes refuse two nodes of one name. */
  #emitter({ scope, op }: Node): Emitter {
    const b = this.#b;
    const place = scope === "" ? op.name : `${scope}/${op.name}`;
    const named = <T extends NodeOptions>(options: T) => ({ name: `${place}:${this.#count++}`, ...options });
    return {
      node: (opType, inputs, attrs, options) => b.node(opType, inputs, attrs, named(options ?? {})),
      nodes: (opType, inputs, attrs, options) => b.nodes(opType, inputs, attrs, named(options)),
      initializer: (tensor, name) => b.initializer(tensor, name),
      int64: (values, shape) => b.int64(values, shape),
      scalar: (value, dtype) => b.scalar(value, dtype),
      opset: (domain) => b.opset(domain),
    };
  }
}
