import { type Node, sizeOf, type Tensor } from "@ocelli/core";
import type { Dispatch, Kernel, Limits, Site, Source, Temp } from "../kernel.js";
import { groups as workgroups } from "../kernel.js";
import { Body } from "../wgsl/body.js";
import { type Expression, literal, literalUses } from "../wgsl/expressions.js";
import type { MathFunction } from "../wgsl/math.js";
import { type Binding, shader } from "../wgsl/shader.js";
import { loaded, scalarOf, storageOf, stored, storedUses } from "../wgsl/storage.js";
import type { Group, Root } from "./fuse.js";
import { type Bound, pathOf, type Step, Value } from "./plan.js";
import { baseOf } from "./store.js";
import type { Ways } from "./ways.js";

export interface LowerOptions {
  readonly ways: Ways;
  readonly limits: Limits;
  readonly f16: boolean;
  /** The value of a tensor in memory. */
  readonly placeOf: (tensor: Tensor) => Value;
  readonly inMemory: ReadonlySet<Tensor>;
  /** Which of a kernel's variants to take. */
  readonly choose: (site: Site, kernel: Kernel) => unknown;
}

/** The dispatches of a group. Tensors without elements need none. */
export function lower(group: Group, options: LowerOptions): Step[] {
  const { kernel, roots, stored: outputs } = group;
  const empty = [...outputs, ...roots.map(({ tensor }) => tensor)].every(({ shape }) => sizeOf(shape) === 0);
  if (empty) return [];
  if (kernel === undefined)
    return [
      pointwise(
        roots.filter(({ tensor }) => sizeOf(tensor.shape) > 0),
        options,
      ),
    ];
  const site = siteOf(kernel, options);
  const definition = options.ways.kernel(kernel) as Kernel;
  const dispatches = definition.dispatches(site, options.choose(site, definition));
  const temps = new Map<string, Value>();
  return dispatches.map((dispatch) => new KernelShader(group, options, temps).step(kernel, dispatch));
}

export function siteOf(
  node: Node,
  { limits, inMemory, placeOf }: Pick<LowerOptions, "limits" | "inMemory" | "placeOf">,
): Site {
  return {
    node,
    inputs: node.inputs,
    outputs: node.outputs,
    attrs: node.attrs,
    limits,
    vectorizable: (input) => {
      const base = baseOf(node.inputs[input] as Tensor);
      if (!inMemory.has(base) || sizeOf(base.shape) % 4 !== 0) return false;
      const { packed, element } = placeOf(base).storage;
      return packed === 1 && (element === "f32" || element === "f16");
    },
  };
}

/** Threads of a workgroup. */
const threads = 64;

/** Computes expressions element by element. Small ones of several sizes may share the dispatch. */
function pointwise(roots: readonly Root[], options: LowerOptions): Step {
  const built = new ShaderBuilder(options);
  const tensors = roots.map(({ tensor }) => tensor);
  const sizes = [...new Set(tensors.map(({ shape }) => sizeOf(shape)))];
  const largest = Math.max(...sizes);
  const blocks = sizes.map((size) => {
    const lines = built.results(
      tensors.filter(({ shape }) => sizeOf(shape) === size),
      new Map(),
      "i",
    );
    return `if (i < ${size}u) {\n${lines.join("\n")}\n}`;
  });
  const names = [...new Set(tensors.flatMap((tensor) => namesIn(tensor, options.inMemory)))];
  return built.step(tensors[0]?.node as Node, {
    name: names.slice(0, 6).join("+") || "copy",
    reads: [],
    writes: [],
    workgroupSize: [threads, 1, 1],
    workgroups: workgroups(Math.ceil(largest / threads)),
    body: [`let i = group * ${threads}u + lix;`, ...blocks].join("\n"),
  });
}

