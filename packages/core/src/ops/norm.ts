import { isFloat } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { apply, applyAll, defineOp } from "../op.js";
import { formatShape, normalizeAxis, type Shape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";
import { add, div, exp, log, mul, pow, sqrt, sub } from "./elementwise.js";
import { broadcastTo, pad, reshape } from "./layout.js";
import { avgPool2d } from "./pool.js";
import { max, sum } from "./reduce.js";

// --- batch normalisation: x is [N, C] or [N, C, ...]; statistics and affine parameters are [C] ---------------------------------

function checkBatchNorm(name: string, x: Spec, vectors: readonly Spec[]): void {
  if (x.shape.length < 2)
    throw new ShapeError(`${name}: input is ${formatShape(x.shape)}; it needs [N, C] or [N, C, ...]`);
  if (!isFloat(x.dtype)) throw new DTypeError(`${name}: input is ${x.dtype}; it needs a float`);
  for (const vector of vectors) {
    if (vector.shape.length !== 1 || vector.shape[0] !== x.shape[1]) {
      throw new ShapeError(
        `${name}: input has ${x.shape[1]} channels; a parameter or statistic is ${formatShape(vector.shape)}`,
      );
    }
  }
}

/** Axes over which batch-norm averages: all but the channel. */
export const batchAxes = (shape: Shape): number[] => shape.flatMap((_, i) => (i === 1 ? [] : [i]));

/** Number of elements behind each channel's statistics. */
export const batchCount = (shape: Shape): number => sizeOf(shape) / Math.max(1, shape[1] as number);

/** A `[C]` vector spread over `shape`. */
export function alongChannels(vector: Tensor, shape: Shape): Tensor {
  return broadcastTo(reshape(vector, [vector.shape[0] as number, ...shape.slice(2).map(() => 1)]), shape);
}

const channelMean = (x: Tensor): Tensor => mul(sum(x, { axes: batchAxes(x.shape) }), 1 / batchCount(x.shape));

/** Outputs: y, the batch's mean `[C]`, its biased variance `[C]`. */
export const batchNormTrainOp = defineOp<{ eps: number }>({
  name: "batchNormTrain",
  inputs: ["input", "weight", "bias"],
  infer: ([x, weight, bias]) => {
    const input = x as Spec;
    checkBatchNorm("batchNormTrain", input, [weight as Spec, bias as Spec]);
    if (batchCount(input.shape) < 2) {
      throw new ShapeError(
        `batchNormTrain: input ${formatShape(input.shape)} has one value a channel; training needs at least two`,
      );
    }
    const statistic = { shape: [input.shape[1] as number], dtype: input.dtype };
    return [input, statistic, statistic];
  },
  vjp: ({ dys, inputs, outputs, attrs }) => {
    const [x, weight] = inputs as [Tensor, Tensor, Tensor];
    const [, mean, variance] = outputs as [Tensor, Tensor, Tensor];
    const [dy, dMean, dVariance] = dys as [Tensor | null, Tensor | null, Tensor | null];
    const grads: (Tensor | null)[] =
      dy === null ? [null, null, null] : [...applyAll(batchNormGradOp, [dy, x, weight, mean, variance], attrs)];
    const scale = 1 / batchCount(x.shape);
    const contribute = (grad: Tensor): void => {
      grads[0] = grads[0] ? add(grads[0], grad) : grad;
    };
    if (dMean) contribute(alongChannels(mul(dMean, scale), x.shape));
    if (dVariance) {
      contribute(mul(sub(x, alongChannels(mean, x.shape)), alongChannels(mul(dVariance, 2 * scale), x.shape)));
    }
    return grads;
  },
  decompose: (inputs, { eps }) => {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor];
    const mean = channelMean(x);
    const centred = sub(x, alongChannels(mean, x.shape));
    const variance = channelMean(mul(centred, centred));
    const scale = div(weight, sqrt(add(variance, eps)));
    return [add(mul(centred, alongChannels(scale, x.shape)), alongChannels(bias, x.shape)), mean, variance];
  },
});

