import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { lastUses, topologicalOrder } from "../graph.js";
import { type HostTensor, toNumbers } from "../host.js";
import type { Op } from "../op.js";
import { type PrimitiveName, primitives } from "../ops/index.js";
import { constantOp, fullOp, inputOp } from "../ops/leaf.js";
import { decompose } from "../passes/index.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import { formatSpec, type Node, type Spec, type Tensor } from "../tensor.js";
import { type ReferenceKernel, rounded, type Values } from "./kernel.js";
import { kernels } from "./kernels.js";
import { full } from "./layout.js";

export interface EvaluateOptions {
  /** "float32": every result is rounded to what its dtype can store. Default "float64": floats keep full precision. */
  readonly precision?: "float64" | "float32";
}

/** Values of inputs, by name. A Float64Array is taken as it is, unrounded. */
export type Feeds = ReadonlyMap<string, Values | HostTensor>;

/** A graph made ready to be evaluated many times. */
export interface Evaluation {
  /** @throws ArgumentError, ShapeError, DTypeError for feeds that are missing or do not fit */
  run(feeds?: Feeds): Values[];
}

interface Step {
  readonly node: Node;
  readonly kernel: ReferenceKernel;
  /** Nodes that nobody reads after this step. */
  readonly done: readonly Node[];
}

const byOp: ReadonlyMap<Op, ReferenceKernel> = new Map(
  (Object.keys(primitives) as PrimitiveName[]).map((name) => [primitives[name] as Op, kernels[name]]),
);

/** True for ops that the reference computes by a loop of its own: all primitives. */
export const supports = (op: Op): boolean => byOp.has(op);

/**
 * Computes tensors in float64 with plain loops: the oracle that devices are compared with. Ops that are no primitives go through their
 * definitions. Iterative, and memory is released as soon as nothing reads it any more.
 * @returns the elements of each output, row-major; integers and bools are exact
 */
export function evaluate(outputs: readonly Tensor[], feeds?: Feeds, options?: EvaluateOptions): Values[] {
  return prepare(outputs, options).run(feeds);
}

/** Orders a graph for {@link evaluate}. */
export function prepare(outputs: readonly Tensor[], { precision = "float64" }: EvaluateOptions = {}): Evaluation {
  const results = decompose(outputs, supports);
  const order = topologicalOrder(results);
  const ends = new Map<number, Node[]>();
  for (const [node, position] of lastUses(order, results)) {
    const list = ends.get(position);
    if (list === undefined) ends.set(position, [node]);
    else list.push(node);
  }
  const steps = order.map((node, i) => ({ node, kernel: kernelOf(node), done: ends.get(i) ?? [] }));
  return { run: (feeds = new Map()) => runSteps(steps, results, feeds, precision === "float32") };
}

function kernelOf({ op, attrs }: Node): ReferenceKernel {
  if (op === (fullOp as Op)) return full;
  if (op === (constantOp as Op)) return () => toNumbers((attrs as { value: HostTensor }).value);
  return byOp.get(op) as ReferenceKernel;
}

function runSteps(steps: readonly Step[], results: readonly Tensor[], feeds: Feeds, round: boolean): Values[] {
  const computed = new Map<Node, readonly Values[]>();
  for (const { node, kernel, done } of steps) {
    const inputs = node.inputs.map((input) => computed.get(input.node)?.[input.index] as Values);
    const values = node.op === (inputOp as Op) ? fed(node, feeds) : kernel(node, inputs);
    const list = Array.isArray(values) ? (values as readonly Values[]) : [values as Values];
    computed.set(node, round ? list.map((value, i) => rounded(value, node.outputs[i]!.dtype)) : list);
    for (const finished of done) computed.delete(finished);
  }
  return results.map((result) => computed.get(result.node)?.[result.index] as Values);
}

function fed(node: Node, feeds: Feeds): Values {
  const spec = node.attrs as Spec & { name: string };
  const value = feeds.get(spec.name);
  if (value === undefined) {
    const given = [...feeds.keys()].join(", ") || "none";
    throw new ArgumentError(`evaluate: input ${spec.name} (${formatSpec(spec)}) is not fed; fed are: ${given}`, {
      name: spec.name,
    });
  }
  if (value instanceof Float64Array) {
    if (value.length === sizeOf(spec.shape)) return value;
    throw new ShapeError(
      `evaluate: input ${spec.name} has ${value.length} elements; ${formatShape(spec.shape)} needs ${sizeOf(spec.shape)}`,
    );
  }
  if (!sameShape(value.shape, spec.shape)) {
    throw new ShapeError(`evaluate: input ${spec.name} is ${formatSpec(value)}; the graph needs ${formatSpec(spec)}`);
  }
  if (value.dtype !== spec.dtype) {
    throw new DTypeError(`evaluate: input ${spec.name} is ${formatSpec(value)}; the graph needs ${formatSpec(spec)}`);
  }
  return toNumbers(value);
}
