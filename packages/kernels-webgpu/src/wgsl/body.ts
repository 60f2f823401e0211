import { type DType, type Node, type Shape, sameShape, sizeOf, stridesOf, type Tensor } from "@ocelli/core";
import type { PadAttrs } from "@ocelli/core/backend";
import type { Expression } from "./expressions.js";
import { scalarOf } from "./storage.js";

/** Where bodies get values from that are not computed in place. */
export interface Sources {
  /** Whether a tensor lies in memory; the others are computed. */
  has(tensor: Tensor): boolean;
  /** WGSL that reads an element of one that does. */
  read(tensor: Tensor, flat: string): string;
  /** How an elementwise op is computed; notes the library functions that its text calls. */
  expression(node: Node): Expression;
  /** A number in WGSL; notes what its text calls. */
  literal(value: number, dtype: DType): string;
}

/** Which element is meant: by its number in row-major order, or by its coordinates. Text for either is made when it is asked for. */
interface Index {
  readonly id: number;
  readonly shape: Shape;
  readonly flat?: string;
  readonly coords?: readonly string[];
}

type AttrsOf<T> = (node: Node) => T;
const attrs =
  <T>(): AttrsOf<T> =>
  (node) =>
    node.attrs as T;
const permOf = attrs<{ perm: readonly number[] }>();
const sliceOf = attrs<{ starts: readonly number[]; strides: readonly number[] }>();
const padOf = attrs<PadAttrs>();
const axisOf = attrs<{ axis: number }>();

/** Ops that only say which element of which input is meant. Their values need no memory of their own. */
export const views: ReadonlySet<string> = new Set([
  "reshape",
  "barrier",
  "transpose",
  "broadcastTo",
  "slice",
  "pad",
  "gather",
]);

/** Views that keep the order of elements. */
export const sameOrder: ReadonlySet<string> = new Set(["reshape", "barrier"]);

/**
 * Straight-line WGSL that computes elements of tensors from what lies in memory. Whatever is asked for twice is computed once. The text
 * of one function; `pad` opens blocks, and what is computed inside a block is forgotten behind it.
 */
