import { isFloat } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp, type Window } from "../op.js";
import { formatShape, type Padding, type Pair, padding4, pair, poolSize, type Shape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { gather, reshape, scatterAdd } from "./layout.js";
import { full } from "./leaf.js";

export interface PoolAttrs {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** top, bottom, left, right; at most half the kernel. */
  readonly padding: Padding;
  readonly dilation: Pair;
  /** Keep a last, partial window. */
  readonly ceilMode: boolean;
}

export interface AvgPoolAttrs extends Omit<PoolAttrs, "dilation"> {
  /** Count padded zeros in the mean (PyTorch's default). */
  readonly countIncludePad: boolean;
}

type PoolGeometry = Omit<PoolAttrs, "dilation"> & { readonly dilation?: Pair };

const windowOf = ({ kernel, stride, padding, dilation = [1, 1] }: PoolGeometry): Window => ({
  kernel,
  stride,
  before: [padding[0], padding[2]],
  dilation,
});

function poolOutput(name: string, { shape, dtype }: Spec, attrs: PoolGeometry): number[] {
  if (shape.length !== 4)
    throw new ShapeError(`${name}: input is ${formatShape(shape)}; it needs 4 dimensions [N, C, H, W]`, {
      input: shape,
    });
  if (!isFloat(dtype)) throw new DTypeError(`${name}: input is ${dtype}; it needs a float. Cast it first.`);
  const { kernel, stride, padding, ceilMode, dilation = [1, 1] } = attrs;
  const [n, c, h, w] = shape as [number, number, number, number];
  const oh = poolSize(h, kernel[0], stride[0], padding[0], padding[1], dilation[0], ceilMode);
  const ow = poolSize(w, kernel[1], stride[1], padding[2], padding[3], dilation[1], ceilMode);
  if (padding.some((p, i) => 2 * p > (kernel[i < 2 ? 0 : 1] as number))) {
    throw new ArgumentError(
      `${name}: padding ${formatShape(padding)} is more than half of the kernel ${formatShape(kernel)}`,
    );
  }
  if (oh < 1 || ow < 1) {
    throw new ShapeError(
      `${name}: the window ${formatShape(kernel)} does not fit into the input ${formatShape(shape)} with padding ${formatShape(padding)}`,
    );
  }
  return [n, c, oh, ow];
}

function checkDy(name: string, dy: Spec, needed: Shape): void {
  if (formatShape(dy.shape) !== formatShape(needed)) {
    throw new ShapeError(`${name}: dy is ${formatShape(dy.shape)}; these attributes need ${formatShape(needed)}`);
  }
}

export const maxPool2dOp = defineOp<PoolAttrs>({
  name: "maxPool2d",
  infer: ([x], attrs) => ({ shape: poolOutput("maxPool2d", x as Spec, attrs), dtype: (x as Spec).dtype }),
  window: (_, attrs) => windowOf(attrs),
  vjp: ({ dy, inputs, output, attrs }) => [apply(maxPool2dGradOp, [dy, inputs[0] as Tensor, output], attrs)],
});

/** Where each window's (first) maximum lies: flat positions in the whole input. */
export const maxPool2dArgmaxOp = defineOp<PoolAttrs>({
  name: "maxPool2dArgmax",
  infer: ([x], attrs) => ({ shape: poolOutput("maxPool2dArgmax", x as Spec, attrs), dtype: "int32" }),
  vjp: "nondifferentiable",
});

/** The gradient goes to each window's first maximum (as in PyTorch). Inputs: dy, the pooled input, the pooled output. */
export const maxPool2dGradOp = defineOp<PoolAttrs>({
  name: "maxPool2dGrad",
  inputs: ["dy", "input", "output"],
  infer: ([dy, x], attrs) => {
    checkDy("maxPool2dGrad", dy as Spec, poolOutput("maxPool2dGrad", x as Spec, attrs));
    return { shape: (x as Spec).shape, dtype: (x as Spec).dtype };
  },
  vjp: ({ dy: ddx, inputs, attrs }) => {
    const [dy, x] = inputs as [Tensor, Tensor, Tensor];
    const positions = apply(maxPool2dArgmaxOp, [x], attrs);
    const picked = gather(reshape(ddx, [-1]), reshape(positions, [-1]));
    return [reshape(picked, dy.shape), null, null];
  },
  decompose: (inputs, attrs) => {
    const [dy, x] = inputs as [Tensor, Tensor, Tensor];
    const positions = reshape(apply(maxPool2dArgmaxOp, [x], attrs), [-1]);
    return reshape(scatterAdd(full([sizeOf(x.shape)], 0, x.dtype), positions, reshape(dy, [-1])), x.shape);
  },
});

const average = (x: Tensor, attrs: AvgPoolAttrs): Tensor => apply(avgPool2dOp, [x], attrs);
const spread = (dy: Tensor, attrs: AvgPoolAttrs & { readonly inputShape: Shape }): Tensor =>
  apply(avgPool2dGradOp, [dy], attrs);

export const avgPool2dOp = defineOp<AvgPoolAttrs>({
  name: "avgPool2d",
  infer: ([x], attrs) => ({ shape: poolOutput("avgPool2d", x as Spec, attrs), dtype: (x as Spec).dtype }),
  window: (_, attrs) => windowOf(attrs),
  vjp: ({ dy, inputs, attrs }) => [spread(dy, { ...attrs, inputShape: (inputs[0] as Tensor).shape })],
});

export const avgPool2dGradOp = defineOp<AvgPoolAttrs & { inputShape: Shape }>({
  name: "avgPool2dGrad",
  inputs: ["dy"],
  infer: ([dy], attrs) => {
    const { dtype } = dy as Spec;
    checkDy("avgPool2dGrad", dy as Spec, poolOutput("avgPool2dGrad", { shape: attrs.inputShape, dtype }, attrs));
    return { shape: attrs.inputShape, dtype };
  },
  vjp: ({ dy: ddx, attrs: { inputShape: _, ...attrs } }) => [average(ddx, attrs)],
});

/** Number of input pixels (or padded ones, when counted) that each window of an average covers, along one axis. */
export function windowSizes(
  count: number,
  size: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  countPad: boolean,
): number[] {
  return Array.from({ length: count }, (_, i) => {
    const start = i * stride - before;
    // In ceil mode the last window may hang over the padding; what lies beyond is never counted.
    const end = Math.min(start + kernel, size + after);
    return countPad ? end - start : Math.min(end, size) - Math.max(start, 0);
  });
}

export interface MaxPoolOptions {
  readonly kernelSize: number | Pair;
  /** The kernel size when left out. */
  readonly stride?: number | Pair | undefined;
  readonly padding?: number | Pair | Padding | undefined;
  readonly dilation?: number | Pair | undefined;
  readonly ceilMode?: boolean | undefined;
}

export interface AvgPoolOptions extends Omit<MaxPoolOptions, "dilation"> {
  readonly countIncludePad?: boolean | undefined;
}

function geometry(
  name: string,
  { kernelSize, stride, padding, ceilMode }: MaxPoolOptions,
): Omit<PoolAttrs, "dilation"> {
  const kernel = pair(kernelSize, "kernelSize", name);
  return {
    kernel,
    stride: pair(stride ?? kernel, "stride", name),
    padding: padding4(padding ?? 0, name),
    ceilMode: ceilMode ?? false,
  };
}

/** Maximum over windows, `[N, C, H, W] -> [N, C, H', W']`. Padding never wins. */
export function maxPool2d(x: Tensor, options: MaxPoolOptions): Tensor {
  const dilation = pair(options.dilation ?? 1, "dilation", "maxPool2d");
  return apply(maxPool2dOp, [x], { ...geometry("maxPool2d", options), dilation });
}

/** Mean over windows, `[N, C, H, W] -> [N, C, H', W']`. */
export function avgPool2d(x: Tensor, options: AvgPoolOptions): Tensor {
  return average(x, { ...geometry("avgPool2d", options), countIncludePad: options.countIncludePad ?? true });
}
