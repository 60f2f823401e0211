import { broadcastShapes, type Node, type Shape, sameShape, type Tensor } from "@ocelli/core";
import type { GraphBuilder, Value } from "../builder.js";

/** What a lowering may ask of the builder. Nodes are named after the module and op that they come from. */
export type Emitter = Pick<GraphBuilder, "node" | "nodes" | "initializer" | "int64" | "scalar" | "opset">;

/** A value in ONNX that stands for a tensor. Its own shape broadcasts to the tensor's. */
export interface Held {
  readonly value: Value;
  readonly shape: Shape;
  /** Its elements lie in the runtime's packed order ({@link Packing}), and the shape is whole. */
  readonly packed?: boolean;
}

/** An order of elements in memory that some operators of a runtime prefer. What is done element by element needs not know it. */
export interface Packing {
  /** Whether tensors of this shape can be packed. */
  takes(shape: Shape): boolean;
  pack(b: Emitter, value: Value, shape: Shape): Value;
  unpack(b: Emitter, value: Value, shape: Shape): Value;
}

export interface LoweringContext {
  /** What stands for an input of the node, perhaps not broadcast yet: for lowerings that broadcast by themselves. */
  held(input: Tensor): Held;
  /** As {@link held}, but in whatever order the elements lie. */
  raw(input: Tensor): Held;
  /** What stands for an input of the node, in its full shape. */
  full(input: Tensor): Value;
  /** What stands for an input of the node, in its full shape and packed. Undefined where it cannot be. */
  packed(input: Tensor): Value | undefined;
  /** Makes something once per graph: a transposed weight that several nodes want. */
  once(key: string, make: () => Value): Value;
}

/** Writes one node of a graph as ONNX operators. Returns its outputs. */
export type Lower = (
  b: Emitter,
  node: Node,
  inputs: readonly Value[],
  context: LoweringContext,
) => readonly (Value | Held)[];

export interface Lowering {
  readonly lower: Lower;
  /** Takes inputs as they are held; others get them in the shapes that the node says. */
  readonly broadcasts?: boolean;
}

/** Lowerings by the name of the op. */
export type LoweringTable = Readonly<Record<string, Lowering | "decompose">>;

/** A lowering whose inputs are as large as the node says. */
// @__NO_SIDE_EFFECTS__
export function lowering(lower: Lower): Lowering {
  return { lower };
}

/**
 * A lowering that works element by element with ONNX's broadcasting: its result has the shape that its inputs' broadcast to, which may
 * be less than the node says. Packed inputs give a packed result.
 */
// @__NO_SIDE_EFFECTS__
export function elementwise(lower: (b: Emitter, node: Node, inputs: readonly Value[]) => Value): Lowering {
  return {
    broadcasts: true,
    lower: (b, node, _, context) => {
      const packed = packedOperands(node, context);
      if (packed !== undefined) return [{ value: lower(b, node, packed), shape: outputOf(node).shape, packed: true }];
      const held = node.inputs.map((input) => context.held(input));
      const shape = held.reduce((all, other) => broadcastShapes(all, other.shape, node.op.name), [] as Shape);
      return [
        {
          value: lower(
            b,
            node,
            held.map(({ value }) => value),
          ),
          shape,
        },
      ];
    },
  };
}

/** The inputs in packed order, if one of them is in it and the others can be brought there. */
function packedOperands(node: Node, context: LoweringContext): Value[] | undefined {
  const raw = node.inputs.map((input) => context.raw(input));
  const floats = [...node.inputs, ...node.outputs].every(({ dtype }) => dtype === "float32");
  if (!floats || !raw.some(({ packed }) => packed)) return undefined;
  const values = raw.map(({ value, shape }, i) => {
    if (shape.length === 0) return value;
    return sameShape(shape, inputOf(node, i).shape) ? context.packed(inputOf(node, i)) : undefined;
  });
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** The n-th input of a node, which its shape rule has checked to be there. */
export function inputOf(node: Node, index: number): Tensor {
  return node.inputs[index] as Tensor;
}

export function outputOf(node: Node): Tensor {
  return node.outputs[0] as Tensor;
}

/** A reshape that allows dimensions of size 0. */
export function reshaped(b: Emitter, value: Value, shape: Shape): Value {
  return b.node("Reshape", [value, b.int64(shape)], shape.includes(0) ? { allowzero: 1 } : {});
}

export function transposed(b: Emitter, value: Value, perm: readonly number[]): Value {
  return b.node("Transpose", [value], { perm });
}

/** Reductions whose axes became an input at opset 18 (`ReduceSum`: at 13). */
export function reduced(b: Emitter, op: string, value: Value, axes: readonly number[], keep = true): Value {
  const keepdims = keep ? 1 : 0;
  if (op === "ReduceSum" || b.opset() >= 18) return b.node(op, [value, b.int64(axes)], { keepdims });
  return b.node(op, [value], { axes, keepdims });
}
