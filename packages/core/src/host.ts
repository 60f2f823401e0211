import { allocate, bytesOf, type DType, fromFloat16Bits, type TypedArray, toFloat16Bits } from "./dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "./errors.js";
import { formatShape, type Shape, sizeOf } from "./shape.js";

/** A tensor in host memory: what goes into a device and what comes back from it. Row-major, contiguous. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  /** `float16` as raw bits (`Uint16Array`), `bool` as 0/1 bytes. */
  readonly data: TypedArray;
}

const dtypeOfArray = (data: TypedArray): DType => {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Uint16Array) return "float16";
  throw new DTypeError("hostTensor: a Float64Array has no dtype of its own; pass { dtype } or convert it first");
};

/**
 * Wraps memory (or converts numbers) as a {@link HostTensor}.
 * @param data a typed array (taken, not copied, when it already is of `dtype`) or plain numbers (default float32)
 * @throws ShapeError when `shape` does not hold as many elements as `data`
 */
export function hostTensor(data: TypedArray | readonly number[], shape?: Shape, dtype?: DType): HostTensor {
  const isArray = Array.isArray(data);
  const type = dtype ?? (isArray || data instanceof Float64Array ? "float32" : dtypeOfArray(data as TypedArray));
  const dims = shape ?? [data.length];
  if (sizeOf(dims) !== data.length) {
    throw new ShapeError(
      `hostTensor: shape ${formatShape(dims)} holds ${sizeOf(dims)} elements; data has ${data.length}`,
      {
        shape: dims,
        length: data.length,
      },
    );
  }
  const target = allocate(type, 0);
  if (!isArray && target.constructor === data.constructor)
    return { dtype: type, shape: dims, data: data as TypedArray };
  return fromNumbers(data as ArrayLike<number>, dims, type);
}

/** Converts numbers to `dtype` (rounding for integers follows the typed array; bool is `!= 0`). */
export function fromNumbers(values: ArrayLike<number>, shape: Shape, dtype: DType): HostTensor {
  const data = allocate(dtype, values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    data[i] = dtype === "float16" ? toFloat16Bits(value) : dtype === "bool" ? (value !== 0 ? 1 : 0) : value;
  }
  return { dtype, shape, data };
}

/** The elements as plain numbers, float16 decoded. A fresh Float64Array. */
export function toNumbers(tensor: HostTensor): Float64Array {
  const out = new Float64Array(tensor.data.length);
  if (tensor.dtype !== "float16") out.set(tensor.data);
  else for (let i = 0; i < out.length; i++) out[i] = fromFloat16Bits(tensor.data[i] as number);
  return out;
}

/** The single element of a one-element tensor. @throws ArgumentError otherwise */
export function item(tensor: HostTensor): number {
  if (tensor.data.length !== 1) {
    throw new ArgumentError(
      `item: tensor ${tensor.dtype}${formatShape(tensor.shape)} has ${tensor.data.length} elements, not 1`,
    );
  }
  return toNumbers(tensor)[0] as number;
}

/** Bytes that a tensor of this shape and dtype takes. */
export function byteSize(spec: { readonly dtype: DType; readonly shape: Shape }): number {
  return sizeOf(spec.shape) * bytesOf(spec.dtype);
}
