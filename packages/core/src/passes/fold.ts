import { isFloat } from "../dtype.js";
import { broadcastTo, reshape, transpose } from "../ops/layout.js";
import { full } from "../ops/leaf.js";
import { sameShape } from "../shape.js";
import type { Node, Tensor } from "../tensor.js";
import { rewrite } from "./rewrite.js";

/** The number that a tensor holds everywhere, if the graph says so. */
export function uniformValue(tensor: Tensor): number | undefined {
  return tensor.node.op.name === "full" ? (tensor.node.attrs as { value: number }).value : undefined;
}

type Fold = (inputs: readonly Tensor[], node: Node) => Tensor | undefined;

const [first, second] = [0, 1].map((i) => (tensors: readonly Tensor[]) => tensors[i] as Tensor) as [
  (tensors: readonly Tensor[]) => Tensor,
  (tensors: readonly Tensor[]) => Tensor,
];

/** Both operands uniform: the result is, too. */
function both(compute: (a: number, b: number) => number, rest: Fold): Fold {
  return (inputs, node) => {
    const [a, b] = [uniformValue(first(inputs)), uniformValue(second(inputs))];
    const output = node.outputs[0] as Tensor;
    if (a === undefined || b === undefined || !isFloat(output.dtype)) return rest(inputs, node);
    return full(output.shape, compute(a, b), output.dtype);
  };
}

const when = (condition: boolean, result: Tensor): Tensor | undefined => (condition ? result : undefined);

/** Rules by op name; each is exact for every input, NaN and infinity included. */
const folds: Readonly<Record<string, Fold>> = {
  add: both(
    (a, b) => a + b,
    // x + 0 is x except for the sign of a zero, which nothing here tells apart.
    (xs) => when(uniformValue(second(xs)) === 0, first(xs)) ?? when(uniformValue(first(xs)) === 0, second(xs)),
  ),
  sub: both(
    (a, b) => a - b,
    (xs) => when(uniformValue(second(xs)) === 0, first(xs)),
  ),
  mul: both(
    (a, b) => a * b,
    (xs) => when(uniformValue(second(xs)) === 1, first(xs)) ?? when(uniformValue(first(xs)) === 1, second(xs)),
  ),
  div: both(
    (a, b) => a / b,
    (xs) => when(uniformValue(second(xs)) === 1, first(xs)),
  ),
  pow: (xs) => when(uniformValue(second(xs)) === 1, first(xs)),
  neg: (xs) => {
    const value = uniformValue(first(xs));
    return value === undefined ? undefined : full(first(xs).shape, -value, first(xs).dtype);
  },
  cast: (xs, node) => {
    const [value, { shape, dtype }] = [uniformValue(first(xs)), node.outputs[0] as Tensor];
    const whole = value !== undefined && Number.isInteger(value) && value >= 0 && value < 128;
    return whole
      ? full(shape, dtype === "bool" ? Math.min(value, 1) : value, dtype)
      : when(first(xs).dtype === dtype, first(xs));
  },
  select: (xs) => {
    const condition = uniformValue(first(xs));
    return condition === undefined ? undefined : (xs[condition ? 1 : 2] as Tensor);
  },
  reshape: (xs, node) => moved(first(xs), node, "reshape", (x, shape) => reshape(x, shape)),
  broadcastTo: (xs, node) => moved(first(xs), node, "broadcastTo", (x, shape) => broadcastTo(x, shape)),
  transpose: (xs, node) => {
    const x = first(xs);
    const { perm } = node.attrs as { perm: readonly number[] };
    if (x.node.op.name !== "transpose") return filled(x, node);
    const inner = (x.node.attrs as { perm: readonly number[] }).perm;
    return transpose(
      first(x.node.inputs),
      perm.map((axis) => inner[axis] as number),
    );
  },
};

function filled(x: Tensor, node: Node): Tensor | undefined {
  const value = uniformValue(x);
  return value === undefined ? undefined : full((node.outputs[0] as Tensor).shape, value, x.dtype);
}

/** Two of the same in a row are one, one that changes nothing is none, and a uniform tensor stays uniform. */
function moved(
  x: Tensor,
  node: Node,
  name: string,
  again: (x: Tensor, shape: readonly number[]) => Tensor,
): Tensor | undefined {
  const { shape } = node.outputs[0] as Tensor;
  if (sameShape(x.shape, shape)) return x;
  if (x.node.op.name === name) return again(first(x.node.inputs), shape);
  return filled(x, node);
}

/** Removes arithmetic with neutral elements, and computes what is uniform. */
export function fold(outputs: readonly Tensor[]): Tensor[] {
  return rewrite(outputs, (node, inputs) => {
    const result = Object.hasOwn(folds, node.op.name) ? folds[node.op.name]?.(inputs, node) : undefined;
    return result === undefined ? undefined : [result];
  });
}
