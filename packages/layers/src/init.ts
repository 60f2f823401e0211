/** Initialisers: what a parameter or buffer holds before training. Formulae and defaults are PyTorch's (`torch.nn.init`). */
import { ArgumentError, formatShape, type Shape, sizeOf, type TypedArray } from "@ocelli/core";
import type { Random } from "./random.js";

/** Makes the elements of a value, row-major. `random` belongs to this value alone. */
export type Initializer = (shape: Shape, random: Random) => TypedArray;

function fill(shape: Shape, next: () => number): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = next();
  return data;
}

/** 0 everywhere. */
export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));

/** 1 everywhere. */
export const ones: Initializer = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** `value` everywhere. */
export function filled(value: number): Initializer {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Evenly distributed in `low..high`. @throws ArgumentError unless low <= high */
export function uniform(low = 0, high = 1): Initializer {
  if (!(low <= high))
    throw new ArgumentError(`uniform: low is ${low} and high is ${high}; it needs low <= high`, { low, high });
  return (shape, random) => fill(shape, () => low + (high - low) * random.uniform());
}

/** Normally distributed. @throws ArgumentError unless std >= 0 */
export function normal(mean = 0, std = 1): Initializer {
  checkStd("normal", std);
  return (shape, random) => fill(shape, () => mean + std * random.normal());
}

function checkStd(name: string, std: number): void {
  if (!(std >= 0)) throw new ArgumentError(`${name}: std is ${std}; it needs to be >= 0`, { std });
}

export interface TruncatedNormalOptions {
  readonly mean?: number;
  readonly std?: number;
  /** Bounds of the values themselves, not multiples of `std` (as in PyTorch). Default -2 and 2. */
  readonly low?: number;
  readonly high?: number;
}

/**
 * Normally distributed, redrawn until within `low..high`.
 * @throws ArgumentError unless std > 0, low < high, and the bounds leave some of mean +- 3 std
 */
export function truncatedNormal({ mean = 0, std = 1, low = -2, high = 2 }: TruncatedNormalOptions = {}): Initializer {
  // Further out, nearly every draw would be rejected.
  if (!(std > 0 && low < high && low < mean + 3 * std && high > mean - 3 * std)) {
    throw new ArgumentError(
      `truncatedNormal: mean ${mean}, std ${std}, bounds ${low}..${high}; it needs std > 0 and bounds that reach into mean +- 3 std`,
      { mean, std, low, high },
    );
  }
  const draw = (random: Random): number => {
    for (;;) {
      const value = mean + std * random.normal();
      if (value >= low && value <= high) return value;
    }
  };
  return (shape, random) => fill(shape, () => draw(random));
}

/**
 * Inputs and outputs of one unit: `[out, in, ...]` has `fanIn = in * kernel size`, `fanOut = out * kernel size`.
 * @throws ArgumentError for fewer than 2 dimensions
 */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [out, into] = shape;
  if (out === undefined || into === undefined) {
    throw new ArgumentError(`fans: shape ${formatShape(shape)} has fewer than 2 dimensions; it needs [out, in, ...]`, {
      shape,
    });
  }
  const kernel = sizeOf(shape.slice(2));
  return { fanIn: into * kernel, fanOut: out * kernel };
}

export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/**
 * Factor that keeps the variance through a nonlinearity.
 * @param a negative slope of `leakyRelu`
 */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  const gains: Readonly<Record<Nonlinearity, number>> = {
    linear: 1,
    sigmoid: 1,
    tanh: 5 / 3,
    relu: Math.SQRT2,
    leakyRelu: Math.sqrt(2 / (1 + a * a)),
    selu: 3 / 4,
  };
  const gain = gains[nonlinearity];
  if (gain === undefined) {
    throw new ArgumentError(
      `calculateGain: nonlinearity is "${nonlinearity}"; known are ${Object.keys(gains).join(", ")}`,
    );
  }
  return gain;
}

export interface XavierOptions {
  /** Default 1. */
  readonly gain?: number;
}

const xavierStd = (shape: Shape, gain: number): number => {
  const { fanIn, fanOut } = fans(shape);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
};

/** Uniform in `+- gain * sqrt(6 / (fanIn + fanOut))` (Glorot and Bengio 2010). */
export function xavierUniform({ gain = 1 }: XavierOptions = {}): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3) * xavierStd(shape, gain);
    return uniform(-bound, bound)(shape, random);
  };
}

/** Normal with `std = gain * sqrt(2 / (fanIn + fanOut))` (Glorot and Bengio 2010). */
export function xavierNormal({ gain = 1 }: XavierOptions = {}): Initializer {
  return (shape, random) => normal(0, xavierStd(shape, gain))(shape, random);
}

export interface KaimingOptions {
  /** Keep the variance of the forward pass (fanIn, default) or of the backward pass (fanOut). */
  readonly mode?: "fanIn" | "fanOut";
  /** What follows the layer. Default leakyRelu, which with `a` = 0 is relu. */
  readonly nonlinearity?: Nonlinearity;
  /** Negative slope of leakyRelu. Default 0. */
  readonly a?: number;
}

const kaimingStd = (shape: Shape, { mode = "fanIn", nonlinearity = "leakyRelu", a = 0 }: KaimingOptions): number =>
  calculateGain(nonlinearity, a) / Math.sqrt(fans(shape)[mode]);

/** Uniform in `+- gain * sqrt(3 / fan)` (He et al. 2015). */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3) * kaimingStd(shape, options);
    return uniform(-bound, bound)(shape, random);
  };
}

/** Normal with `std = gain / sqrt(fan)` (He et al. 2015). */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return (shape, random) => normal(0, kaimingStd(shape, options))(shape, random);
}

export interface OrthogonalOptions {
  /** Default 1. */
  readonly gain?: number;
}

/**
 * `[out, in, ...]` read as a matrix `out x (in * ...)` with orthonormal rows (columns, when there are more rows), times `gain`
 * (Saxe et al. 2013). Time grows with `rows * columns * min(rows, columns)`.
 * @throws ArgumentError for fewer than 2 dimensions
 */
export function orthogonal({ gain = 1 }: OrthogonalOptions = {}): Initializer {
  return (shape, random) => {
    if (shape.length < 2) {
      throw new ArgumentError(`orthogonal: shape ${formatShape(shape)} has fewer than 2 dimensions`, { shape });
    }
    const rows = shape[0] as number;
    const columns = sizeOf(shape.slice(1));
    const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), random);
    const data = new Float32Array(rows * columns);
    for (const [i, vector] of vectors.entries()) {
      for (const [j, value] of vector.entries())
        data[rows <= columns ? i * columns + j : j * columns + i] = gain * value;
    }
    return data;
  };
}

/** `count` orthonormal vectors, evenly distributed over all such frames. */
function orthonormal(count: number, length: number, random: Random): Float64Array[] {
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => random.normal());
    // Twice: the second round removes what rounding left of the first.
    for (const other of [...vectors, ...vectors]) {
      const share = dot(vector, other);
      for (let j = 0; j < length; j++) vector[j] = (vector[j] as number) - share * (other[j] as number);
    }
    const norm = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((value) => value / norm));
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
