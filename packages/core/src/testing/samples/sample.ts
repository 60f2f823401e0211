import type { DType } from "../../dtype.js";
import { fromNumbers, type HostTensor } from "../../host.js";
import { applyAll, type Op } from "../../op.js";
import { type Shape, sizeOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";
import { hostRandomBits, randomKey } from "../../threefry.js";

/** What a device may lack: `dtype16` needs float16; `nonfinite` has NaN or infinity in its inputs or results. */
export type SampleTag = "dtype16" | "nonfinite";

/** Inputs for one op, and the graph that they go into. Small and deterministic. */
export interface OpSample {
  /** Unique among the samples of an op. */
  readonly name: string;
  readonly inputs: readonly HostTensor[];
  readonly build: (inputs: readonly Tensor[]) => readonly Tensor[];
  /** False where finite differences say nothing: at kinks and ties, and beyond their range. */
  readonly differentiable: boolean;
  /** Largest error of a float32 device, relative to the largest magnitude of the result. */
  readonly tolerance: number;
  /** Results smaller than this are judged as if they were this large. */
  readonly scale: number;
  readonly tags: readonly SampleTag[];
}

export type SampleOptions = Partial<Pick<OpSample, "differentiable" | "tolerance" | "scale" | "tags">>;

export function sample(
  name: string,
  inputs: readonly HostTensor[],
  build: (inputs: readonly Tensor[]) => Tensor | readonly Tensor[],
  { differentiable = true, tolerance, scale = 1e-2, tags = [] }: SampleOptions = {},
): OpSample {
  const half = tags.includes("dtype16") || inputs.some(({ dtype }) => dtype === "float16");
  return {
    name,
    inputs,
    build: (tensors) => {
      const built = build(tensors);
      return Array.isArray(built) ? (built as readonly Tensor[]) : [built as Tensor];
    },
    differentiable: differentiable && !tags.includes("nonfinite"),
    tolerance: tolerance ?? (half ? 4e-3 : 1e-5),
    scale,
    tags: half && !tags.includes("dtype16") ? [...tags, "dtype16"] : tags,
  };
}

/** The op itself, without what its public function adds. */
export function applied<A>(op: Op<A>, attrs?: A): (inputs: readonly Tensor[]) => readonly Tensor[] {
  return (inputs) => applyAll(op, inputs, attrs);
}

export interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly seed?: number;
  readonly dtype?: DType;
}

function unit(count: number, seed: number): number[] {
  return [...hostRandomBits(randomKey(seed), count, 0)].map((bits) => (bits >>> 8) * 2 ** -24);
}

/** Uniform numbers in low..high (default -1..1). */
export function uniform(shape: Shape, { low = -1, high = 1, seed = 1, dtype = "float32" }: Range = {}): HostTensor {
  return fromNumbers(
    unit(sizeOf(shape), seed).map((u) => low + (high - low) * u),
    shape,
    dtype,
  );
}

/** Like {@link uniform}, but at least 0.1 away from 0. */
export function awayFromZero(shape: Shape, range: Range = {}): HostTensor {
  const { low = -1, high = 1, seed = 1, dtype = "float32" } = range;
  const values = unit(sizeOf(shape), seed).map((u) => low + (high - low) * u);
  return fromNumbers(
    values.map((v) => v + (v < 0 ? -0.1 : 0.1)),
    shape,
    dtype,
  );
}

/** Whole numbers in low..high. */
export function integers(shape: Shape, { low = -9, high = 9, seed = 1, dtype = "int32" }: Range = {}): HostTensor {
  return fromNumbers(
    unit(sizeOf(shape), seed).map((u) => Math.floor(low + (high - low + 1) * u)),
    shape,
    dtype,
  );
}

/** Numbers around 0 in random order, no two closer than 1/16: maxima are clear, and none is at a kink. */
export function distinct(
  shape: Shape,
  { seed = 1, dtype = "float32" }: Pick<Range, "seed" | "dtype"> = {},
): HostTensor {
  const count = sizeOf(shape);
  const order = unit(count, seed).map((u, i) => [u, i] as const);
  order.sort((a, b) => a[0] - b[0]);
  return fromNumbers(
    order.map(([, i]) => (i - count / 2 + 0.25) / 16),
    shape,
    dtype,
  );
}

/** Given numbers, as they are. */
export function exactly(
  values: readonly number[],
  shape: Shape = [values.length],
  dtype: DType = "float32",
): HostTensor {
  return fromNumbers(values, shape, dtype);
}
