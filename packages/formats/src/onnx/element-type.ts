import type { DType } from "@ocelli/core";
import type { FileElement } from "../elements.js";

/** Element types of ONNX and their numbers in a file. A graph's dtypes are among them, by the same names. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
} as const satisfies Record<DType | FileElement, number> & Record<string, number>;

export type ElementType = keyof typeof elementTypes;

const names = new Map<number, ElementType>(
  Object.entries(elementTypes).map(([name, number]) => [number, name as ElementType]),
);

/** The element type with this number, if the format has one. */
export function elementTypeOf(number: number): ElementType | undefined {
  return names.get(number);
}

const bits: Readonly<Record<Exclude<ElementType, "string">, number>> = {
  float32: 32,
  uint8: 8,
  int8: 8,
  uint16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  bool: 8,
  float16: 16,
  float64: 64,
  uint32: 32,
  uint64: 64,
  complex64: 64,
  complex128: 128,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  uint4: 4,
  int4: 4,
  float4e2m1: 4,
};

/** Bytes of `count` elements in `raw_data`; elements of 4 bits share bytes. */
export function rawBytes(dtype: Exclude<ElementType, "string">, count: number): number {
  return Math.ceil((count * bits[dtype]) / 8);
}

const fileElements: Readonly<Record<FileElement, true>> = {
  float32: true,
  float16: true,
  int32: true,
  uint32: true,
  uint8: true,
  bool: true,
  float64: true,
  bfloat16: true,
  int64: true,
  uint64: true,
  int8: true,
  int16: true,
  uint16: true,
};

/** Whether tensors of this element type can become a graph's. */
export function isFileElement(dtype: ElementType): dtype is FileElement {
  return Object.hasOwn(fileElements, dtype);
}