export class Body {
  readonly lines: string[] = [];
  readonly #sources: Sources;
  readonly #known: Map<string, string>[] = [new Map()];
  readonly #tensors = new Map<Tensor, number>();
  #names = 0;
  #indices = 0;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** The index of element `flat` of a tensor of this shape. */
  at(shape: Shape, flat: string): Index {
    const key = `[${shape.join()}] ${flat}`;
    const known = this.#lookup(key);
    return { id: Number(known ?? this.#remember(key, `${this.#indices++}`)), shape, flat };
  }

  /** An identifier or literal that holds the tensor's value at `index` (whose shape is the tensor's). */
  value(tensor: Tensor, index: Index): string {
    const key = `${this.#idOf(tensor)}@${index.id}`;
    return this.#lookup(key) ?? this.#remember(key, this.#compute(tensor, index));
  }

  #compute(tensor: Tensor, index: Index): string {
    const { node } = tensor;
    const { name } = node.op;
    if (name === "full") return this.#sources.literal((node.attrs as { value: number }).value, tensor.dtype);
    if (this.#sources.has(tensor)) return this.#let(this.#sources.read(tensor, this.#flat(index)));
    const view = this.#views[name];
    if (view !== undefined) return view(node, index);
    const values = node.inputs.map((input) => this.value(input, index));
    // Arithmetic on literals alone is done by the WGSL compiler, which refuses to overflow.
    const constant = node.inputs.every((input) => input.node.op.name === "full");
    const args = constant ? values.map((value) => this.#let(value)) : values;
    return this.#let(this.#sources.expression(node).emit(args, node));
  }

  readonly #views: Readonly<Record<string, (node: Node, index: Index) => string>> = {
    reshape: (node, index) => this.#same(node, index),
    barrier: (node, index) => this.#same(node, index),
    transpose: (node, index) => {
      const coords: string[] = [];
      for (const [to, from] of permOf(node).perm.entries()) coords[from] = this.#coord(index, to);
      return this.#moved(node, coords);
    },
    broadcastTo: (node, index) => {
      const { shape } = node.inputs[0] as Tensor;
      const lead = index.shape.length - shape.length;
      return this.#moved(
        node,
        shape.map((dim, i) => (dim === 1 ? "0u" : this.#coord(index, lead + i))),
      );
    },
    slice: (node, index) => {
      const { starts, strides } = sliceOf(node);
      return this.#moved(
        node,
        starts.map((start, i) => affine(this.#coord(index, i), strides[i] as number, start)),
      );
    },
    gather: (node, index) => {
      const [x, indices] = node.inputs as readonly [Tensor, Tensor];
      const { axis } = axisOf(node);
      const picked = this.value(indices, this.#index(indices.shape, [this.#coord(index, axis)]));
      return this.#moved(
        node,
        x.shape.map((_, i) => (i === axis ? `u32(${picked})` : this.#coord(index, i))),
      );
    },
    pad: (node, index) => this.#padded(node, index),
  };

  #same(node: Node, index: Index): string {
    const input = node.inputs[0] as Tensor;
    if (sameShape(input.shape, index.shape)) return this.value(input, index);
    const key = `${index.id} as ${input.shape.join()}`;
    const known = this.#lookup(key);
    const id = known === undefined ? this.#indices++ : Number(known);
    if (known === undefined) this.#remember(key, `${id}`);
    return this.value(input, { id, shape: input.shape, flat: this.#flat(index) });
  }

  #moved(node: Node, coords: readonly string[]): string {
    const input = node.inputs[0] as Tensor;
    return this.value(input, this.#index(input.shape, coords));
  }

  #padded(node: Node, index: Index): string {
    const { low, interior, value } = padOf(node);
    const input = node.inputs[0] as Tensor;
    const tests: string[] = [];
    const coords = input.shape.map((dim, i) => {
      const [before, gap] = [low[i] as number, (interior[i] as number) + 1];
      const c = this.#coord(index, i);
      if (before === 0 && gap === 1 && dim === index.shape[i]) return c;
      // Below 0 wraps around to a large number, so one comparison serves both ends.
      const moved = before === 0 ? c : this.#let(`${c} - ${before}u`);
      tests.push(`${moved} < ${Math.max(0, (dim - 1) * gap + 1) * Math.min(dim, 1)}u`);
      if (gap > 1) tests.push(`${moved} % ${gap}u == 0u`);
      return gap === 1 ? moved : this.#let(`${moved} / ${gap}u`);
    });
    const result = this.#name();
    const scalar = scalarOf[input.dtype];
    this.lines.push(`var ${result}: ${scalar} = ${this.#sources.literal(value, input.dtype)};`);
    this.lines.push(`if (${tests.join(" && ") || "true"}) {`);
    this.#known.push(new Map());
    const inner = this.value(input, this.#index(input.shape, coords));
    this.#known.pop();
    this.lines.push(`${result} = ${inner};`, "}");
    return result;
  }

  /** An index by coordinates; equal coordinates give the same one. */
  #index(shape: Shape, coords: readonly string[]): Index {
    const key = `[${shape.join()}] ${coords.join()}`;
    const known = this.#lookup(key);
    if (known !== undefined) return { id: Number(known), shape, coords };
    const id = this.#indices++;
    this.#remember(key, `${id}`);
    return { id, shape, coords };
  }

  #flat(index: Index): string {
    if (index.flat !== undefined) return index.flat;
    const key = `flat ${index.id}`;
    const known = this.#lookup(key);
    if (known !== undefined) return known;
    const strides = stridesOf(index.shape);
    const terms = (index.coords as readonly string[]).flatMap((coord, i) => {
      if (coord === "0u" || index.shape[i] === 1) return [];
      return [strides[i] === 1 ? coord : `${coord} * ${strides[i]}u`];
    });
    return this.#remember(key, terms.length === 0 ? "0u" : this.#let(terms.join(" + ")));
  }

  #coord(index: Index, axis: number): string {
    if (index.shape[axis] === 1) return "0u";
    if (index.coords !== undefined) return index.coords[axis] as string;
    const key = `coord ${index.id} ${axis}`;
    const known = this.#lookup(key);
    if (known !== undefined) return known;
    const stride = sizeOf(index.shape.slice(axis + 1));
    const flat = index.flat as string;
    const divided = stride === 1 ? flat : `(${flat} / ${stride}u)`;
    const outermost = sizeOf(index.shape.slice(0, axis)) === 1;
    const text = outermost ? divided : `${divided} % ${index.shape[axis]}u`;
    return this.#remember(key, text === flat ? flat : this.#let(text));
  }

  #idOf(tensor: Tensor): number {
    let id = this.#tensors.get(tensor);
    if (id === undefined) {
      id = this.#tensors.size;
      this.#tensors.set(tensor, id);
    }
    return id;
  }

  #lookup(key: string): string | undefined {
    for (let i = this.#known.length - 1; i >= 0; i--) {
      const found = this.#known[i]?.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #remember(key: string, text: string): string {
    this.#known.at(-1)?.set(key, text);
    return text;
  }

  #name(): string {
    return `t${this.#names++}`;
  }

  #let(text: string): string {
    const name = this.#name();
    this.lines.push(`let ${name} = ${text};`);
    return name;
  }
}

function affine(coord: string, factor: number, offset: number): string {
  const scaled = factor === 1 || coord === "0u" ? coord : `${coord} * ${factor}u`;
  if (offset === 0) return scaled;
  return scaled === "0u" ? `${offset}u` : `(${scaled} + ${offset}u)`;
}