/** Elementwise ops that a root computes, for its name. */
function namesIn(root: Tensor, inMemory: ReadonlySet<Tensor>): string[] {
  const names: string[] = [];
  const stack = [root];
  for (let tensor = stack.pop(); tensor !== undefined && names.length < 8; tensor = stack.pop()) {
    if (tensor !== root && inMemory.has(tensor)) continue;
    if (tensor.node.op.name !== "full") names.push(tensor.node.op.name);
    stack.push(...tensor.node.inputs);
  }
  return names.reverse();
}

/** Collects what the shader of one dispatch is made of. */
class ShaderBuilder {
  readonly options: LowerOptions;
  readonly #bound: { value: Value; written: boolean; wide: boolean }[] = [];
  readonly #library = new Map<string, MathFunction>();
  readonly #own = new Map<string, string>();
  functions = "";

  constructor(options: LowerOptions) {
    this.options = options;
  }

  /** The buffer's name. Asked for again, the same. */
  bind(value: Value, { written = false, wide = false } = {}): string {
    let at = this.#bound.findIndex((bound) => bound.value === value);
    if (at < 0) at = this.#bound.push({ value, written, wide }) - 1;
    const bound = this.#bound[at] as { written: boolean; wide: boolean };
    bound.written ||= written;
    return `b${at}`;
  }

  /** WGSL of one element, however the buffer is declared. */
  load(value: Value, flat: string): string {
    const name = this.bind(value);
    const { wide } = this.#bound.find((bound) => bound.value === value) as { wide: boolean };
    return wide ? loaded(value.storage, `${name}[${flat} >> 2u]`, `${flat} & 3u`) : loaded(value.storage, name, flat);
  }

  /**
   * Lines that compute and then store element `i` of tensors.
   * @param held values at hand, by tensor
   */
  results(tensors: readonly Tensor[], held: ReadonlyMap<Tensor, string>, i: string): string[] {
    const body = this.body(new Set(tensors), held);
    const values = tensors.map((tensor) => held.get(tensor) ?? body.value(tensor, body.at(tensor.shape, i)));
    const stores = tensors.map((tensor, k) => {
      const value = this.options.placeOf(tensor);
      for (const fn of storedUses(value.storage)) this.#use(fn);
      return `${this.bind(value, { written: true })}[${i}] = ${stored(value.storage, values[k] as string)};`;
    });
    return [...body.lines, ...stores];
  }

  /** @param computed tensors to compute although they have memory */
  body(computed: ReadonlySet<Tensor>, held: ReadonlyMap<Tensor, string>): Body {
    const { inMemory, placeOf } = this.options;
    return new Body({
      has: (tensor) => held.has(tensor) || (inMemory.has(tensor) && !computed.has(tensor)),
      read: (tensor, flat) => held.get(tensor) ?? this.load(placeOf(tensor), flat),
      expression: (node) => this.#expression(node),
      literal: (value, dtype) => {
        for (const fn of literalUses(value, dtype)) this.#use(fn);
        return literal(value, dtype);
      },
    });
  }

  #use(fn: MathFunction): void {
    for (const need of fn.needs ?? []) this.#use(need);
    this.#library.set(fn.name, fn);
  }

  #expression(node: Node): Expression {
    const expression = this.options.ways.expression(node) as Expression;
    if (this.options.ways.isOwn(node.op)) this.#own.set(node.op.name, pathOf(node, node.op.name));
    for (const fn of expression.uses?.(node) ?? []) this.#use(fn);
    return expression;
  }

  step(node: Node, dispatch: Dispatch): Step {
    const { f16 } = this.options;
    const bound = this.#bound.map(({ value, written }): Bound => ({ value, access: accessOf(value, written) }));
    const bindings = this.#bound.map(({ value, wide }, k): Binding => {
      const { element, packed } = value.storage;
      const count = Math.max(1, Math.ceil(value.size / packed));
      const type = wide ? `array<vec4<${element}>, ${Math.ceil(count / 4)}>` : `array<${element}, ${count}>`;
      return { name: `b${k}`, type, access: (bound[k] as Bound).access };
    });
    const library = [...this.#library.values()].map(({ code }) => code.trim()).join("\n");
    const code = shader({
      ...dispatch,
      bindings,
      functions: `${library}\n${this.functions}`,
      f16: f16 && bindings.some(({ type }) => type.includes("f16")),
    });
    const { name, workgroups: count, macs = 0 } = dispatch;
    // An op of the user's own that is computed inside shows in errors.
    const own = [...this.#own].flatMap(([op, place]) => (name.includes(op) ? [] : [place]));
    const label = `${pathOf(node, name)}${own.length === 0 ? "" : `, with ${own.join(", ")} in it`}`;
    const bytes = bound.reduce((total, { value }) => total + value.bytes, 0);
    return { label, name, code, bindings: bound, workgroups: count, macs, bytes };
  }
}

