import { apply } from "../../op.js";
import { relu } from "../../ops/elementwise.js";
import {
  type AvgPoolAttrs,
  avgPool2dGradOp,
  avgPool2dOp,
  maxPool2dArgmaxOp,
  maxPool2dGradOp,
  maxPool2dOp,
  type PoolAttrs,
} from "../../ops/pool.js";
import { type Padding, type Pair, poolSize, type Shape } from "../../shape.js";
import { applied, distinct, exactly, type OpSample, sample, uniform } from "./sample.js";

interface Case {
  readonly name: string;
  readonly x: Shape;
  readonly attrs: PoolAttrs;
}

function of(name: string, x: Shape, kernel: Pair, stride: Pair, rest: Partial<PoolAttrs> = {}): Case {
  return { name, x, attrs: { kernel, stride, padding: [0, 0, 0, 0], dilation: [1, 1], ceilMode: false, ...rest } };
}

const around: Padding = [1, 1, 1, 1];

/** Cases for every pooling; those that dilate are for the maximum alone. */
const cases: readonly Case[] = [
  of("2x2", [2, 3, 6, 4], [2, 2], [2, 2]),
  of("2x3 with remainder", [1, 2, 7, 8], [2, 3], [2, 3]),
  of("3x3 overlapping", [1, 2, 7, 6], [3, 3], [2, 2]),
  of("3x3 padded", [2, 2, 5, 7], [3, 3], [2, 2], { padding: around }),
  of("stride 1", [1, 1, 4, 5], [3, 2], [1, 1], { padding: [1, 1, 1, 0] }),
  of("asymmetric padding", [1, 2, 5, 6], [3, 3], [2, 2], { padding: [0, 1, 1, 0] }),
  of("ceil mode", [1, 2, 6, 8], [3, 3], [2, 2], { ceilMode: true }),
  of("ceil mode padded", [1, 2, 6, 7], [3, 3], [2, 2], { ceilMode: true, padding: around }),
  of("ceil mode, last window dropped", [1, 1, 4, 5], [2, 2], [3, 3], { ceilMode: true, padding: around }),
  of("ceil mode, window wider than stride", [1, 1, 5, 5], [4, 4], [3, 3], { ceilMode: true, padding: [2, 2, 2, 2] }),
  of("stride larger than the window", [1, 2, 9, 8], [2, 2], [3, 4]),
  of("global", [2, 3, 4, 5], [4, 5], [1, 1]),
  of("1x1", [1, 2, 3, 4], [1, 1], [1, 1]),
  of("no images", [0, 2, 4, 4], [2, 2], [2, 2]),
];

const dilated: readonly Case[] = [
  of("dilation", [1, 2, 8, 9], [3, 2], [1, 2], { dilation: [2, 3] }),
  of("dilation padded, ceil mode", [1, 2, 8, 9], [3, 3], [2, 2], { dilation: [2, 2], padding: around, ceilMode: true }),
];

function outputShape({ x, attrs: { kernel, stride, padding, dilation, ceilMode } }: Case): Shape {
  const rows = poolSize(x[2]!, kernel[0], stride[0], padding[0], padding[1], dilation[0], ceilMode);
  return [x[0]!, x[1]!, rows, poolSize(x[3]!, kernel[1], stride[1], padding[2], padding[3], dilation[1], ceilMode)];
}

/** Inputs where maxima tie, are all negative, or are NaN. */
function edges(build: (attrs: PoolAttrs) => OpSample["build"]): OpSample[] {
  const { attrs } = of("", [1, 1, 3, 4], [3, 3], [2, 2], { padding: around });
  const ties = exactly([1, 1, 2, 2, 1, 1, 2, 2, 0, 0, 0, 0], [1, 1, 3, 4]);
  const nan = exactly([1, 5, 2, 2, 1, Number.NaN, 2, 2, 0, 0, 0, 7], [1, 1, 3, 4]);
  return [
    sample("ties", [ties], build(attrs), { differentiable: false }),
    sample("all negative", [uniform([1, 2, 3, 4], { low: -9, high: -5 })], build(attrs), { differentiable: false }),
    sample("zeros after relu", [uniform([1, 2, 3, 4])], ([x]) => build(attrs)([relu(x!)]), { differentiable: false }),
    sample("very negative", [uniform([1, 2, 3, 4], { low: -3e38, high: -2e38 })], build(attrs), {
      differentiable: false,
    }),
    sample("NaN", [nan], build(attrs), { tags: ["nonfinite"] }),
  ];
}

const half = of("float16", [1, 2, 5, 4], [3, 2], [2, 2], { padding: [1, 0, 1, 0] });

const maxima = (op: typeof maxPool2dOp): OpSample[] => [
  ...[...cases, ...dilated].map((c) => sample(c.name, [distinct(c.x)], applied(op, c.attrs))),
  ...edges((attrs) => applied(op, attrs)),
  sample(half.name, [distinct(half.x, { dtype: "float16" })], applied(op, half.attrs)),
];

const gradOf =
  (attrs: PoolAttrs): OpSample["build"] =>
  ([x, dy]) => [apply(maxPool2dGradOp, [dy!, x!, apply(maxPool2dOp, [x!], attrs)], attrs)];

/** The gradient of ones, for inputs without a dy of their own. */
const gradOfOnes =
  (attrs: PoolAttrs): OpSample["build"] =>
  ([x]) => {
    const y = apply(maxPool2dOp, [x!], attrs);
    return [apply(maxPool2dGradOp, [y, x!, y], attrs)];
  };

function averages(countIncludePad: boolean): { c: Case; attrs: AvgPoolAttrs; name: string }[] {
  return cases.map((c) => {
    const { dilation: _, ...attrs } = c.attrs;
    return {
      c,
      attrs: { ...attrs, countIncludePad },
      name: `${c.name}, ${countIncludePad ? "padding counts" : "padding does not count"}`,
    };
  });
}

const bothAverages = [...averages(true), ...averages(false)];
const halfAverage: AvgPoolAttrs = {
  kernel: [2, 3],
  stride: [2, 2],
  padding: [1, 1, 1, 1],
  ceilMode: true,
  countIncludePad: false,
};

export const pool = {
  maxPool2d: maxima(maxPool2dOp),
  maxPool2dArgmax: maxima(maxPool2dArgmaxOp),
  maxPool2dGrad: [
    ...[...cases, ...dilated].map((c) =>
      sample(c.name, [distinct(c.x), uniform(outputShape(c), { seed: 2 })], gradOf(c.attrs)),
    ),
    ...edges(gradOfOnes),
  ],
  avgPool2d: [
    ...bothAverages.map(({ c, attrs, name }) => sample(name, [uniform(c.x)], applied(avgPool2dOp, attrs))),
    sample("float16", [uniform([1, 2, 5, 4], { dtype: "float16" })], applied(avgPool2dOp, halfAverage)),
  ],
  avgPool2dGrad: bothAverages.map(({ c, attrs, name }) =>
    sample(name, [uniform(outputShape(c))], applied(avgPool2dGradOp, { ...attrs, inputShape: c.x })),
  ),
};
