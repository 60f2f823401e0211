import type { Node, Tensor } from "@ocelli/core";
import { type Held, type Lower, type Lowering, type LoweringContext, reshaped, type Value } from "@ocelli/formats/onnx";
import { affine } from "./norm.js";

/** One number a channel: `[C, 1, 1]`, as a bias has it. */
function perChannel({ shape }: Held, channels: number): boolean {
  const [n, c, h, w] = [1, 1, 1, 1, ...shape].slice(-4);
  return shape.length <= 4 && n === 1 && c === channels && h === 1 && w === 1;
}

interface Operands {
  readonly x: Value;
  readonly vector: Value;
  readonly tensor: Tensor;
}

function channelOperands(node: Node, context: LoweringContext): Operands | undefined {
  const raw = node.inputs.map((input) => context.raw(input));
  const at = raw.findIndex(({ packed }) => packed);
  const tensor = node.inputs[at];
  const [x, other] = [raw[at], raw[1 - at]];
  if (tensor === undefined || x === undefined || other === undefined || other.packed) return undefined;
  return perChannel(other, tensor.shape[1] as number) ? { x: x.value, vector: other.value, tensor } : undefined;
}

/** Adds or multiplies packed images with a number a channel, which broadcasting cannot do there. */
function withChannels(
  otherwise: Lowering,
  write: (b: Parameters<Lower>[0], operands: Operands, c: number) => Value,
): Lowering {
  return {
    broadcasts: true,
    lower: (b, node, inputs, context) => {
      const operands = channelOperands(node, context);
      if (operands === undefined) return otherwise.lower(b, node, inputs, context);
      const c = operands.tensor.shape[1] as number;
      return [{ value: write(b, operands, c), shape: operands.tensor.shape, packed: true }];
    },
  };
}

export const blockedElementwise = (table: { readonly add: Lowering; readonly mul: Lowering }) => ({
  add: withChannels(table.add, (b, { x, vector }, c) => {
    const ones = b.initializer({ dtype: "float32", shape: [c], data: new Float32Array(c).fill(1) });
    return affine(b, x, c, ones, reshaped(b, vector, [c]));
  }),
  mul: withChannels(table.mul, (b, { x, vector }, c) => affine(b, x, c, vector, "")),
});
