import type { DType } from "../dtype.js";
import { isFloat } from "../dtype.js";
import { type HostTensor, toNumbers } from "../host.js";
import { sameShape } from "../shape.js";
import { formatSpec, type Spec } from "../tensor.js";

export interface Comparison {
  /** Largest distance relative to the largest expected magnitude; Infinity where NaN, infinities, integers or specs differ. */
  readonly error: number;
  /** What is wrong, in words; empty when nothing is. */
  readonly reason: string;
}

/** Largest finite numbers: what lies beyond is infinite on a device. */
const largest: Readonly<Partial<Record<DType, number>>> = { float32: 3.4028235677973366e38, float16: 65504 };

const clipped = (value: number, dtype: DType): number =>
  Math.abs(value) > (largest[dtype] ?? Number.POSITIVE_INFINITY) ? Math.sign(value) * Number.POSITIVE_INFINITY : value;

/** Judges a device's result by the reference's. Integers and bools have to be equal; results below `scale` count as that large. */
export function compareTensors(actual: HostTensor, expected: ArrayLike<number>, spec: Spec, scale = 0): Comparison {
  if (actual.dtype !== spec.dtype || !sameShape(actual.shape, spec.shape) || actual.data.length !== expected.length) {
    return {
      error: Number.POSITIVE_INFINITY,
      reason: `the result is ${formatSpec(actual)}; the reference has ${formatSpec(spec)}`,
    };
  }
  const got = toNumbers(actual);
  const wanted = Float64Array.from(expected, (value) => clipped(value, spec.dtype));
  const magnitude = wanted.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    scale,
  );
  let worst = { error: 0, at: 0 };
  for (let i = 0; i < wanted.length; i++) {
    const error = elementError(got[i]!, wanted[i]!, isFloat(spec.dtype), magnitude);
    if (error > worst.error) worst = { error, at: i };
  }
  const reason =
    worst.error === 0
      ? ""
      : `element ${worst.at} of ${formatSpec(spec)} is ${got[worst.at]}; the reference has ${wanted[worst.at]}`;
  return { error: worst.error, reason };
}

function elementError(got: number, wanted: number, float: boolean, magnitude: number): number {
  if (Object.is(got, wanted) || got === wanted) return 0;
  if (!float || !Number.isFinite(got) || !Number.isFinite(wanted)) return Number.POSITIVE_INFINITY;
  return Math.abs(got - wanted) / Math.max(magnitude, Number.MIN_VALUE);
}
