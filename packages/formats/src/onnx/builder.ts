import { ArgumentError, type DType, fromNumbers, type HostTensor, type Shape } from "@ocelli/core";
import { type AttrInput, toAttribute } from "./attributes.js";
import { encodeModel } from "./encode.js";
import {
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type ValueSpec,
  valueInfo,
} from "./model.js";
import { Names } from "./names.js";
import { int64Tensor, tensorFromHost } from "./tensor.js";

declare const brand: unique symbol;
/** A value of a graph under construction. A handle for other calls: its name in the file is settled by `build`. */
export type Value = string & { readonly [brand]: true };

/** An attribute, or the graph of one (`If`, `Loop`): a builder made by {@link GraphBuilder.subgraph}. */
export type NodeAttr = AttrInput | GraphBuilder;

export interface NodeOptions {
  /** The operator set, if it is not ONNX's own: `com.microsoft`. */
  readonly domain?: string | undefined;
  /** For people and error messages: the module's path. */
  readonly name?: string | undefined;
}

export interface BuildOptions {
  /** The graph's name. */
  readonly name?: string;
  readonly producer?: string;
  readonly producerVersion?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly doc?: string;
  /** Needed only for element types that are newer than {@link defaultIrVersion}. */
  readonly irVersion?: number;
}

/** The version of ONNX's operators that models are written in: known to every checker and runtime since 2022. */
export const defaultOpset = 17;
/** The version of the file format that belongs to {@link defaultOpset}. */
export const defaultIrVersion = 8;

/** Bytes up to which equal constants are stored once. Shapes, axes and scalars are far below. */
const sharedConstantBytes = 256;

interface PendingNode {
  readonly opType: string;
  readonly inputs: readonly (Value | "")[];
  readonly outputs: readonly Value[];
  readonly attributes: readonly (readonly [string, OnnxAttribute | GraphBuilder])[];
  readonly domain: string;
  readonly name: string;
}

/** What a graph and its subgraphs have in common. */
interface Shared {
  readonly names: Names;
  readonly opsets: Map<string, number>;
  readonly specs: Map<string, ValueSpec>;
  readonly used: Set<string>;
}

/**
 * Puts an ONNX model together, node by node, in an order in which they can be computed. The same calls give the same bytes.
 *
 * ```ts
 * const b = new GraphBuilder();
 * const x = b.input("x", { dtype: "float32", shape: ["N", 8] });
 * b.output("y", b.node("Gemm", [x, b.initializer(weight), b.initializer(bias)], { transB: 1 }));
 * const bytes = b.encode();
 * ```
 */
export class GraphBuilder {
  readonly #shared: Shared;
  readonly #parent: GraphBuilder | undefined;
  /** Stands before the names of a subgraph's inputs and outputs, which no other graph of the model may have. */
  readonly #prefix: string;
  readonly #nodes: PendingNode[] = [];
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #described: Value[] = [];
  readonly #initializers = new Map<Value, OnnxTensor>();
  readonly #constants = new Map<string, Value>();
  /** Values of this graph, and those among them that its nodes make. */
  readonly #own = new Set<string>();
  readonly #produced = new Set<string>();

  /** @param options.opsets versions by domain; ONNX's own ("") is {@link defaultOpset}, any other 1 unless it is said here */
  constructor(options: { readonly opsets?: Readonly<Record<string, number>> } = {}, parent?: GraphBuilder) {
    this.#parent = parent;
    this.#shared = parent === undefined ? newShared(options.opsets) : parent.#shared;
    this.#prefix = parent === undefined ? "" : `${this.#shared.names.fresh("g")}.`;
  }

  /** Version of an operator set; lowerings may choose by it. */
  opset(domain = ""): number {
    return this.#shared.opsets.get(domain) ?? 1;
  }

  /** A graph for an attribute (`body`, `then_branch`). It may use this graph's values, not the other way round. */
  subgraph(): GraphBuilder {
    return new GraphBuilder({}, this);
  }

