import { DTypeError, ShapeError } from "../errors.js";
import { cast, equal, mul, neg, sub } from "../ops/elementwise.js";
import { broadcastTo, reshape } from "../ops/layout.js";
import { arange } from "../ops/leaf.js";
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
 * Cross-entropy of each sample: `-log softmax(logits)[label]`. Logits `[N, classes]`, labels int32 `[N]` -> `[N]`.
 * @throws ShapeError when the counts differ
 */
export function crossEntropyPerSample(logits: Tensor, labels: Tensor): Tensor {
  if (logits.shape.length !== 2 || labels.shape[0] !== logits.shape[0]) {
    throw new ShapeError(
      `crossEntropy: logits are ${formatShape(logits.shape)}, labels ${formatShape(labels.shape)}; they need [N, classes] and [N]`,
    );
  }
  return neg(sum(mul(logSoftmax(logits), oneHot(labels, logits.shape[1] as number)), { axes: 1 }));
}

/** Mean cross-entropy over the batch. Logits `[N, classes]`, labels int32 `[N]` -> a scalar. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return mean(crossEntropyPerSample(logits, labels));
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

/** 1 where the largest logit is the label's, else 0: float32 `[N]`. */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  return cast(equal(argmax(logits, 1), labels), "float32");
}

/** Share of samples whose largest logit is the label's. */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return mean(correct(logits, labels));
}
