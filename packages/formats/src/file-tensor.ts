import { type DType, DTypeError, type HostTensor, type Shape } from "@ocelli/core";
import { elementsToHost, type FileElement, hostToElements } from "./elements.js";

/** Element types of a safetensors file, with the bytes of one element. */
export const fileDTypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

export type FileDType = keyof typeof fileDTypeBytes;

/** A tensor as a file holds it: row-major, contiguous, little-endian. */
export interface FileTensor {
  readonly dtype: FileDType;
  readonly shape: Shape;
  /** From a reader: a view of the file's bytes at any alignment, not a copy. */
  readonly bytes: Uint8Array;
}

const elementOf: Readonly<Record<FileDType, FileElement | undefined>> = {
  BOOL: "bool",
  U8: "uint8",
  I8: "int8",
  F8_E5M2: undefined,
  F8_E4M3: undefined,
  I16: "int16",
  U16: "uint16",
  F16: "float16",
  BF16: "bfloat16",
  I32: "int32",
  U32: "uint32",
  F32: "float32",
  F64: "float64",
  I64: "int64",
  U64: "uint64",
};

const fileDTypeOf: Readonly<Record<DType, FileDType>> = {
  float32: "F32",
  float16: "F16",
  int32: "I32",
  uint32: "U32",
  uint8: "U8",
  bool: "BOOL",
};

function requireElement(dtype: FileDType, where: string): FileElement {
  const element = elementOf[dtype];
  if (element !== undefined) return element;
  throw new DTypeError(`${where}: ${dtype} has no dtype in a graph; its bytes are read and written as they are`, {
    dtype,
  });
}

/**
 * A file's tensor in the dtype of a graph: F32, F16, I32, U32, U8 and BOOL as they are; BF16 and F64 become float32; I8, I16,
 * U16 and I64 become int32, U64 uint32. The result owns its memory.
 * @param where stands first in errors: the file's and the tensor's name
 * @throws DTypeError for F8_E4M3 and F8_E5M2
 * @throws FormatError when the bytes do not fill the shape or a 64-bit integer does not fit 32 bits
 */
export function toHostTensor(tensor: FileTensor, where = "toHostTensor"): HostTensor {
  return elementsToHost(requireElement(tensor.dtype, where), tensor.shape, tensor.bytes, where);
}

/**
 * A tensor as a file holds it, in its own dtype or in `dtype`: any number becomes a float, an integer another integer
 * (`I64` for PyTorch's `num_batches_tracked`). Without conversion the bytes view the tensor's memory.
 * @throws DTypeError for a float to an integer, anything else to BOOL, and the 8-bit floats
 * @throws ArgumentError for an integer out of range
 */
export function fromHostTensor(host: HostTensor, { dtype }: { readonly dtype?: FileDType } = {}): FileTensor {
  const target = dtype ?? fileDTypeOf[host.dtype];
  const bytes = hostToElements(host, requireElement(target, "fromHostTensor"), "fromHostTensor");
  return { dtype: target, shape: host.shape, bytes };
}
