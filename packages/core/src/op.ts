import { ArgumentError, DTypeError, OcelliError, ShapeError } from "./errors.js";
import { byteSize } from "./host.js";
import type { Pair } from "./shape.js";
import { type Attrs, formatSpec, Node, type Spec, scope, Tensor } from "./tensor.js";

/** What one application costs. */
export interface Cost {
  /** Multiply-adds of matrix products and convolutions; 0 for everything else. */
  readonly macs: number;
  /** Bytes read and written when the op runs alone. */
  readonly bytes: number;
}

/** A sliding window, vertical and horizontal. */
export interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Padding at the top and left. */
  readonly before: Pair;
  readonly dilation: Pair;
}

/** What a gradient rule is given. */
export interface VjpArgs<A = Attrs> {
  /** Gradient of the first output. Rules of ops with several outputs use `dys`. */
  readonly dy: Tensor;
  /** Gradients of all outputs; null where nothing depends on that output. */
  readonly dys: readonly (Tensor | null)[];
  readonly inputs: readonly Tensor[];
  /** The first output. */
  readonly output: Tensor;
  readonly outputs: readonly Tensor[];
  readonly attrs: A;
}

/** Gradient of each input, null for those that have none. */
export type VjpRule<A = Attrs> = (args: VjpArgs<A>) => readonly (Tensor | null)[];

export interface OpDefinition<A = Attrs> {
  readonly name: string;
  /** Names of the inputs, for messages. */
  readonly inputs?: readonly string[];
  /** Output specs from input specs. @throws ShapeError, DTypeError, ArgumentError */
  readonly infer: (inputs: readonly Spec[], attrs: A) => Spec | readonly Spec[];
  /**
   * `"nondifferentiable"`: the gradient is zero or undefined everywhere, differentiation stops here.
   * `"decompose"`: differentiate the definition by other ops.
   */
  readonly vjp: VjpRule<A> | "decompose" | "nondifferentiable";
  /** Multiply-adds; 0 when left out. */
  readonly macs?: (inputs: readonly Spec[], outputs: readonly Spec[], attrs: A) => number;
  /** The sliding window over the first input's last two axes, for ops that have one: receptive fields follow from it. */
  readonly window?: (inputs: readonly Spec[], attrs: A) => Window;
  /** True for ops that change only the shape, never memory. */
  readonly view?: boolean;
  /** The same value by other ops; devices without a kernel use it. */
  readonly decompose?: (inputs: readonly Tensor[], attrs: A) => Tensor | readonly Tensor[];
}

/** An operation: a value, made by {@link defineOp}. */
export interface Op<A = Attrs> extends OpDefinition<A> {
  readonly id: number;
}

let opCount = 0;

/**
 * Defines an operation. The built-in primitives use it, and so do a user's own ops; one with a `decompose` runs on every device.
 *
 * @example
 * const cube = defineOp({
 *   name: "cube",
 *   infer: ([x]) => x!,
 *   vjp: ({ dy, inputs: [x] }) => [mul(dy, mul(3, mul(x!, x!)))],
 *   decompose: ([x]) => mul(x!, mul(x!, x!)),
 * });
 * const y = apply(cube, [x]);
 */
// @__NO_SIDE_EFFECTS__
export function defineOp<A = Record<never, never>>(definition: OpDefinition<A>): Op<A> {
  return { ...definition, id: opCount++ };
}

/** Applies an op that has one output. Shapes are checked now. @throws what the op's `infer` throws, with the place in the model */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs?: A): Tensor {
  return applyAll(op, inputs, attrs)[0] as Tensor;
}

/** Applies an op and returns all of its outputs. */
export function applyAll<A>(op: Op<A>, inputs: readonly Tensor[], attrs?: A): readonly Tensor[] {
  const given = (attrs ?? {}) as A;
  checkInputs(op as Op, inputs);
  let inferred: Spec | readonly Spec[];
  try {
    inferred = op.infer(inputs, given);
  } catch (error) {
    throw error instanceof OcelliError ? located(error, op, inputs) : error;
  }
  const specs = Array.isArray(inferred) ? (inferred as readonly Spec[]) : [inferred as Spec];
  return new Node(op as Op, inputs, given, specs, scope()).outputs;
}

function checkInputs({ name, inputs: names }: Op, inputs: readonly Tensor[]): void {
  const wrong = inputs.findIndex((input) => !(input instanceof Tensor));
  if (wrong >= 0) {
    const what = names?.[wrong] ?? `input ${wrong}`;
    throw new ArgumentError(
      `${name}: ${what} is no tensor of a graph; host data becomes one by constant(hostTensor(...))`,
    );
  }
  if (names !== undefined && inputs.length !== names.length) {
    throw new ArgumentError(`${name}: got ${inputs.length} inputs; it needs ${names.length} (${names.join(", ")})`);
  }
}

/**
 * An op's definition by other ops, held to what its shape rule says.
 * @throws ShapeError, DTypeError when definition and rule disagree
 */
export function definitionOf({ op, attrs, outputs }: Node, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
  const defined = op.decompose?.(inputs, attrs);
  if (defined === undefined) return undefined;
  const results = Array.isArray(defined) ? (defined as readonly Tensor[]) : [defined as Tensor];
  const [given, needed] = [results, outputs].map((specs) => specs.map(formatSpec).join(", ")) as [string, string];
  if (given === needed) return results;
  const Kind = results.every((result, i) => result.dtype === outputs[i]?.dtype) ? ShapeError : DTypeError;
  throw new Kind(`${op.name}: its decompose gives ${given}; its infer says ${needed}`, { given, needed });
}

function located(error: OcelliError, op: Op, inputs: readonly Tensor[]): OcelliError {
  const names = op.inputs ?? (inputs.length === 1 ? ["input"] : inputs.map((_, i) => `input ${i}`));
  const shown = inputs.map((input, i) => `${names[i] ?? `input ${i}`} ${formatSpec(input)}`).join(", ");
  const place = scope() === "" ? "  with" : `  at ${scope()}  `;
  const Same = error.constructor as new (message: string, fields: Readonly<Record<string, unknown>>) => OcelliError;
  return new Same(`${error.message}\n${place} ${shown}`, { ...error.fields, op: op.name, scope: scope() });
}

/** Cost of one node when it runs alone. */
export function costOf(node: Node): Cost {
  const { op, inputs, outputs, attrs } = node;
  const macs = op.macs?.(inputs, outputs, attrs) ?? 0;
  if (op.view) return { macs, bytes: 0 };
  let bytes = 0;
  for (const tensor of [...inputs, ...outputs]) bytes += byteSize(tensor);
  return { macs, bytes };
}
