import { isFloat } from "../dtype.js";
import { gradients } from "../gradients.js";
import { add, cast, mul } from "../ops/elementwise.js";
import { constant, input } from "../ops/leaf.js";
import { sum } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";
import { awayFromZero, type OpSample } from "./samples/index.js";

/** A sample's graph, with its inputs as inputs `x0`, `x1` ... */
export interface SampleGraph {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The inputs that are floats. */
  readonly floats: readonly Tensor[];
}

/** The graph of a sample, on `given` inputs when a program has made them already. */
export function graphOf({ inputs, build }: OpSample, given?: Readonly<Record<string, Tensor>>): SampleGraph {
  const tensors = inputs.map(({ shape, dtype }, i) => given?.[`x${i}`] ?? input(`x${i}`, { shape, dtype }));
  return { inputs: tensors, outputs: build(tensors), floats: tensors.filter(({ dtype }) => isFloat(dtype)) };
}

/**
 * Sum of products of the float tensors with fixed random weights: a scalar that depends on every element in its own way. Undefined
 * when there is no float among them.
 */
export function projection(tensors: readonly Tensor[], seed: number): Tensor | undefined {
  const parts = tensors
    .filter(({ dtype }) => isFloat(dtype))
    .map((tensor, i) => sum(mul(cast(tensor, "float32"), constant(awayFromZero(tensor.shape, { seed: seed + i })))));
  return parts.length === 0 ? undefined : parts.reduce((total, part) => add(total, part));
}

/** A scalar made of the sample's outputs (order 1) or of their gradients (order 2); undefined when nothing can be differentiated. */
export function lossOf({ outputs, floats }: SampleGraph, order: 1 | 2 = 1): Tensor | undefined {
  const loss = floats.length === 0 ? undefined : projection(outputs, 100);
  return loss === undefined || order === 1 ? loss : projection(gradients(loss, floats), 200);
}
