import {
  type DType,
  dilatedSize,
  fromNumbers,
  type Padding,
  type Pair,
  type Shape,
  type Spec,
  sizeOf,
} from "@ocelli/core";
import { type AvgPoolAttrs, type PoolAttrs, windowSizes } from "@ocelli/core/backend";
import type { Value } from "../builder.js";
import { onnxPads, shape4 } from "./conv.js";
import { castTo } from "./elementwise.js";
import { padded } from "./layout.js";
import { type Emitter, inputOf, type LoweringContext, lowering, outputOf, reduced, reshaped } from "./lowering.js";

/**
 * Padding that makes the plain (floor) rule give exactly the windows of the output: runtimes have disagreed about ceil mode, and
 * about nothing else.
 */
export function exactPadding(
  x: Shape,
  y: Shape,
  { kernel, stride, padding, dilation = [1, 1] }: Omit<PoolAttrs, "dilation"> & { dilation?: Pair },
): Padding {
  const end = (i: 0 | 1): number => {
    const reach = ((y[2 + i] as number) - 1) * stride[i] + dilatedSize(kernel[i], dilation[i]);
    return Math.max(0, reach - (x[2 + i] as number) - padding[2 * i]!);
  };
  return [padding[0], end(0), padding[2], end(1)];
}

const zeros = [0, 0, 0, 0] as const;

interface Pooled {
  readonly value: Value;
  readonly indices: Value | undefined;
}

/** Maximum over windows; with `indices` also where it lies, as ONNX counts (flat, int64, in the whole input). */
function maxPooled(b: Emitter, x: Value, input: Spec, y: Shape, attrs: PoolAttrs, wantIndices: boolean): Pooled {
  const { shape } = input;
  const pads = exactPadding(shape, y, attrs);
  const options = { kernel_shape: attrs.kernel, strides: attrs.stride, dilations: attrs.dilation };
  // Operators refuse padding that is as wide as the (undilated) kernel.
  const refused = pads.some((pad, i) => pad >= attrs.kernel[i < 2 ? 0 : 1]);
  const outputs = wantIndices ? 2 : 1;
  if (!refused) {
    const [value, indices] = b.nodes("MaxPool", [x], { ...options, pads: onnxPads(pads) }, { outputs });
    return { value: value as Value, indices };
  }
  const around = { low: [0, 0, pads[0], pads[2]], high: [0, 0, pads[1], pads[3]], interior: zeros, value: -Infinity };
  const wide = padded(b, x, input, around);
  const [value, indices] = b.nodes("MaxPool", [wide], options, { outputs });
  return { value: value as Value, indices: indices && unpaddedIndices(b, indices, shape, pads) };
}

/** Positions in a padded image as positions in the image. */
function unpaddedIndices(b: Emitter, indices: Value, [, , h, w]: Shape, [top, bottom, left, right]: Padding): Value {
  const int = (value: number): Value => b.scalar(value, "int64");
  const [wide, high] = [(w as number) + left + right, (h as number) + top + bottom];
  const row = b.node("Div", [indices, int(wide)]);
  const column = b.node("Sub", [b.node("Mod", [indices, int(wide)]), int(left)]);
  const y = b.node("Sub", [b.node("Mod", [row, int(high)]), int(top)]);
  const plane = b.node("Mul", [b.node("Div", [row, int(high)]), int(h as number)]);
  return b.node("Add", [b.node("Mul", [b.node("Add", [plane, y]), int(w as number)]), column]);
}

const maxPool2d = lowering((b, node, [x]) => [
  maxPooled(b, x as Value, inputOf(node, 0), outputOf(node).shape, node.attrs as PoolAttrs, false).value,
]);

/** Shared by the nodes of a graph that ask about the same windows. */
function indicesOf(
  b: Emitter,
  x: Value,
  input: Spec,
  output: Shape,
  attrs: PoolAttrs,
  context: LoweringContext,
): Value {
  const key = `argmax ${x} ${JSON.stringify(attrs)}`;
  return context.once(key, () => maxPooled(b, x, input, output, attrs, true).indices as Value);
}

