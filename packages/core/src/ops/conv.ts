import { isFloat } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp } from "../op.js";
import {
  dilatedSize,
  formatShape,
  type Padding,
  type Pair,
  padding4,
  pair,
  type Shape,
  samePadding,
  sizeOf,
  windowCount,
} from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";

/** Attributes that the three convolutions share. */
export interface ConvAttrs {
  readonly stride: Pair;
  /** top, bottom, left, right */
  readonly padding: Padding;
  readonly dilation: Pair;
  readonly groups: number;
}

type Shape4 = readonly [number, number, number, number];

/** Shape of a convolution's output, or an error that says which size does not fit. */
export function convOutputShape(
  name: string,
  x: Shape,
  w: Shape,
  { stride, padding, dilation, groups }: ConvAttrs,
): Shape4 {
  if (x.length !== 4)
    throw new ShapeError(`${name}: input is ${formatShape(x)}; it needs 4 dimensions [N, C, H, W]`, { input: x });
  if (w.length !== 4)
    throw new ShapeError(`${name}: weight is ${formatShape(w)}; it needs 4 dimensions [O, C/groups, kH, kW]`, {
      weight: w,
    });
  const [n, c, h, width] = x as Shape4;
  const [o, perGroup, kh, kw] = w as Shape4;
  if (perGroup * groups !== c) {
    throw new ShapeError(
      `${name}: input has ${c} channels; weight ${formatShape(w)} with groups=${groups} needs ${perGroup * groups}`,
      { channels: c, needed: perGroup * groups, weight: w, groups },
    );
  }
  if (o % groups !== 0)
    throw new ShapeError(`${name}: ${o} output channels do not divide into ${groups} groups`, { out: o, groups });
  const oh = windowCount(h, kh, stride[0], padding[0], padding[1], dilation[0]);
  const ow = windowCount(width, kw, stride[1], padding[2], padding[3], dilation[1]);
  if (oh < 1 || ow < 1) {
    throw new ShapeError(
      `${name}: the kernel covers ${dilatedSize(kh, dilation[0])}x${dilatedSize(kw, dilation[1])} pixels; the input with its padding has ${h + padding[0] + padding[1]}x${width + padding[2] + padding[3]}`,
      { input: x, weight: w, padding },
    );
  }
  return [n, o, oh, ow];
}

function checkFloats(name: string, [a, b]: readonly Spec[]): void {
  const [x, y] = [a as Spec, b as Spec];
  if (x.dtype !== y.dtype || !isFloat(x.dtype)) {
    throw new DTypeError(
      `${name}: operands are ${x.dtype} and ${y.dtype}; they need one float dtype. Cast images first.`,
    );
  }
}

function checkShapeIs(name: string, what: string, given: Shape, needed: Shape): void {
  if (formatShape(given) !== formatShape(needed)) {
    throw new ShapeError(`${name}: ${what} is ${formatShape(given)}; these attributes need ${formatShape(needed)}`, {
      given,
      needed,
    });
  }
}

const macsOf = (y: Shape, w: Shape): number => sizeOf(y) * sizeOf(w.slice(1));

export const conv2dOp = defineOp<ConvAttrs>({
  name: "conv2d",
  inputs: ["input", "weight"],
  infer: (inputs, attrs) => {
    checkFloats("conv2d", inputs);
    const [x, w] = inputs as [Spec, Spec];
    return { shape: convOutputShape("conv2d", x.shape, w.shape, attrs), dtype: x.dtype };
  },
  macs: ([, w], [y]) => macsOf((y as Spec).shape, (w as Spec).shape),
  window: ([, w], { stride, padding, dilation }) => ({
    kernel: (w as Spec).shape.slice(2) as unknown as Pair,
    stride,
    before: [padding[0], padding[2]],
    dilation,
  }),
  vjp: ({ dy, inputs, attrs }) => {
    const [x, w] = inputs as [Tensor, Tensor];
    return [
      conv2dInputGrad(dy, w, { ...attrs, inputShape: x.shape }),
      conv2dWeightGrad(x, dy, { ...attrs, weightShape: w.shape }),
    ];
  },
});

export const conv2dInputGradOp = defineOp<ConvAttrs & { inputShape: Shape }>({
  name: "conv2dInputGrad",
  inputs: ["dy", "weight"],
  infer: (inputs, attrs) => {
    checkFloats("conv2dInputGrad", inputs);
    const [dy, w] = inputs as [Spec, Spec];
    checkShapeIs(
      "conv2dInputGrad",
      "dy",
      dy.shape,
      convOutputShape("conv2dInputGrad", attrs.inputShape, w.shape, attrs),
    );
    return { shape: attrs.inputShape, dtype: dy.dtype };
  },
  macs: ([dy, w]) => macsOf((dy as Spec).shape, (w as Spec).shape),
  vjp: ({ dy: ddx, inputs, attrs: { inputShape: _, ...attrs } }) => {
    const [dy, w] = inputs as [Tensor, Tensor];
    return [conv(ddx, w, attrs), conv2dWeightGrad(ddx, dy, { ...attrs, weightShape: w.shape })];
  },
});

