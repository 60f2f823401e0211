import type { DType } from "@ocelli/core";
import { type MathFunction, toHalf } from "./math.js";

/** How elements of a tensor lie in a buffer. */
export interface Storage {
  /** The buffer's element type. */
  readonly element: "f32" | "i32" | "u32" | "f16";
  /** Bytes of one buffer element. */
  readonly bytes: 2 | 4;
  /** Tensor elements in one buffer element. */
  readonly packed: 1 | 4;
  readonly dtype: DType;
}

/** The type that arithmetic on a dtype uses. */
export type Scalar = "f32" | "i32" | "u32" | "bool";

export const scalarOf: Readonly<Record<DType, Scalar>> = {
  float32: "f32",
  float16: "f32",
  int32: "i32",
  uint32: "u32",
  uint8: "u32",
  bool: "bool",
};

/**
 * Storage of a dtype. WebGPU has no memory of single bytes: `uint8` and `bool` take four bytes an element. Without `shader-f16`,
 * `float16` takes four as well, holding values rounded to half precision.
 */
export function storageOf(dtype: DType, { f16 }: { readonly f16: boolean }): Storage {
  if (dtype === "float32") return { element: "f32", bytes: 4, packed: 1, dtype };
  if (dtype === "float16") return { element: f16 ? "f16" : "f32", bytes: f16 ? 2 : 4, packed: 1, dtype };
  if (dtype === "int32") return { element: "i32", bytes: 4, packed: 1, dtype };
  return { element: "u32", bytes: 4, packed: 1, dtype };
}

/** Bytes fed in as they lie on the host, four to a word: images travel so. */
export const packedBytes: Storage = { element: "u32", bytes: 4, packed: 4, dtype: "uint8" };

/** Bytes that `count` elements take. */
export function bytesIn({ bytes, packed }: Storage, count: number): number {
  return Math.ceil(count / packed) * bytes;
}

/** WGSL that reads element `index` of `buffer` as its arithmetic type. */
export function loaded({ element, packed, dtype }: Storage, buffer: string, index: string): string {
  if (packed === 4) return `((${buffer}[${index} >> 2u] >> ((${index} & 3u) * 8u)) & 255u)`;
  const value = `${buffer}[${index}]`;
  if (dtype === "bool") return `(${value} != 0u)`;
  return element === "f16" ? `f32(${value})` : value;
}

/** WGSL of a value of the arithmetic type, as it is stored. */
export function stored({ element, dtype }: Storage, value: string): string {
  if (dtype === "bool") return `select(0u, 1u, ${value})`;
  if (dtype === "uint8") return `((${value}) & 255u)`;
  if (element === "f16") return `f16(${value})`;
  return dtype === "float16" ? `${toHalf.name}(${value})` : value;
}

/** What the text of {@link stored} calls. */
export function storedUses({ element, dtype }: Storage): readonly MathFunction[] {
  return dtype === "float16" && element === "f32" ? [toHalf] : [];
}