  /** Declares an input. Sizes may be names (`"N"`). @throws ArgumentError when the name is taken */
  input(name: string, spec: ValueSpec): Value {
    const value = this.#newValue();
    this.#shared.names.fix(value, this.#prefix + name);
    this.#shared.specs.set(value, spec);
    this.#inputs.push(value);
    return value;
  }

  /**
   * Declares an output. A value that has a name of its own already (an input, a named initializer, another output, a value
   * from outside of a subgraph) goes through an Identity.
   * @param spec ONNX's checker wants it on every output; may be left out where {@link describe} or `input` has said it
   * @throws ArgumentError when the name is taken
   */
  output(name: string, value: Value, spec?: ValueSpec): void {
    const known = spec ?? this.#shared.specs.get(value);
    const own =
      this.#produced.has(value) && !this.#shared.names.isFixed(value) ? value : this.node("Identity", [value]);
    this.#shared.names.fix(own, this.#prefix + name);
    if (known !== undefined) this.#shared.specs.set(own, known);
    this.#shared.used.add(own);
    this.#outputs.push(own);
  }

  /** States dtype and shape of a value in between (ONNX's `value_info`). Returns the value. */
  describe(value: Value, spec: ValueSpec): Value {
    this.#shared.specs.set(value, spec);
    if (this.#produced.has(value)) this.#described.push(value);
    return value;
  }

  /**
   * A constant. Without a name, equal small ones are stored once, and one that nothing uses is left out.
   * The memory is not copied: leave it as it is until the model is encoded.
   * @throws ArgumentError when the name is taken
   */
  initializer(tensor: HostTensor | OnnxTensor, name?: string): Value {
    const own = "data" in tensor ? tensorFromHost(tensor) : tensor;
    const key = name === undefined ? constantKey(own) : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const value = this.#newValue();
    if (name !== undefined) this.#shared.names.fix(value, this.#prefix + name);
    this.#initializers.set(value, own);
    this.#shared.specs.set(value, { dtype: own.dtype, shape: own.shape });
    if (key !== undefined) this.#constants.set(key, value);
    return value;
  }

  /** A constant of 64-bit integers: a shape, axes, pads. One dimension unless `shape` says otherwise. */
  int64(values: readonly number[], shape?: Shape): Value {
    return this.initializer(int64Tensor(values, shape));
  }

  /** A constant without dimensions. */
  scalar(value: number, dtype: DType | "int64"): Value {
    return this.initializer(dtype === "int64" ? int64Tensor([value], []) : fromNumbers([value], [], dtype));
  }

  /**
   * Adds a node with one output.
   * @param inputs "" for an optional one that is absent
   * @param attrs see {@link AttrInput}
   * @throws ArgumentError for a value of another graph, and for an attribute that may be meant as a float
   */
  node(
    opType: string,
    inputs: readonly (Value | "")[],
    attrs: Readonly<Record<string, NodeAttr>> = {},
    options: NodeOptions = {},
  ): Value {
    return this.nodes(opType, inputs, attrs, { ...options, outputs: 1 })[0] as Value;
  }

  /** Adds a node with several outputs (or none): as many values as `options.outputs` says. Otherwise as {@link node}. */
  nodes(
    opType: string,
    inputs: readonly (Value | "")[],
    attrs: Readonly<Record<string, NodeAttr>>,
    options: NodeOptions & { readonly outputs: number },
  ): Value[] {
    const where = options.name ? `${opType} ${options.name}` : opType;
    const attributes = Object.entries(attrs).flatMap(([name, attr]) =>
      attr === undefined ? [] : [[name, attr instanceof GraphBuilder ? attr : toAttribute(name, attr, where)] as const],
    );
    const present = dropTrailingBlanks(inputs);
    for (const [index, value] of present.entries()) this.#use(value, index, where);
    const outputs = Array.from({ length: options.outputs }, () => this.#newValue());
    for (const value of outputs) this.#produced.add(value);
    const domain = options.domain === "ai.onnx" ? "" : (options.domain ?? "");
    this.#shared.opsets.set(domain, this.opset(domain));
    this.#nodes.push({ opType, inputs: present, outputs, attributes, domain, name: options.name ?? "" });
    return outputs;
  }

  /** The model as plain objects. May be called again, also after more calls of the other methods. */
  build(options: BuildOptions = {}): OnnxModel {
    if (this.#parent !== undefined)
      throw new ArgumentError("build: a subgraph is built with the graph that it belongs to");
    const graph = this.#graph(options.name ?? "graph");
    return {
      irVersion: options.irVersion ?? defaultIrVersion,
      opsets: Object.fromEntries(this.#shared.opsets),
      producer: options.producer ?? "ocelli",
      producerVersion: options.producerVersion ?? "",
      domain: "",
      version: 0,
      doc: options.doc ?? "",
      metadata: options.metadata ?? {},
      graph,
      functions: [],
    };
  }

  /** The model as the bytes of a file. @throws OnnxSizeError at 2 GiB */
  encode(options: BuildOptions = {}): Uint8Array {
    return encodeModel(this.build(options));
  }

  #newValue(): Value {
    const value = this.#shared.names.fresh("n") as Value;
    this.#own.add(value);
    return value;
  }

  #knows(value: string): boolean {
    const parent = this.#parent;
    return this.#own.has(value) || (parent === undefined ? false : parent.#knows(value));
  }

  #use(value: Value | "", index: number, where: string): void {
    if (value === "") return;
    if (!this.#knows(value)) {
      throw new ArgumentError(`${where}: input ${index}, ${JSON.stringify(value)}, is no value of this graph`, {
        index,
        value,
      });
    }
    this.#shared.used.add(value);
  }

  #graph(name: string): OnnxGraph {
    const { names, specs, used } = this.#shared;
    const info = (value: Value) => {
      const spec = specs.get(value);
      return spec === undefined ? { name: names.of(value) } : valueInfo(names.of(value), spec);
    };
    const outputs = new Set(this.#outputs);
    const kept = [...this.#initializers].filter(([value]) => names.isFixed(value) || used.has(value));
    return {
      name,
      nodes: this.#nodes.map((node) => this.#finish(node)),
      inputs: this.#inputs.map(info),
      outputs: this.#outputs.map(info),
      values: [...new Set(this.#described)].filter((value) => !outputs.has(value)).map(info),
      initializers: kept.map(([value, tensor]) => ({ ...tensor, name: names.of(value) })),
    };
  }

  #finish(node: PendingNode): OnnxNode {
    const { names } = this.#shared;
    const attributes = node.attributes.map(([name, value]) => {
      if (!(value instanceof GraphBuilder)) return [name, value] as const;
      return [name, { kind: "graph", value: value.#graph(name) }] as const;
    });
    return {
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      inputs: node.inputs.map((value) => (value === "" ? "" : names.of(value))),
      outputs: node.outputs.map((value) => names.of(value)),
      attributes: Object.fromEntries<OnnxAttribute>(attributes as Iterable<readonly [string, OnnxAttribute]>),
    };
  }
}

function newShared(opsets: Readonly<Record<string, number>> | undefined): Shared {
  return {
    names: new Names(),
    opsets: new Map(Object.entries({ "": defaultOpset, ...opsets })),
    specs: new Map(),
    used: new Set(),
  };
}

function dropTrailingBlanks(inputs: readonly (Value | "")[]): readonly (Value | "")[] {
  let length = inputs.length;
  while (length > 0 && inputs[length - 1] === "") length--;
  return inputs.slice(0, length);
}

/** Equal for equal small constants; undefined for the others. */
function constantKey({ dtype, shape, bytes, strings, external }: OnnxTensor): string | undefined {
  if (bytes.length > sharedConstantBytes || strings !== undefined || external !== undefined) return undefined;
  return `${dtype}[${shape.join(",")}]${String.fromCharCode(...bytes)}`;
}
