/** Cases for tests of single kernels: core's own samples, and random inputs of larger shapes. */
import {
  applyAll,
  type DType,
  fromNumbers,
  type HostTensor,
  hostRandomBits,
  input,
  isFloat,
  type Node,
  type Op,
  randomKey,
  type Shape,
  sizeOf,
  topologicalOrder,
} from "@ocelli/core";
import { type PrimitiveName, primitives } from "@ocelli/core/backend";
import { evaluate } from "@ocelli/core/reference";
import { graphOf, samples } from "@ocelli/core/testing";
import { expect } from "vitest";
import type { Kernel, Limits } from "../src/kernel.js";
import { dealt } from "./dealt.js";
import { distance } from "./harness.js";

export interface Case {
  readonly name: string;
  readonly node: Node;
  readonly inputs: readonly HostTensor[];
  readonly tolerance: number;
}

/** An op alone, on inputs `x0`, `x1` ... */
export function nodeOf<A>(op: Op<A>, inputs: readonly HostTensor[], attrs?: A): Node {
  const tensors = inputs.map(({ shape, dtype }, i) => input(`x${i}`, { shape, dtype }));
  return applyAll(op, tensors, attrs)[0]!.node;
}

const inFloat32 = (values: Iterable<number>): boolean => [...values].every((v) => Number.isFinite(Math.fround(v)));

/** Core's samples of an op with a result, which float32 can hold: the op alone, on the values that it has inside its sample. */
export function sampleCases(name: PrimitiveName): Case[] {
  return samples[name].flatMap((sample) => {
    if (sample.tags.includes("nonfinite")) return [];
    const feeds = new Map(sample.inputs.map((host, i) => [`x${i}`, host]));
    const found = topologicalOrder(graphOf(sample).outputs).find(
      ({ op }) => op === (primitives[name] as unknown as Op),
    );
    if (found === undefined || found.outputs.some(({ shape }) => sizeOf(shape) === 0)) return [];
    const values = found.inputs.length === 0 ? [] : evaluate(found.inputs, feeds);
    const inputs = found.inputs.map(({ shape, dtype }, i) => fromNumbers([...values[i]!], shape, dtype));
    if (!evaluate(found.outputs, feeds).every(inFloat32)) return [];
    return [{ name: sample.name, node: nodeOf(found.op, inputs, found.attrs), inputs, tolerance: sample.tolerance }];
  });
}

/** Numbers in low..high; whole ones for integers. */
export function random(shape: Shape, { low = -1, high = 1, seed = 1, dtype = "float32" as DType } = {}): HostTensor {
  const bits = [...hostRandomBits(randomKey(seed), sizeOf(shape), 0)];
  const values = bits.map((word) => low + (high - low) * ((word >>> 8) * 2 ** -24));
  return fromNumbers(isFloat(dtype) ? values : values.map(Math.floor), shape, dtype);
}

/** Of a CPU, which gets plans of its own; of a card whose subgroups may be larger; and without any: workgroup memory serves in their place. */
export const withAndWithoutSubgroups: readonly Partial<Limits>[] = [
  { subgroups: { min: 4, max: 4 } },
  { subgroups: { min: 4, max: 8 } },
  { subgroups: undefined },
];

/** Fails where a kernel is further from the reference than `tolerance`, with or without subgroups (see {@link dealt}). */
export async function check({ node, inputs, tolerance }: Omit<Case, "name">, kernel: Kernel): Promise<void> {
  for (const limits of dealt(withAndWithoutSubgroups, node)) {
    expect(await distance(node, kernel, undefined, inputs, limits)).toBeLessThanOrEqual(tolerance);
  }
}