/** Gradients of y with respect to input, weight and bias. Inputs: dy, input, weight, mean, variance. */
export const batchNormGradOp = defineOp<{ eps: number }>({
  name: "batchNormGrad",
  inputs: ["dy", "input", "weight", "mean", "variance"],
  infer: (inputs) => {
    const [dy, x, weight, mean, variance] = inputs as [Spec, Spec, Spec, Spec, Spec];
    checkBatchNorm("batchNormGrad", x, [weight, mean, variance]);
    if (formatShape(dy.shape) !== formatShape(x.shape)) {
      throw new ShapeError(`batchNormGrad: dy is ${formatShape(dy.shape)}; input is ${formatShape(x.shape)}`);
    }
    return [x, weight, weight];
  },
  vjp: "decompose",
  decompose: (inputs, { eps }) => {
    const [dy, x, weight, mean, variance] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const rstd = div(1, sqrt(add(variance, eps)));
    const normal = mul(sub(x, alongChannels(mean, x.shape)), alongChannels(rstd, x.shape));
    const dBias = sum(dy, { axes: batchAxes(x.shape) });
    const dWeight = sum(mul(dy, normal), { axes: batchAxes(x.shape) });
    const scale = 1 / batchCount(x.shape);
    const inner = sub(
      sub(dy, alongChannels(mul(dBias, scale), x.shape)),
      mul(normal, alongChannels(mul(dWeight, scale), x.shape)),
    );
    return [mul(inner, alongChannels(mul(weight, rstd), x.shape)), dWeight, dBias];
  },
});

/** Inputs: input, weight, bias, mean, variance. */
export const batchNormInferenceOp = defineOp<{ eps: number }>({
  name: "batchNormInference",
  inputs: ["input", "weight", "bias", "mean", "variance"],
  infer: ([x, ...vectors]) => {
    checkBatchNorm("batchNormInference", x as Spec, vectors);
    return x as Spec;
  },
  vjp: "decompose",
  decompose: (inputs, { eps }) => {
    const [x, weight, bias, mean, variance] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const scale = div(weight, sqrt(add(variance, eps)));
    const shift = sub(bias, mul(mean, scale));
    return add(mul(x, alongChannels(scale, x.shape)), alongChannels(shift, x.shape));
  },
});

export interface BatchNormResult {
  readonly output: Tensor;
  /** Mean of the batch, `[C]`. */
  readonly mean: Tensor;
  /** Biased variance of the batch, `[C]`. */
  readonly variance: Tensor;
}

/** Batch normalisation by the batch's own statistics (Ioffe and Szegedy 2015). `x` is `[N, C, ...]`, the rest `[C]`. */
export function batchNormTrain(x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): BatchNormResult {
  const [output, mean, variance] = applyAll(batchNormTrainOp, [x, weight, bias], { eps }) as readonly [
    Tensor,
    Tensor,
    Tensor,
  ];
  return { output, mean, variance };
}

/** Batch normalisation by given statistics. `x` is `[N, C, ...]`, the rest `[C]`. */
export function batchNormInference(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  mean: Tensor,
  variance: Tensor,
  eps = 1e-5,
): Tensor {
  return apply(batchNormInferenceOp, [x, weight, bias, mean, variance], { eps });
}

// --- local response normalisation -----------------------------------------------------------------------------------------------

