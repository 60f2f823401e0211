import type { DType } from "../../dtype.js";
import {
  type ConvAttrs,
  conv2dInputGradOp,
  conv2dOp,
  conv2dWeightGradOp,
  convOutputShape,
  conv2d as convolve,
} from "../../ops/conv.js";
import { relu } from "../../ops/elementwise.js";
import type { Shape } from "../../shape.js";
import { applied, type OpSample, sample, uniform } from "./sample.js";

interface Case {
  readonly name: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs: ConvAttrs;
  readonly dtype?: DType;
}

const plain: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

const of = (name: string, x: Shape, w: Shape, attrs: Partial<ConvAttrs> = {}, dtype: DType = "float32"): Case => ({
  name,
  x,
  w,
  attrs: { ...plain, ...attrs },
  dtype,
});

const cases: readonly Case[] = [
  of("3x3", [2, 3, 7, 5], [4, 3, 3, 3]),
  of("3x3 padded", [1, 2, 5, 6], [3, 2, 3, 3], { padding: [1, 1, 1, 1] }),
  of("1x1", [2, 5, 4, 3], [6, 5, 1, 1]),
  of("1x1 stride 2", [1, 3, 5, 6], [4, 3, 1, 1], { stride: [2, 2] }),
  of("kernel as large as the input", [2, 3, 4, 5], [4, 3, 4, 5]),
  of("5x1", [1, 2, 7, 4], [2, 2, 5, 1], { padding: [2, 2, 0, 0] }),
  of("even kernel", [1, 2, 6, 5], [3, 2, 4, 2], { padding: [1, 2, 0, 1] }),
  of("stride with remainder", [1, 2, 8, 9], [3, 2, 3, 2], { stride: [2, 3] }),
  of("stride larger than the kernel", [1, 2, 9, 8], [2, 2, 2, 1], { stride: [3, 3] }),
  of("asymmetric padding", [1, 2, 4, 5], [2, 2, 3, 3], { padding: [0, 2, 3, 1] }),
  of("asymmetric padding, stride 2", [1, 2, 6, 5], [2, 2, 3, 3], { padding: [0, 1, 2, 0], stride: [2, 2] }),
  of("dilation", [1, 2, 9, 8], [2, 2, 3, 3], { dilation: [2, 3], padding: [1, 1, 2, 2] }),
  of("groups", [2, 4, 5, 6], [6, 2, 3, 3], { groups: 2 }),
  of("depthwise", [2, 3, 6, 5], [3, 1, 3, 3], { groups: 3, padding: [1, 1, 1, 1] }),
  of("depthwise, two outputs a channel, stride 2", [1, 3, 6, 7], [6, 1, 3, 3], {
    groups: 3,
    stride: [2, 2],
    padding: [1, 1, 1, 1],
  }),
  of("everything at once", [2, 4, 9, 11], [6, 2, 3, 2], {
    groups: 2,
    stride: [2, 3],
    padding: [2, 1, 0, 3],
    dilation: [2, 1],
  }),
  of("large padding", [1, 1, 2, 3], [1, 1, 3, 3], { padding: [4, 4, 3, 5] }),
  of("one pixel", [3, 2, 1, 1], [2, 2, 1, 1]),
  of("no images", [0, 2, 4, 4], [3, 2, 3, 3]),
  of("tiles with remainder", [2, 19, 9, 10], [21, 19, 3, 3], { padding: [1, 1, 1, 1] }),
  of("float16", [1, 3, 5, 6], [4, 3, 3, 3], { padding: [1, 1, 1, 1] }, "float16"),
];

const outputShape = ({ x, w, attrs }: Case): Shape => convOutputShape("sample", x, w, attrs);
const from = (shape: Shape, seed: number, { dtype = "float32" }: Case) => uniform(shape, { seed, dtype });

const second = (stride: 1 | 2): OpSample =>
  sample(
    `second layer's input gradient, stride ${stride}`,
    [uniform([2, 2, 7, 6]), uniform([3, 2, 3, 3], { seed: 2 }), uniform([2, 3, 3, 3], { seed: 3 })],
    ([x, w1, w2]) => convolve(relu(convolve(x!, w1!, { padding: 1 })), w2!, { stride, padding: 1 }),
    // The sums ahead of the ReLU may lie near 0.
    { differentiable: false },
  );

export const conv = {
  conv2d: [
    ...cases.map((c) => sample(c.name, [from(c.x, 1, c), from(c.w, 2, c)], applied(conv2dOp, c.attrs))),
    second(1),
    second(2),
  ],
  conv2dInputGrad: cases.map((c) =>
    sample(
      c.name,
      [from(outputShape(c), 3, c), from(c.w, 2, c)],
      applied(conv2dInputGradOp, { ...c.attrs, inputShape: c.x }),
    ),
  ),
  conv2dWeightGrad: cases.map((c) =>
    sample(
      c.name,
      [from(c.x, 1, c), from(outputShape(c), 3, c)],
      applied(conv2dWeightGradOp, { ...c.attrs, weightShape: c.w }),
    ),
  ),
};