const maxPool2dArgmax = lowering((b, node, [x], context) => {
  const indices = indicesOf(b, x as Value, inputOf(node, 0), outputOf(node).shape, node.attrs as PoolAttrs, context);
  return [castTo(b, indices, "int32")];
});

/** Adds each dy at its window's first maximum. */
const maxPool2dGrad = lowering((b, node, [dy, x, y], context) => {
  const [pooled, input] = [inputOf(node, 0).shape, inputOf(node, 1)];
  if (isTiling(input.shape, pooled, node.attrs as PoolAttrs)) {
    return [tiledGrad(b, [dy, x, y] as [Value, Value, Value], input, pooled, node.attrs as PoolAttrs)];
  }
  const indices = indicesOf(b, x as Value, input, pooled, node.attrs as PoolAttrs, context);
  return [scattered(b, dy as Value, indices, pooled, input, node.attrs as PoolAttrs)];
});

/** Windows that lie side by side and cover the image exactly. */
function isTiling(x: Shape, y: Shape, { kernel, stride, padding, dilation }: PoolAttrs): boolean {
  const exact = [0, 1].every(
    (i) => stride[i] === kernel[i] && dilation[i] === 1 && x[2 + i] === y[2 + i]! * kernel[i]!,
  );
  return exact && kernel[0] * kernel[1] > 1 && padding.every((p) => p === 0) && sizeOf(x) > 0;
}

/**
 * Windows side by side. Where x equals the (enlarged) maximum there is a 1; a convolution whose t-th kernel is 1 at pixel t of the window
 * and -1 at all pixels before leaves it above 0 at the first of them only, and a transposed one puts the window's pixels back.
 */
function tiledGrad(
  b: Emitter,
  [dy, x, y]: readonly [Value, Value, Value],
  input: Spec,
  pooled: Shape,
  { kernel }: PoolAttrs,
): Value {
  const [n, c, h, w] = shape4(input.shape);
  const taps = kernel[0] * kernel[1];
  const filter = (value: (kernelIndex: number, pixel: number) => number): Value => {
    const values = Array.from({ length: taps * taps }, (_, i) => value(Math.floor(i / taps), i % taps));
    return b.initializer(fromNumbers(values, [taps, 1, ...kernel], input.dtype));
  };
  const scales = b.initializer(fromNumbers([1, 1, ...kernel], [4], "float32"));
  const nearest = { mode: "nearest", nearest_mode: "floor", coordinate_transformation_mode: "asymmetric" };
  const hits = castTo(b, b.node("Equal", [x, b.node("Resize", [y, "", scales], nearest)]), input.dtype);
  const windows = { kernel_shape: kernel, strides: kernel };
  const sole = filter((t, pixel) => (pixel === t ? 1 : pixel < t ? -1 : 0));
  const first = b.node("Relu", [b.node("Conv", [reshaped(b, hits, [n * c, 1, h, w]), sole], windows)]);
  const shares = b.node("Mul", [first, reshaped(b, dy, [n * c, 1, ...pooled.slice(2)])]);
  const back = b.node("ConvTranspose", [shares, filter((t, pixel) => (pixel === t ? 1 : 0))], windows);
  return reshaped(b, back, input.shape);
}

function scattered(
  b: Emitter,
  dy: Value,
  indices: Value,
  pooled: Shape,
  input: Spec,
  { kernel, stride, dilation }: PoolAttrs,
): Value {
  const apart = [0, 1].every((i) => dilatedSize(kernel[i] as number, dilation[i] as number) <= (stride[i] as number));
  const [count, size] = [sizeOf(pooled), sizeOf(input.shape)];
  const positions = reshaped(b, indices, [count]);
  const scatter = (values: Value, dtype: DType): Value => {
    const zero = b.node("Expand", [b.scalar(0, dtype), b.int64([size])]);
    const options = apart ? { axis: 0 } : { axis: 0, reduction: "add" };
    return b.node("ScatterElements", [zero, positions, values], options);
  };
  const flat = reshaped(b, dy, [count]);
  // Kernels add no half floats.
  const half = input.dtype === "float16" && !apart;
  const sums = half ? castTo(b, scatter(castTo(b, flat, "float32"), "float32"), "float16") : scatter(flat, input.dtype);
  return reshaped(b, sums, input.shape);
}

