import type { HostTensor } from "../../host.js";
import type { Op } from "../../op.js";
import {
  batchNormGradOp,
  batchNormInferenceOp,
  batchNormTrainOp,
  type LrnAttrs,
  localResponseNormGradOp,
  localResponseNormOp,
  logSoftmaxOp,
  softmaxOp,
} from "../../ops/norm.js";
import type { Shape } from "../../shape.js";
import { applied, exactly, type OpSample, sample, uniform } from "./sample.js";

const shapes: readonly Shape[] = [
  [4, 3],
  [5, 2, 3],
  [2, 3, 4, 5],
  [3, 1, 2, 2],
  [2, 2, 2, 3, 2],
  [6, 17, 3, 5],
];

const weight = (shape: Shape): HostTensor => uniform([shape[1]!], { low: -2, high: 2, seed: 2 });
const bias = (shape: Shape): HostTensor => uniform([shape[1]!], { seed: 3 });
const mean = (shape: Shape): HostTensor => uniform([shape[1]!], { seed: 4 });
const variance = (shape: Shape): HostTensor => uniform([shape[1]!], { low: 0.3, high: 2, seed: 5 });
const dy = (shape: Shape): HostTensor => uniform(shape, { seed: 6 });

// Second differences of small batches cancel in float32.
const loose = { tolerance: 5e-5 };

const trained = (name: string, x: HostTensor, eps = 1e-5, options = {}): OpSample =>
  sample(name, [x, weight(x.shape), bias(x.shape)], applied(batchNormTrainOp, { eps }), { ...loose, ...options });

const halves = (inputs: readonly HostTensor[]): HostTensor[] =>
  inputs.map(({ shape }, i) => uniform(shape, { low: 0.25, high: 1, seed: i + 1, dtype: "float16" }));

const lrnCases: readonly (readonly [string, Shape, LrnAttrs])[] = [
  ["AlexNet's", [2, 7, 3, 4], { size: 5, alpha: 1e-4, beta: 0.75, k: 2 }],
  ["strong", [2, 7, 2, 3], { size: 5, alpha: 2, beta: 0.75, k: 1 }],
  ["even size", [1, 6, 3, 2], { size: 4, alpha: 1, beta: 0.5, k: 1 }],
  ["size 1", [1, 3, 2, 2], { size: 1, alpha: 1, beta: 0.75, k: 1 }],
  ["window wider than the channels", [1, 2, 3, 3], { size: 7, alpha: 1, beta: 1, k: 0.5 }],
  ["three dimensions", [2, 5, 4], { size: 3, alpha: 1, beta: 0.75, k: 1 }],
];

const onAxes = (op: Op<{ axis: number }>): OpSample[] => {
  const cases: readonly (readonly [Shape, number])[] = [
    [[5], 0],
    [[3, 7], 1],
    [[3, 7], 0],
    [[2, 4, 3], 1],
    [[2, 3, 2, 2, 4], 4],
    [[4, 1], 1],
    [[0, 3], 1],
    [[2, 300], 1],
  ];
  return [
    ...cases.map(([shape, axis]) =>
      sample(`[${shape}] along ${axis}`, [uniform(shape, { low: -2, high: 2 })], applied(op, { axis })),
    ),
    sample("large logits", [exactly([1e4, 1e4 - 1, -1e4, 1e4, 0, -1e4], [2, 3])], applied(op, { axis: 1 }), {
      differentiable: false,
    }),
    sample("very negative logits", [exactly([-1e4, -1e4 - 2, -1e4 - 1], [1, 3])], applied(op, { axis: 1 }), {
      differentiable: false,
    }),
    sample("float16", [uniform([2, 6], { dtype: "float16" })], applied(op, { axis: 1 })),
  ];
};

export const norm = {
  batchNormTrain: [
    ...shapes.map((shape) => trained(`[${shape}]`, uniform(shape, { low: -2, high: 2 }))),
    trained("eps 0.1", uniform([4, 3, 2]), 0.1),
    trained("far from 0", uniform([4, 2, 3, 3], { low: 29, high: 31 }), 1e-5, { tolerance: 5e-4 }),
    trained("constant channel", exactly([2, 1, 2, -1, 2, 3, 2, 0], [4, 2]), 0.05, { tolerance: 1e-3 }),
    sample("float16", halves([dy([4, 3, 2]), weight([4, 3]), bias([4, 3])]), applied(batchNormTrainOp, { eps: 1e-3 }), {
      tolerance: 2e-2,
    }),
  ],
  batchNormGrad: [
    ...shapes.map((shape) => {
      const inputs = [dy(shape), uniform(shape), weight(shape), mean(shape), variance(shape)];
      return sample(`[${shape}]`, inputs, applied(batchNormGradOp, { eps: 1e-5 }), loose);
    }),
    sample(
      "large eps",
      [dy([3, 2]), uniform([3, 2]), ...[weight, mean, variance].map((f) => f([3, 2]))],
      applied(batchNormGradOp, { eps: 0.5 }),
      loose,
    ),
  ],
  batchNormInference: [
    ...shapes.map((shape) => {
      const inputs = [uniform(shape), weight(shape), bias(shape), mean(shape), variance(shape)];
      return sample(`[${shape}]`, inputs, applied(batchNormInferenceOp, { eps: 1e-5 }), loose);
    }),
    sample(
      "one value",
      [uniform([1, 2]), ...[weight, bias, mean, variance].map((f) => f([1, 2]))],
      applied(batchNormInferenceOp, { eps: 1e-3 }),
      loose,
    ),
    sample(
      "no images",
      [uniform([0, 2, 3]), ...[weight, bias, mean, variance].map((f) => f([0, 2]))],
      applied(batchNormInferenceOp, { eps: 1e-3 }),
    ),
    sample(
      "float16",
      halves([dy([2, 3, 2]), ...[weight, bias, mean, variance].map((f) => f([2, 3]))]),
      applied(batchNormInferenceOp, { eps: 1e-3 }),
      {
        tolerance: 1e-2,
      },
    ),
  ],
  localResponseNorm: [
    ...lrnCases.map(([name, shape, attrs]) =>
      sample(name, [uniform(shape, { low: -2, high: 2 })], applied(localResponseNormOp, attrs), loose),
    ),
    sample(
      "float16",
      [uniform([1, 5, 3], { dtype: "float16" })],
      applied(localResponseNormOp, { size: 3, alpha: 1, beta: 0.75, k: 1 }),
    ),
  ],
  localResponseNormGrad: lrnCases.map(([name, shape, attrs]) =>
    sample(name, [dy(shape), uniform(shape, { low: -2, high: 2 })], applied(localResponseNormGradOp, attrs), loose),
  ),
  softmax: onAxes(softmaxOp),
  logSoftmax: onAxes(logSoftmaxOp),
};
