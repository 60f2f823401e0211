import {
  ArgumentError,
  add,
  cast,
  classTargets,
  constant,
  crossEntropyPerSample,
  div,
  formatSpec,
  hostTensor,
  logSoftmax,
  mean,
  mul,
  neg,
  oneHot,
  rbfLossPerSample,
  relu,
  reshape,
  ShapeError,
  sub,
  sum,
  type Tensor,
} from "@ocelli/core";
import { makeNamed, type Named } from "../named.js";

/**
 * A loss as data and as a function. The mean of `perSample` over a batch is what PyTorch's loss of that name gives with
 * `reduction="mean"`, class weights included.
 */
export interface Loss extends Named {
  /**
   * Logits `[N, classes]`, labels int32 `[N]` or soft, float `[N, classes]` (of mixup, CutMix) -> `[N]`.
   * @throws ShapeError, when the graph is built, for labels or class weights that do not fit the logits
   */
  perSample(logits: Tensor, labels: Tensor): Tensor;
}

export interface CrossEntropyLossOptions {
  /** Share of each label that is spread evenly over all classes, 0 or more and below 1 (Szegedy et al. 2016, section 7). Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** Weight of each class. Int32 labels: divided by the batch's mean weight, as PyTorch does. Default: all 1. */
  readonly classWeights?: readonly number[] | undefined;
}

/** Cross-entropy of the softmax. @throws ArgumentError for options out of range */
export function crossEntropyLoss({ labelSmoothing = 0, classWeights }: CrossEntropyLossOptions = {}): Loss {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ArgumentError(
      `crossEntropyLoss: labelSmoothing is ${labelSmoothing}; it needs a number of 0 or more and below 1`,
    );
  }
  checkWeights("crossEntropyLoss", classWeights);
  return {
    name: "crossEntropy",
    options: {
      ...(labelSmoothing === 0 ? {} : { labelSmoothing }),
      ...(classWeights === undefined ? {} : { classWeights }),
    },
    perSample: (logits, labels) => {
      const targets = classTargets(logits, labels);
      const smooth = labelSmoothing === 0 ? targets : smoothed(targets, labelSmoothing);
      if (classWeights === undefined) return crossEntropyPerSample(logits, smooth);
      const weights = weightRow("crossEntropyLoss", classWeights, logits);
      const losses = neg(sum(mul(logSoftmax(logits), mul(smooth, weights)), { axes: 1 }));
      // PyTorch divides by the labels' weights, but by the count where labels are soft.
      return targets === labels ? losses : div(losses, meanWeight(targets, weights));
    },
  };
}

export interface MultiMarginLossOptions {
  /** By how much the right logit has to exceed each other one. Default 1. */
  readonly margin?: number | undefined;
  /** Power of what is missing, 1 or 2. Default 1. */
  readonly p?: number | undefined;
  /** Weight of each label's class; the sum is divided by the count of samples, as PyTorch does. Default: all 1. */
  readonly classWeights?: readonly number[] | undefined;
}

/**
 * The multi-class hinge (Weston and Watkins 1999; PyTorch's `MultiMarginLoss`): the mean over classes of `max(0, margin - right + other) ^ p`,
 * the right class left out. Labels are int32: it has no form for soft ones.
 * @throws ArgumentError for options out of range
 */
export function multiMarginLoss({ margin = 1, p = 1, classWeights }: MultiMarginLossOptions = {}): Loss {
  if (!Number.isFinite(margin)) throw new ArgumentError(`multiMarginLoss: margin is ${margin}; it needs a number`);
  if (p !== 1 && p !== 2) throw new ArgumentError(`multiMarginLoss: p is ${p}; it needs 1 or 2`);
  checkWeights("multiMarginLoss", classWeights);
  return {
    name: "multiMargin",
    options: { margin, p, ...(classWeights === undefined ? {} : { classWeights }) },
    perSample: (logits, labels) => {
      const [n, classes] = logits.shape as readonly [number, number];
      if (logits.shape.length !== 2 || labels.shape.length !== 1 || labels.shape[0] !== n) {
        throw new ShapeError(
          `multiMarginLoss: logits are ${formatSpec(logits)}, labels ${formatSpec(labels)}; they need [N, classes] and int32[N] (there is no hinge of soft labels, such as mixup's)`,
        );
      }
      const targets = oneHot(labels, classes);
      const right = sum(mul(logits, targets), { axes: 1, keepDims: true });
      const missing = relu(add(sub(logits, right), margin));
      const others = mul(p === 1 ? missing : mul(missing, missing), sub(1, targets));
      const losses = mul(sum(others, { axes: 1 }), 1 / classes);
      if (classWeights === undefined) return losses;
      return mul(losses, sum(mul(targets, weightRow("multiMarginLoss", classWeights, logits)), { axes: 1 }));
    },
  };
}

/** Mean over classes of the squared distance between the outputs and 1 for the label's class, 0 for the others. */
export function meanSquaredErrorLoss(): Loss {
  return {
    name: "meanSquaredError",
    options: {},
    perSample: (logits, labels) => {
      const difference = sub(logits, classTargets(logits, labels));
      return mean(mul(difference, difference), { axes: 1 });
    },
  };
}

/**
 * LeNet-5's criterion (LeCun et al. 1998, equation 9) for logits that are negated distances: see core's `rbfLossPerSample`.
 * @throws ArgumentError unless `garbage`, the penalty of the class of rubbish, is a number. Default 1
 */
export function rbfLoss({ garbage = 1 }: { readonly garbage?: number | undefined } = {}): Loss {
  if (!Number.isFinite(garbage)) throw new ArgumentError(`rbfLoss: garbage is ${garbage}; it needs a number`);
  return {
    name: "rbf",
    options: { garbage },
    perSample: (logits, labels) => rbfLossPerSample(logits, labels, garbage),
  };
}

/** Every loss, by the name that checkpoints use. */
export const losses = {
  crossEntropy: crossEntropyLoss,
  multiMargin: multiMarginLoss,
  meanSquaredError: meanSquaredErrorLoss,
  rbf: rbfLoss,
} as const;

/** A loss from its name and options, as a checkpoint stores them. @throws ArgumentError for an unknown name, or options out of range */
export function makeLoss(given: Named): Loss {
  return makeNamed("loss", losses, given);
}

/** `(1 - share)` of each target, and `share` spread over all classes. */
function smoothed(targets: Tensor, share: number): Tensor {
  return add(mul(targets, 1 - share), share / (targets.shape[1] as number));
}

/** Mean weight of the labels; rows whose label is no class do not count. A scalar. */
function meanWeight(targets: Tensor, weights: Tensor): Tensor {
  return div(sum(mul(targets, weights)), sum(targets));
}

function checkWeights(where: string, weights: unknown): void {
  if (weights === undefined) return;
  const good =
    Array.isArray(weights) &&
    weights.every((weight) => Number.isFinite(weight) && weight >= 0) &&
    weights.some((weight) => weight > 0);
  if (good) return;
  const shown = Array.isArray(weights) ? `[${weights.join(", ")}]` : String(weights);
  throw new ArgumentError(
    `${where}: classWeights are ${shown}; they need an array of a number for each class, 0 or more and not all 0`,
  );
}

/** `[1, classes]` */
function weightRow(where: string, weights: readonly number[], logits: Tensor): Tensor {
  const classes = logits.shape[1] as number;
  if (weights.length !== classes)
    throw new ShapeError(`${where}: there are ${weights.length} classWeights; the logits have ${classes} classes`);
  return cast(reshape(constant(hostTensor(weights)), [1, classes]), logits.dtype);
}