// --- average -------------------------------------------------------------------------------------------------------------------

/** One window that is the whole image. */
function isGlobal(input: Shape, { kernel, padding }: AvgPoolAttrs): boolean {
  return kernel[0] === input[2] && kernel[1] === input[3] && padding.every((p) => p === 0);
}

/** For each window, kernel elements by counted ones (`[H', W']`); undefined where that is 1 everywhere. */
function corrections(input: Shape, output: Shape, attrs: AvgPoolAttrs): number[] | undefined {
  const { kernel, stride, padding, countIncludePad } = attrs;
  const along = (i: 0 | 1): number[] => {
    const [size, count] = [input[2 + i] as number, output[2 + i] as number];
    return windowSizes(count, size, kernel[i], stride[i], padding[2 * i]!, padding[2 * i + 1]!, countIncludePad);
  };
  const [rows, columns] = [along(0), along(1)];
  const whole = kernel[0] * kernel[1];
  const ratios = rows.flatMap((row) => columns.map((column) => whole / (row * column)));
  return ratios.every((ratio) => ratio === 1) ? undefined : ratios;
}

function corrected(b: Emitter, x: Value, { shape, dtype }: Spec, output: Shape, attrs: AvgPoolAttrs): Value {
  const ratios = corrections(shape, output, attrs);
  if (ratios === undefined) return x;
  return b.node("Mul", [x, b.initializer(fromNumbers(ratios, output.slice(2), dtype))]);
}

const avgPool2d = lowering((b, node, [x]) => {
  const attrs = node.attrs as AvgPoolAttrs;
  const [input, output] = [inputOf(node, 0).shape, outputOf(node).shape];
  if (isGlobal(input, attrs)) return [reduced(b, "ReduceMean", x as Value, [2, 3])];
  const options = {
    kernel_shape: attrs.kernel,
    strides: attrs.stride,
    pads: onnxPads(exactPadding(input, output, attrs)),
  };
  // Without padded pixels in the count, what lies beyond the padding is not counted either: that is the operator's own rule.
  if (!attrs.countIncludePad) return [b.node("AveragePool", [x as Value], { ...options, count_include_pad: 0 })];
  const mean = b.node("AveragePool", [x as Value], { ...options, count_include_pad: 1 });
  return [corrected(b, mean, inputOf(node, 0), output, attrs)];
});

/** Every pixel gets the sum of what its windows hand down: a transposed convolution with a constant kernel. */
const avgPool2dGrad = lowering((b, node, [dy]) => {
  const attrs = node.attrs as AvgPoolAttrs;
  const [pooled, input] = [inputOf(node, 0).shape, outputOf(node).shape];
  const [n, c, h, w] = shape4(input);
  const share = 1 / (attrs.kernel[0] * attrs.kernel[1]);
  if (isGlobal(input, attrs)) {
    return [{ value: b.node("Mul", [dy as Value, b.scalar(share, inputOf(node, 0).dtype)]), shape: pooled }];
  }
  const spread = corrected(b, dy as Value, outputOf(node), pooled, attrs);
  const shares = new Float64Array(attrs.kernel[0] * attrs.kernel[1]).fill(share);
  const kernel = b.initializer(fromNumbers(shares, [1, 1, ...attrs.kernel], outputOf(node).dtype));
  const missing = ([0, 1] as const).map((i) => {
    return (
      (input[2 + i] as number) +
      attrs.padding[2 * i]! -
      (((pooled[2 + i] as number) - 1) * attrs.stride[i] + attrs.kernel[i])
    );
  });
  const ends = missing.map((rows) => Math.max(0, -rows));
  const back = b.node("ConvTranspose", [reshaped(b, spread, [n * c, 1, ...pooled.slice(2)]), kernel], {
    kernel_shape: attrs.kernel,
    strides: attrs.stride,
    pads: [attrs.padding[0], attrs.padding[2], ...ends],
    output_padding: missing.map((rows) => Math.max(0, rows)),
  });
  return [reshaped(b, back, [n, c, h, w])];
});

export const poolLowerings = { maxPool2d, maxPool2dArgmax, maxPool2dGrad, avgPool2d, avgPool2dGrad };
