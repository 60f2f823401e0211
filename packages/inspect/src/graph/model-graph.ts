import { ArgumentError, costOf, input, type Node, type Shape, sizeOf, type Tensor } from "@ocelli/core";
import { type AnyModule, keySpec, type Module, namedOutputs, type TapRecord, traceModule } from "@ocelli/layers";
import { type ReceptiveField2d, receptiveFields } from "../receptive-field.js";
import { type Call, callTree, nodesAfter } from "./calls.js";
import { foldRepeats } from "./repeats.js";

export type BoxKind =
  | "input"
  | "output"
  | "convolution"
  | "linear"
  | "pooling"
  | "normalisation"
  | "join"
  | "function"
  | "group";

/** A layer as it is called, a function between layers, or a block of them. */
export interface GraphBox {
  /** Unique in the graph, and the same each time. */
  readonly id: string;
  readonly kind: BoxKind;
  /** The block that it stands in; null at the top. */
  readonly parent: string | null;
  /** The module's path; that of the module around for functions. */
  readonly path: string;
  /** Path of the last block where this stands for several in a row. */
  readonly lastPath: string;
  /** The module's class; the names of functions (`add, relu`). */
  readonly type: string;
  /** Window and stride of convolutions and pooling: `3x3 /2`; otherwise "". */
  readonly detail: string;
  /** Of one image, where there is one output. */
  readonly outputShape: Shape | null;
  /** What a pixel of that output sees of the image; null for what is no feature map. */
  readonly field: ReceptiveField2d | null;
  /** All inside, once for each time that it is called. */
  readonly parameters: number;
  /** Multiply-adds, all inside, for one image. */
  readonly macs: number;
  /** How many identical blocks in a row this stands for. Parameters and multiply-adds are those of one. */
  readonly repeat: number;
}

/** An arrow between boxes that are no blocks. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Of one image. */
  readonly shape: Shape;
}

/** A network as boxes and arrows. A box's parent stands before it. */
export interface ModelGraph {
  readonly name: string;
  /** Shape of one image. */
  readonly input: Shape;
  readonly boxes: readonly GraphBox[];
  readonly edges: readonly GraphEdge[];
}

export interface ModelGraphOptions {
  /** Default: the model's class. */
  readonly name?: string;
  /** As in training: with dropout, and with auxiliary classifiers. Default false. */
  readonly training?: boolean;
  /** Identical blocks in a row become one, with their number. Default true. */
  readonly foldRepeats?: boolean;
}

/**
 * A model's graph for one image of shape `[C, H, W]`: modules as they are called, blocks around them by path, functions between them.
 * Nothing is computed. A module that hands its input on (dropout in evaluation) has no box.
 * @throws ShapeError when the model does not take the input
 */
export function modelGraph(
  model: Module<Tensor, unknown>,
  image: Shape,
  { name = model.constructor.name, training = false, foldRepeats: folded = true }: ModelGraphOptions = {},
): ModelGraph {
  if (image.length !== 3)
    throw new ArgumentError(`modelGraph: the input has ${image.length} dimensions; it needs [C, H, W]`, { image });
  const x = input("input", { shape: [1, ...image], dtype: "float32" });
  const records: TapRecord[] = [];
  const key = input("key", keySpec);
  const { output } = traceModule(model, x, { training, key, taps: (record) => records.push(record) });
  const outputs = namedOutputs(output);
  const nodes = nodesAfter(x, Object.values(outputs));
  const calls = callTree(records, nodes, x);
  const fields = receptiveFields(Object.values(outputs), x);
  const graph = new Builder(x, nodes, calls, fields).build(outputs);
  const whole: ModelGraph = { name, input: image, ...graph };
  return folded ? foldRepeats(whole) : whole;
}

/** Makes boxes of calls, and arrows of the tensors between them. */
class Builder {
  readonly #boxes: GraphBox[] = [];
  readonly #boxOf = new Map<Node, string>();
  readonly #consumers = new Map<Node, Set<Node>>();
  readonly #order: ReadonlyMap<Node, number>;
  readonly #alive = new Set<Call>();
  readonly #x: Tensor;
  readonly #nodes: ReadonlySet<Node>;
  readonly #root: Call;
  readonly #fields: ReadonlyMap<Tensor, ReceptiveField2d>;

