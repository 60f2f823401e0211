import { ArgumentError, type HostTensor } from "@ocelli/core";

/** Vectors as rows: `[count, width]`. One kind of array, whatever came: loops over it are then compiled once. */
export interface Rows {
  readonly data: Float32Array;
  readonly count: number;
  readonly width: number;
}

/** @throws ArgumentError for what is neither bytes nor floats, or not finite */
export function rowsOf(name: string, { data, shape, dtype }: HostTensor): Rows {
  const [count = 0, ...rest] = shape;
  if (count === 0 || rest.length === 0 || (dtype !== "uint8" && dtype !== "float32")) {
    throw new ArgumentError(
      `nearestNeighbours: ${name} are ${dtype}[${shape.join(", ")}]; they need to be uint8 or float32, a row each: [count, ...]`,
    );
  }
  const odd = data.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) throw new ArgumentError(`nearestNeighbours: ${name} hold ${data[odd]}; they need finite numbers`);
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), count, width: data.length / count };
}

/** A training vector and how far it is. */
export interface Candidate {
  readonly index: number;
  readonly distance: number;
}

export const nearer = (a: Candidate, b: Candidate): number => a.distance - b.distance || a.index - b.index;

/** A query and what was found nearest to it. */
export interface Found {
  readonly query: number;
  readonly nearest: readonly Candidate[];
}

export function dot(a: Rows, i: number, b: Rows, j: number): number {
  const [x, y] = [i * a.width, j * b.width];
  let sum = 0;
  for (let at = 0; at < a.width; at++) sum += (a.data[x + at] as number) * (b.data[y + at] as number);
  return sum;
}

export function euclidean(a: Rows, i: number, b: Rows, j: number): number {
  const [x, y] = [i * a.width, j * b.width];
  let sum = 0;
  for (let at = 0; at < a.width; at++) sum += ((a.data[x + at] as number) - (b.data[y + at] as number)) ** 2;
  return Math.sqrt(sum);
}

/** 1 where one of the two is all zeros. */
export function cosineDistance(a: Rows, i: number, b: Rows, j: number): number {
  const norms = Math.sqrt(dot(a, i, a, i) * dot(b, j, b, j));
  return norms === 0 ? 1 : 1 - dot(a, i, b, j) / norms;
}
