import { abs, add, exp, less, maximum, mul, neg, select, sigmoid, sub, tanh } from "../ops/elementwise.js";
import { broadcastTo, concat, narrow, pad, reshape, transpose } from "../ops/layout.js";
import { softmax } from "../ops/norm.js";
import { max, mean, sum } from "../ops/reduce.js";
import { type Shape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { hostRandomBits, randomKey } from "../threefry.js";
import { type OpSample, sample, uniform } from "./samples/index.js";

/** Whole numbers drawn one after the other: the same seed, the same graph. */
type Draw = (below: number) => number;

function drawer(seed: number): Draw {
  let drawn = 0;
  return (below) => hostRandomBits(randomKey(seed, drawn++), 1, 0)[0]! % below;
}

type Grow = (x: Tensor, draw: Draw, known: readonly Tensor[]) => Tensor;

const axisOf = (x: Tensor, draw: Draw): number => draw(x.shape.length);

/** Steps that keep magnitudes small, so that errors do not grow with the depth of the graph. */
const steps: readonly Grow[] = [
  (x) => tanh(x),
  (x) => sigmoid(neg(x)),
  (x) => exp(neg(abs(x))),
  (x) => sub(mul(x, 0.5), 0.25),
  (x) => transpose(x, rotated(x.shape.map((_, i) => i))),
  (x) => reshape(x, [...x.shape.slice(0, -2), sizeOf(x.shape.slice(-2))]),
  (x) => (x.shape.length < 5 ? reshape(x, [1, ...x.shape]) : x),
  (x, draw) => mean(x, { axes: axisOf(x, draw), keepDims: true }),
  (x, draw) => max(x, { axes: axisOf(x, draw), keepDims: true }),
  (x, draw) => tanh(sum(x, { axes: axisOf(x, draw), keepDims: true })),
  (x, draw) => softmax(x, axisOf(x, draw)),
  (x, draw) => narrow(x, axisOf(x, draw), 0, undefined, 2),
  (x, draw) => (sizeOf(x.shape) > 200 ? x : concat([x, neg(x)], axisOf(x, draw))),
  (x, draw) =>
    sizeOf(x.shape) > 200
      ? x
      : pad(x, { low: x.shape.map(() => draw(2)), interior: x.shape.map(() => draw(2)), value: 0.5 }),
  (x) =>
    broadcastTo(
      x,
      x.shape.map((dim) => (dim === 1 ? 3 : dim)),
    ),
  (x, draw, known) => combined(x, known[draw(known.length)]!, draw),
];

const rotated = (axes: readonly number[]): number[] => [...axes.slice(1), ...axes.slice(0, 1)];

/** Two tensors together: by broadcasting where their shapes allow it, else by the mean of one. */
function combined(a: Tensor, b: Tensor, draw: Draw): Tensor {
  const fits = a.shape.every((dim, i) => {
    const other = b.shape[i - a.shape.length + b.shape.length] ?? 1;
    return dim === other || dim === 1 || other === 1;
  });
  const other = fits ? b : mean(b);
  const ways = [
    () => mul(add(a, other), 0.5),
    () => mul(a, other),
    () => maximum(a, other),
    () => select(less(a, 0.3), a, other),
  ];
  return ways[draw(ways.length)]!();
}

/**
 * A random graph of elementwise, layout and reducing ops, as a sample: for comparing a device with the reference on combinations that
 * nobody thought of. Its results are smooth almost everywhere; only values are compared, not gradients.
 */
export function randomSample(seed: number, nodes = 12): OpSample {
  const shapes: readonly Shape[] = [[2, 3, 4], [3, 4], [1, 3, 1], [5]];
  const inputs = shapes.map((shape, i) => uniform(shape, { seed: seed * 10 + i }));
  const build = (given: readonly Tensor[]): Tensor[] => {
    const draw = drawer(seed);
    const known = [...given];
    for (let i = 0; i < nodes; i++) {
      // Later tensors are taken more often, so that the graph grows deep.
      const from = known[Math.max(draw(known.length), draw(known.length))]!;
      const safe = from.shape.length < 2 ? reshape(from, [1, -1]) : from;
      known.push(steps[draw(steps.length)]!(safe, draw, known));
    }
    return known.slice(-2);
  };
  return sample(`random graph ${seed}`, inputs, build, { differentiable: false, tolerance: 1e-4, scale: 0.1 });
}