/** One buffer may not be bound for reading and for writing at once, and all of the arena is one buffer. */
const accessOf = ({ home }: Value, written: boolean): Binding["access"] =>
  written || home.kind === "arena" ? "read_write" : "read";

/** One dispatch of a kernel: its reading functions hold fused inputs, its writing functions the epilogue. */
class KernelShader {
  readonly #group: Group;
  readonly #built: ShaderBuilder;
  readonly #temps: Map<string, Value>;

  constructor(group: Group, options: LowerOptions, temps: Map<string, Value>) {
    this.#group = group;
    this.#built = new ShaderBuilder(options);
    this.#temps = temps;
  }

  step(node: Node, dispatch: Dispatch): Step {
    // Wide ones first: a buffer has one declaration.
    for (const source of dispatch.reads)
      if (typeof source === "object" && "width" in source) this.#wide(node, source.input);
    const reads = dispatch.reads.map((source, k) => this.#reader(node, source, k));
    const writes = dispatch.writes.map((target, k) => this.#writer(node, target, k));
    this.#built.functions = [...reads, ...writes].join("\n");
    return this.#built.step(node, dispatch);
  }

  #wide(node: Node, input: number | Temp): string {
    const value =
      typeof input === "number" ? this.#built.options.placeOf(baseOf(node.inputs[input] as Tensor)) : this.#temp(input);
    return this.#built.bind(value, { wide: true });
  }

  #temp({ temp, dtype, size }: Temp): Value {
    let value = this.#temps.get(temp);
    if (value === undefined) {
      // Partial sums keep full precision.
      const storage = storageOf(dtype, { f16: false });
      value = new Value(temp, storage, size, { kind: "arena" });
      this.#temps.set(temp, value);
    }
    return value;
  }

  #reader(node: Node, source: Source, k: number): string {
    if (typeof source === "object" && "width" in source) {
      return `fn r${k}(i: u32) -> vec4<f32> { return vec4<f32>(${this.#wide(node, source.input)}[i]); }`;
    }
    if (typeof source === "object") {
      return `fn r${k}(i: u32) -> ${scalarOf[source.dtype]} { return ${this.#built.load(this.#temp(source), "i")}; }`;
    }
    const tensor = node.inputs[source] as Tensor;
    const body = this.#built.body(new Set(), new Map());
    const value = body.value(tensor, body.at(tensor.shape, "i"));
    return `fn r${k}(i: u32) -> ${scalarOf[tensor.dtype]} {\n${[...body.lines, `return ${value};`].join("\n")}\n}`;
  }

  #writer(node: Node, target: number | Temp, k: number): string {
    if (typeof target === "object") {
      const name = this.#built.bind(this.#temp(target), { written: true });
      return `fn w${k}(i: u32, v: ${scalarOf[target.dtype]}) { ${name}[i] = ${stored(this.#temp(target).storage, "v")}; }`;
    }
    const output = node.outputs[target] as Tensor;
    const { roots, stored: outputs } = this.#group;
    const tensors = [
      ...(outputs.includes(output) ? [output] : []),
      ...roots.flatMap(({ tensor, on }) => (on === output ? [tensor] : [])),
    ];
    const lines = this.#built.results(tensors, new Map([[output, "v"]]), "i");
    return `fn w${k}(i: u32, v: ${scalarOf[output.dtype]}) {\n${lines.join("\n")}\n}`;
  }
}