export const conv2dWeightGradOp = defineOp<ConvAttrs & { weightShape: Shape }>({
  name: "conv2dWeightGrad",
  inputs: ["input", "dy"],
  infer: (inputs, attrs) => {
    checkFloats("conv2dWeightGrad", inputs);
    const [x, dy] = inputs as [Spec, Spec];
    checkShapeIs(
      "conv2dWeightGrad",
      "dy",
      dy.shape,
      convOutputShape("conv2dWeightGrad", x.shape, attrs.weightShape, attrs),
    );
    return { shape: attrs.weightShape, dtype: x.dtype };
  },
  macs: ([, dy], _, { weightShape }) => macsOf((dy as Spec).shape, weightShape),
  vjp: ({ dy: ddw, inputs, attrs: { weightShape: _, ...attrs } }) => {
    const [x, dy] = inputs as [Tensor, Tensor];
    return [conv2dInputGrad(dy, ddw, { ...attrs, inputShape: x.shape }), conv(x, ddw, attrs)];
  },
});

const conv = (x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor => apply(conv2dOp, [x, w], attrs);

/** Gradient of a convolution with respect to its input, given that input's shape. */
export function conv2dInputGrad(dy: Tensor, w: Tensor, attrs: ConvAttrs & { readonly inputShape: Shape }): Tensor {
  return apply(conv2dInputGradOp, [dy, w], attrs);
}

/** Gradient of a convolution with respect to its weight, given that weight's shape. */
export function conv2dWeightGrad(x: Tensor, dy: Tensor, attrs: ConvAttrs & { readonly weightShape: Shape }): Tensor {
  return apply(conv2dWeightGradOp, [x, dy], attrs);
}

export interface ConvOptions {
  readonly stride?: number | Pair;
  /** One number for all sides, (vertical, horizontal), (top, bottom, left, right), "valid" (none) or "same" (ceil(size / stride)). */
  readonly padding?: number | Pair | Padding | "same" | "valid";
  readonly dilation?: number | Pair;
  readonly groups?: number;
}

/** Resolves {@link ConvOptions} for an input and a kernel size. */
export function convAttrs(where: string, input: Shape, kernel: Pair, options: ConvOptions): ConvAttrs {
  const stride = pair(options.stride ?? 1, "stride", where);
  const dilation = pair(options.dilation ?? 1, "dilation", where);
  const groups = options.groups ?? 1;
  if (!Number.isSafeInteger(groups) || groups < 1)
    throw new ArgumentError(`${where}: groups is ${groups}; it needs an integer >= 1`);
  return {
    stride,
    dilation,
    groups,
    padding: resolvePadding(where, input, kernel, stride, dilation, options.padding ?? 0),
  };
}

function resolvePadding(
  where: string,
  input: Shape,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
  padding: NonNullable<ConvOptions["padding"]>,
): Padding {
  if (padding === "valid") return [0, 0, 0, 0];
  if (padding !== "same") {
    if (typeof padding === "string")
      throw new ArgumentError(`${where}: padding is "${padding as string}"; the words are "same" and "valid"`);
    return padding4(padding, where);
  }
  const [h, w] = input.slice(-2) as [number, number];
  const [top, bottom] = samePadding(h, kernel[0], stride[0], dilation[0]);
  const [left, right] = samePadding(w, kernel[1], stride[1], dilation[1]);
  return [top, bottom, left, right];
}

/**
 * 2-D convolution (cross-correlation). `[N, C, H, W] x [O, C/groups, kH, kW] -> [N, O, H', W']`.
 * @throws ShapeError when channels do not match or the kernel does not fit; DTypeError unless both are one float dtype
 */
export function conv2d(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor {
  const kernel: Pair = [weight.shape[2] ?? 1, weight.shape[3] ?? 1];
  return conv(x, weight, convAttrs("conv2d", x.shape, kernel, options));
}

export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  readonly padding?: number | Pair | Padding;
  /** Extra size at the bottom and right. */
  readonly outputPadding?: number | Pair;
}

/**
 * Transposed convolution, the gradient of {@link conv2d} with respect to its input (PyTorch's layout).
 * `[N, C, H, W] x [C, O/groups, kH, kW] -> [N, O, H', W']` with `H' = (H - 1) * stride - padding + dilation * (kH - 1) + outputPadding + 1`.
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const where = "convTranspose2d";
  if (x.shape.length !== 4)
    throw new ShapeError(`${where}: input is ${formatShape(x.shape)}; it needs 4 dimensions [N, C, H, W]`);
  if (weight.shape.length !== 4)
    throw new ShapeError(
      `${where}: weight is ${formatShape(weight.shape)}; it needs 4 dimensions [C, O/groups, kH, kW]`,
    );
  const [n, c, h, w] = x.shape as Shape4;
  const [inC, perGroup, kh, kw] = weight.shape as Shape4;
  if (inC !== c)
    throw new ShapeError(`${where}: input has ${c} channels; weight ${formatShape(weight.shape)} needs ${inC}`);
  const attrs = convAttrs(where, x.shape, [kh, kw], options);
  const extra = pair(options.outputPadding ?? 0, "outputPadding", where, 0);
  const size = (count: number, kernel: number, axis: 0 | 1, before: number, after: number): number =>
    (count - 1) * attrs.stride[axis] - before - after + dilatedSize(kernel, attrs.dilation[axis]) + extra[axis];
  const [top, bottom, left, right] = attrs.padding;
  const [oh, ow] = [size(h, kh, 0, top, bottom), size(w, kw, 1, left, right)];
  if (oh < 1 || ow < 1) {
    throw new ShapeError(`${where}: the output would be ${oh}x${ow} pixels: the padding cuts off all of it`, {
      input: x.shape,
    });
  }
  const inputShape = [n, perGroup * attrs.groups, oh, ow];
  return conv2dInputGrad(x, weight, { ...attrs, inputShape });
}