  constructor(
    x: Tensor,
    nodes: ReadonlySet<Node>,
    calls: readonly Call[],
    fields: ReadonlyMap<Tensor, ReceptiveField2d>,
  ) {
    this.#x = x;
    this.#fields = fields;
    this.#nodes = nodes;
    this.#order = new Map([...nodes].map((node, i) => [node, i]));
    this.#root = calls.at(-1) as Call;
    for (const call of calls)
      if (call.nodes.length > 0 || call.children.some((child) => this.#alive.has(child))) this.#alive.add(call);
    for (const node of nodes)
      for (const { node: from } of node.inputs) {
        if (nodes.has(from)) this.#consumers.set(from, (this.#consumers.get(from) ?? new Set()).add(node));
      }
  }

  build(outputs: Readonly<Record<string, Tensor>>): Pick<ModelGraph, "boxes" | "edges"> {
    const source = this.#add({ kind: "input", parent: null, path: "", type: "input", ...this.#output(this.#x) });
    this.#boxOf.set(this.#x.node, source);
    this.#addParts();
    const ends = Object.entries(outputs).map(([name, tensor]) => {
      const box = { kind: "output", parent: null, path: "", type: name, ...this.#output(tensor) } as const;
      return { tensor, id: this.#add(box) };
    });
    const edges = new Map<string, GraphEdge>();
    const connect = (tensor: Tensor, to: string): void => {
      const from = this.#boxOf.get(tensor.node);
      if (from === undefined || from === to) return;
      edges.set(`${from} ${to} ${tensor.shape.join()}`, { from, to, shape: tensor.shape.slice(1) });
    };
    for (const node of this.#nodes) {
      const to = this.#boxOf.get(node);
      if (to !== undefined) for (const tensor of node.inputs) connect(tensor, to);
    }
    for (const { tensor, id } of ends) connect(tensor, id);
    return { boxes: this.#boxes, edges: [...edges.values()] };
  }

  /** Depth first, without recursion: a block's box stands before those of its parts, in order of computation. */
  #addParts(): void {
    const stack: { call: Call; parent: string | null }[] = [{ call: this.#root, parent: null }];
    while (stack.length > 0) {
      const { call, parent } = stack.pop() as { call: Call; parent: string | null };
      const parts = call.children.filter((child) => this.#alive.has(child));
      if (parts.length === 0) {
        this.#addLayer(call, parent);
        continue;
      }
      const within = call === this.#root ? null : this.#addGroup(call, parent);
      for (const chain of this.#chains(call.nodes)) this.#addFunction(chain, call.path, within);
      for (const child of [...parts].reverse()) stack.push({ call: child, parent: within });
    }
  }

  #add(box: Partial<GraphBox> & Pick<GraphBox, "kind" | "parent" | "path" | "type">): string {
    const id = `b${this.#boxes.length}`;
    const rest = { detail: "", outputShape: null, field: null, parameters: 0, macs: 0, repeat: 1, lastPath: box.path };
    this.#boxes.push({ ...rest, ...box, id });
    return id;
  }

  #output(tensor: Tensor | undefined): Pick<GraphBox, "outputShape" | "field"> {
    if (tensor === undefined) return { outputShape: null, field: null };
    return { outputShape: tensor.shape.slice(1), field: this.#fields.get(tensor) ?? null };
  }

  #addGroup(call: Call, parent: string | null): string {
    const nodes = nodesInside(call);
    return this.#add({
      kind: "group",
      parent,
      path: call.path,
      type: call.module.constructor.name,
      ...this.#output(call.outputs.length === 1 ? call.outputs[0] : undefined),
      parameters: parametersOf(call.module),
      macs: macsOf(nodes),
    });
  }

  #addLayer(call: Call, parent: string | null): void {
    const id = this.#add({
      kind: kindOf(call.nodes, this.#nodes),
      parent,
      path: call.path,
      type: call.module.constructor.name,
      detail: windowOf(call.nodes),
      ...this.#output(call.outputs.length === 1 ? call.outputs[0] : undefined),
      parameters: parametersOf(call.module),
      macs: macsOf(call.nodes),
    });
    for (const node of call.nodes) this.#boxOf.set(node, id);
  }

  #addFunction(chain: readonly Node[], path: string, parent: string | null): void {
    const last = chain.at(-1) as Node;
    const id = this.#add({
      kind: kindOf(chain, this.#nodes),
      parent,
      path,
      type: [...new Set(chain.map(({ op }) => op.name))].join(", "),
      detail: windowOf(chain),
      ...this.#output(last.outputs[0]),
      macs: macsOf(chain),
    });
    for (const node of chain) this.#boxOf.set(node, id);
  }

  /** Functions that follow each other, with nothing else between them, are one box: `add, relu`. */
  #chains(nodes: readonly Node[]): Node[][] {
    const own = new Set(nodes);
    const chains = new Map<Node, Node[]>();
    for (const node of [...nodes].sort((a, b) => this.#position(a) - this.#position(b))) {
      const from = new Set(node.inputs.filter((tensor) => this.#nodes.has(tensor.node)).map((tensor) => tensor.node));
      const [before] = from;
      const chain =
        before !== undefined && from.size === 1 && own.has(before) && this.#consumers.get(before)?.size === 1
          ? (chains.get(before) as Node[])
          : [];
      chain.push(node);
      chains.set(node, chain);
    }
    return [...new Set(chains.values())];
  }

  #position(node: Node): number {
    return this.#order.get(node) as number;
  }
}

function nodesInside(call: Call): Node[] {
  const nodes: Node[] = [];
  const stack = [call];
  while (stack.length > 0) {
    const next = stack.pop() as Call;
    nodes.push(...next.nodes);
    stack.push(...next.children);
  }
  return nodes;
}

const macsOf = (nodes: readonly Node[]): number => nodes.reduce((sum, node) => sum + costOf(node).macs, 0);

const parametersOf = (module: AnyModule): number =>
  [...module.parameters().values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);

function windowOf(nodes: readonly Node[]): string {
  const windowed = nodes.find(({ op }) => op.window !== undefined);
  if (windowed?.op.window === undefined) return "";
  const { kernel, stride } = windowed.op.window(windowed.inputs, windowed.attrs);
  const [down, across] = stride;
  const step = down === 1 && across === 1 ? "" : ` /${down === across ? down : `${down}x${across}`}`;
  return `${kernel.join("x")}${step}`;
}

const normalisations: ReadonlySet<string> = new Set(["batchNormInference", "batchNormTrain", "localResponseNorm"]);

/** What a box does, for its colour. */
function kindOf(nodes: readonly Node[], all: ReadonlySet<Node>): BoxKind {
  if (nodes.some((node) => costOf(node).macs > 0))
    return nodes.some(({ op }) => op.window !== undefined) ? "convolution" : "linear";
  if (nodes.some(({ op }) => op.window !== undefined)) return "pooling";
  if (nodes.some(({ op }) => normalisations.has(op.name))) return "normalisation";
  const inside = new Set(nodes);
  const outside = new Set(
    nodes.flatMap(({ inputs }) => inputs.filter(({ node }) => all.has(node) && !inside.has(node))),
  );
  return outside.size > 1 ? "join" : "function";
}
