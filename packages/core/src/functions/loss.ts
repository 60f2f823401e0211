import { isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { cast, equal, mul, neg, sub } from "../ops/elementwise.js";
import { broadcastTo, concat, pad, reshape } from "../ops/layout.js";
import { arange, full } from "../ops/leaf.js";
import { logSoftmax } from "../ops/norm.js";
import { argmax, mean, sum } from "../ops/reduce.js";
import { formatShape, sameShape } from "../shape.js";
import { formatSpec, type Tensor } from "../tensor.js";

/** 1 where the class is the label, else 0. Labels int32 `[N]` -> float32 `[N, classes]`. */
export function oneHot(labels: Tensor, classes: number): Tensor {
  if (labels.dtype !== "int32" || labels.shape.length !== 1) {
    throw new DTypeError(`oneHot: labels are ${formatSpec(labels)}; they need to be int32[N]`);
  }
  const shape = [labels.shape[0] as number, classes];
  return cast(
    equal(broadcastTo(reshape(labels, [shape[0] as number, 1]), shape), broadcastTo(arange(classes), shape)),
    "float32",
  );
}

/**
 * What each class should get, as the logits' shape `[N, classes]`: soft labels (float `[N, classes]`, of mixup) as they are, int32 `[N]` as
 * {@link oneHot}. A label that is no class gives zeros.
 * @throws ShapeError when the labels do not fit the logits
 */
export function classTargets(logits: Tensor, labels: Tensor): Tensor {
  const [n, classes] = logits.shape;
  if (logits.shape.length === 2 && sameShape(labels.shape, logits.shape) && isFloat(labels.dtype)) return labels;
  if (logits.shape.length !== 2 || !sameShape(labels.shape, [n as number])) {
    throw new ShapeError(
      `crossEntropy: logits are ${formatSpec(logits)}, labels ${formatSpec(labels)}; they need [N, classes] and int32[N], or soft labels of the logits' shape`,
    );
  }
  return oneHot(labels, classes as number);
}

/**
 * Cross-entropy of each sample: `-log softmax(logits)[label]`. Logits `[N, classes]`, labels int32 `[N]` or soft, float
 * `[N, classes]` -> `[N]`.
 * @throws ShapeError when the counts differ
 */
export function crossEntropyPerSample(logits: Tensor, labels: Tensor): Tensor {
  const targets = classTargets(logits, labels);
  return neg(sum(mul(logSoftmax(logits), targets), { axes: 1 }));
}

/** Mean cross-entropy over the batch. Logits `[N, classes]`, labels int32 `[N]` or soft, float `[N, classes]` -> a scalar. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return mean(crossEntropyPerSample(logits, labels));
}

/**
 * LeNet-5's criterion for each sample (LeCun et al. 1998, equation 9): the penalty of the right class, and a term that pushes the others'
 * penalties up, kept in bounds by a class of rubbish with the constant penalty `garbage`. Logits `[N, classes]` are the penalties
 * negated, labels as in {@link crossEntropyPerSample} -> `[N]`.
 */
export function rbfLossPerSample(logits: Tensor, labels: Tensor, garbage = 1): Tensor {
  const targets = classTargets(logits, labels);
  // Cross-entropy with one class more, which no label names.
  const rubbish = full([logits.shape[0] as number, 1], -garbage, logits.dtype);
  return crossEntropyPerSample(concat([logits, rubbish], 1), pad(targets, { low: [0, 0], high: [0, 1] }));
}

/** Mean of squared differences, over everything. */
export function meanSquaredError(prediction: Tensor, target: Tensor): Tensor {
  if (!sameShape(prediction.shape, target.shape)) {
    throw new ShapeError(
      `meanSquaredError: prediction is ${formatShape(prediction.shape)}, target ${formatShape(target.shape)}`,
    );
  }
  const difference = sub(prediction, target);
  return mean(mul(difference, difference));
}

/** 1 where the largest logit is the label's (of a soft one, the largest share's), else 0: float32 `[N]`. */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  const right = labels.shape.length === 2 ? argmax(labels, 1) : labels;
  return cast(equal(argmax(logits, 1), right), "float32");
}

/** Share of samples whose largest logit is the label's. */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return mean(correct(logits, labels));
}
