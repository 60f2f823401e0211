import type { Shape } from "@ocelli/core";
import { formatError, swapBytes } from "../bytes.js";
import { type FileDType, fileDTypeBytes } from "../file-tensor.js";
import type { Budget } from "./budget.js";

/** Elements of torch by the names of their dtypes. */
export const torchDTypes: Readonly<Record<string, FileDType>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
  float8_e5m2: "F8_E5M2",
  float8_e4m3fn: "F8_E4M3",
};

/** And by the names of their storages. An untyped one counts bytes. */
export const storageDTypes: Readonly<Record<string, FileDType>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
  UntypedStorage: "U8",
};

/** A piece of memory that tensors view; its bytes may be found after the tensors that view it. */
export interface Storage {
  readonly key: string;
  readonly dtype: FileDType;
  /** Elements. */
  readonly count: number;
  /** Where in the file it was named. */
  readonly offset: number;
  bytes: Uint8Array | undefined;
}

/** A tensor whose elements have not been taken out of its storage. */
export interface View {
  readonly tensor: { readonly dtype: FileDType; readonly shape: Shape; bytes: Uint8Array };
  readonly storage: Storage;
  readonly start: number;
  readonly stride: readonly number[];
}

/** Whether row-major order without gaps is what the strides say. Axes of one element may have any. */
function isContiguous(shape: Shape, stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && stride[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Elements that a tensor has, and how far into its storage the last one lies. */
export function extentOf(shape: Shape, stride: readonly number[]): { readonly count: number; readonly last: number } {
  const count = shape.reduce((product, size) => product * size, 1);
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (stride[axis] as number), 0);
  return { count, last: count === 0 ? -1 : last };
}

/** Fills in a tensor's bytes: a view of its storage where its elements lie in order, a copy otherwise. @throws FormatError */
export function resolve({ tensor, storage, start, stride }: View, file: string, budget: Budget): void {
  const { dtype, shape } = tensor;
  const { count } = extentOf(shape, stride);
  const width = fileDTypeBytes[dtype];
  if (count === 0) return;
  if (storage.bytes === undefined) {
    throw formatError(file, `the data of storage ${JSON.stringify(storage.key)} is missing`, {
      offset: storage.offset,
    });
  }
  if (isContiguous(shape, stride)) {
    tensor.bytes = storage.bytes.subarray(start * width, (start + count) * width);
    return;
  }
  budget.spend(count * width, `a tensor ${dtype}[${shape.join(", ")}] that is not contiguous`, storage.offset);
  tensor.bytes = gathered(storage.bytes.subarray(start * width), shape, stride, width);
}

/** Elements in row-major order out of strided ones. */
function gathered(source: Uint8Array, shape: Shape, stride: readonly number[], width: number): Uint8Array {
  const out = new Uint8Array(shape.reduce((product, size) => product * size, width));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = source[from * width + byte] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      from += stride[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= (index[axis] as number) * (stride[axis] as number);
      index[axis] = 0;
    }
  }
  return out;
}

/** A storage's bytes in the order of a little-endian machine. */
export function littleEndianBytes(bytes: Uint8Array, dtype: FileDType, bigEndian: boolean, budget: Budget): Uint8Array {
  const width = fileDTypeBytes[dtype];
  if (!bigEndian || width === 1) return bytes;
  budget.spend(bytes.length, "a storage of a big-endian machine");
  return swapBytes(bytes, width);
}