export interface LrnAttrs {
  /** Channels in a window: size/2 before, (size-1)/2 after (rounded down), as PyTorch counts them. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

function inferLrn(name: string, x: Spec, { size }: LrnAttrs): Spec {
  if (x.shape.length < 3)
    throw new ShapeError(`${name}: input is ${formatShape(x.shape)}; it needs [N, C, ...] with at least 3 dimensions`);
  if (!isFloat(x.dtype)) throw new DTypeError(`${name}: input is ${x.dtype}; it needs a float`);
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`${name}: size is ${size}; it needs an integer >= 1`);
  return x;
}

/** Sum over a window of `size` channels: `before` of them ahead of each channel. */
function channelWindowSum(x: Tensor, size: number, before: number): Tensor {
  const [n, c] = x.shape as readonly [number, number];
  const flat = reshape(x, [n, 1, c, sizeOf(x.shape.slice(2))]);
  const padded = pad(flat, { low: [0, 0, before, 0], high: [0, 0, size - 1 - before, 0] });
  return reshape(mul(avgPool2d(padded, { kernelSize: [size, 1], stride: 1 }), size), x.shape);
}

const lrnScale = (x: Tensor, { size, alpha, k }: LrnAttrs): Tensor =>
  add(mul(channelWindowSum(mul(x, x), size, Math.floor(size / 2)), alpha / size), k);

export const localResponseNormOp = defineOp<LrnAttrs>({
  name: "localResponseNorm",
  infer: ([x], attrs) => inferLrn("localResponseNorm", x as Spec, attrs),
  vjp: ({ dy, inputs, attrs }) => [apply(localResponseNormGradOp, [dy, inputs[0] as Tensor], attrs)],
  decompose: ([x], attrs) => div(x as Tensor, pow(lrnScale(x as Tensor, attrs), attrs.beta)),
});

export const localResponseNormGradOp = defineOp<LrnAttrs>({
  name: "localResponseNormGrad",
  inputs: ["dy", "input"],
  infer: ([dy, x], attrs) => {
    if (formatShape((dy as Spec).shape) !== formatShape((x as Spec).shape)) {
      throw new ShapeError(
        `localResponseNormGrad: dy is ${formatShape((dy as Spec).shape)}; input is ${formatShape((x as Spec).shape)}`,
      );
    }
    return inferLrn("localResponseNormGrad", x as Spec, attrs);
  },
  vjp: "decompose",
  decompose: (inputs, attrs) => {
    const [dy, x] = inputs as [Tensor, Tensor];
    const { size, alpha, beta } = attrs;
    const scale = lrnScale(x, attrs);
    const power = pow(scale, -beta);
    // Channel j collects from every channel whose window holds j: the mirrored window.
    const crossed = channelWindowSum(div(mul(mul(dy, x), power), scale), size, Math.floor((size - 1) / 2));
    return sub(mul(dy, power), mul(mul(x, crossed), (2 * alpha * beta) / size));
  },
});

/** Local response normalisation (Krizhevsky 2012, PyTorch's scaling): `x / (k + alpha/size * sum over the window of x^2)^beta`. */
export function localResponseNorm(
  x: Tensor,
  { size, alpha = 1e-4, beta = 0.75, k = 1 }: Partial<LrnAttrs> & { size: number },
): Tensor {
  return apply(localResponseNormOp, [x], { size, alpha, beta, k });
}

// --- softmax ---------------------------------------------------------------------------------------------------------------------

function inferSoftmax(name: string, x: Spec, axis: number): Spec {
  normalizeAxis(axis, x.shape.length, name);
  if (!isFloat(x.dtype)) throw new DTypeError(`${name}: input is ${x.dtype}; it needs a float`);
  return x;
}

const sumAlong = (x: Tensor, axis: number): Tensor => broadcastTo(sum(x, { axes: axis, keepDims: true }), x.shape);
const centredBy = (x: Tensor, axis: number): Tensor => sub(x, max(x, { axes: axis, keepDims: true }));

export const softmaxOp = defineOp<{ axis: number }>({
  name: "softmax",
  infer: ([x], { axis }) => inferSoftmax("softmax", x as Spec, axis),
  vjp: ({ dy, output, attrs: { axis } }) => [mul(output, sub(dy, sumAlong(mul(dy, output), axis)))],
  decompose: ([x], { axis }) => {
    const e = exp(centredBy(x as Tensor, axis));
    return div(e, sumAlong(e, axis));
  },
});

export const logSoftmaxOp = defineOp<{ axis: number }>({
  name: "logSoftmax",
  infer: ([x], { axis }) => inferSoftmax("logSoftmax", x as Spec, axis),
  vjp: ({ dy, output, attrs: { axis } }) => [sub(dy, mul(exp(output), sumAlong(dy, axis)))],
  decompose: ([x], { axis }) => {
    const centred = centredBy(x as Tensor, axis);
    return sub(centred, log(sumAlong(exp(centred), axis)));
  },
});

/** e^x / sum e^x along `axis`. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply(softmaxOp, [x], { axis: normalizeAxis(axis, x.shape.length, "softmax") });
}

/** log of {@link softmax}, without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return apply(logSoftmaxOp, [x], { axis: normalizeAxis(axis, x.shape.length, "logSoftmax") });
}
