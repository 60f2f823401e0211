import type { Node, Tensor } from "@ocelli/core";
import type { PadAttrs, PoolAttrs } from "@ocelli/core/backend";
import { exactPadding, type Lower, type Lowering, type LoweringContext } from "@ocelli/formats/onnx";
import { plainly } from "./conv.js";
import { domain } from "./layout.js";

const output = (node: Node): Tensor => node.outputs[0] as Tensor;

/** Whether every number is a whole number of blocks. */
const whole = (block: number, numbers: readonly number[]): boolean => numbers.every((number) => number % block === 0);

function maxPool2d(otherwise: Lower): Lower {
  return (b, node, inputs, context) => {
    const input = node.inputs[0] as Tensor;
    const { value, packed } = context.raw(input);
    const { kernel, stride, dilation } = node.attrs as PoolAttrs;
    const [top, bottom, left, right] = exactPadding(input.shape, output(node).shape, node.attrs as PoolAttrs);
    const taken = Math.max(top, bottom) < kernel[0] && Math.max(left, right) < kernel[1];
    if (!packed || !taken) return otherwise(b, node, inputs, context);
    const attrs = { kernel_shape: kernel, strides: stride, dilations: dilation, pads: [top, left, bottom, right] };
    return [{ value: b.node("MaxPool", [value], attrs, domain), shape: output(node).shape, packed: true }];
  };
}

/**
 * Blocks of channels lie one after the other, as channels do in the plain order. So what moves whole blocks of them is the same
 * operator on the packed image.
 */
function movingChannels(lowering: Lowering, fits: (node: Node, context: LoweringContext) => boolean): Lowering {
  const otherwise = plainly(lowering);
  return {
    broadcasts: true,
    lower: (b, node, inputs, context) => {
      const packed = fits(node, context) ? node.inputs.map((input) => context.packed(input)) : [undefined];
      if (packed.some((value) => value === undefined)) return otherwise(b, node, inputs, context);
      const [value] = lowering.lower(b, node, packed as typeof inputs, context);
      return [{ value: value as (typeof inputs)[number], shape: output(node).shape, packed: true }];
    },
  };
}

interface Otherwise {
  readonly maxPool2d: Lowering;
  readonly concat: Lowering;
  readonly slice: Lowering;
  readonly pad: Lowering;
}

interface SliceAttrs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly strides: readonly number[];
}

export function blockedLayers(block: number, table: Otherwise) {
  const packedFirst = (node: Node, context: LoweringContext): boolean =>
    context.raw(node.inputs[0] as Tensor).packed === true;
  return {
    maxPool2d: { broadcasts: true, lower: maxPool2d(plainly(table.maxPool2d)) },
    concat: movingChannels(table.concat, (node, context) => {
      const { axis } = node.attrs as { readonly axis: number };
      const some = node.inputs.some((input) => context.raw(input).packed);
      return (
        some && axis < 2 && node.inputs.every(({ shape }) => shape.length === 4 && whole(block, [shape[1] as number]))
      );
    }),
    slice: movingChannels(table.slice, (node, context) => {
      const { starts, ends, strides } = node.attrs as SliceAttrs;
      const { shape } = node.inputs[0] as Tensor;
      const rest = [2, 3].every((i) => starts[i] === 0 && ends[i] === shape[i] && strides[i] === 1);
      return (
        packedFirst(node, context) && rest && strides[1] === 1 && whole(block, [starts[1] as number, ends[1] as number])
      );
    }),
    pad: movingChannels(table.pad, (node, context) => {
      const { low, high, interior } = node.attrs as PadAttrs;
      const rest = [2, 3].every((i) => low[i] === 0 && high[i] === 0 && interior[i] === 0);
      return (
        packedFirst(node, context) && rest && interior[1] === 0 && whole(block, [low[1] as number, high[1] as number])
      );
    }),
  };
}
