import {
  ArgumentError,
  type DType,
  DTypeError,
  FormatError,
  type HostTensor,
  type Shape,
  toFloat16Bits,
  toNumbers,
} from "@ocelli/core";
import { fromLittleEndian, type NumericArray, toLittleEndian } from "./bytes.js";

/** Elements that files hold and tensors can be made of: the dtypes of graphs, and those that are converted on the way. */
export type FileElement = DType | "float64" | "bfloat16" | "int64" | "uint64" | "int8" | "int16" | "uint16";

interface ElementInfo {
  readonly bytes: number;
  /** The dtype of a graph that takes these elements. */
  readonly dtype: DType;
  /** Integers: smallest and largest value. */
  readonly range?: readonly [number, number];
}

const elements: Readonly<Record<FileElement, ElementInfo>> = {
  float32: { bytes: 4, dtype: "float32" },
  float16: { bytes: 2, dtype: "float16" },
  bfloat16: { bytes: 2, dtype: "float32" },
  float64: { bytes: 8, dtype: "float32" },
  int8: { bytes: 1, dtype: "int32", range: [-128, 127] },
  uint8: { bytes: 1, dtype: "uint8", range: [0, 255] },
  int16: { bytes: 2, dtype: "int32", range: [-32768, 32767] },
  uint16: { bytes: 2, dtype: "int32", range: [0, 65535] },
  int32: { bytes: 4, dtype: "int32", range: [-(2 ** 31), 2 ** 31 - 1] },
  uint32: { bytes: 4, dtype: "uint32", range: [0, 2 ** 32 - 1] },
  // Graph integers have 32 bits, so wider numbers than these never come in or go out.
  int64: { bytes: 8, dtype: "int32", range: [-(2 ** 31), 2 ** 32 - 1] },
  uint64: { bytes: 8, dtype: "uint32", range: [0, 2 ** 32 - 1] },
  bool: { bytes: 1, dtype: "bool" },
};

/**
 * Elements of a file as a tensor in host memory, in the dtype of a graph: bfloat16 and float64 become float32 (rounded to
 * nearest), small integers int32, int64 int32 and uint64 uint32. The result owns its memory.
 * @throws FormatError when the bytes do not fill the shape, or a 64-bit integer does not fit 32 bits
 */
export function elementsToHost(element: FileElement, shape: Shape, bytes: Uint8Array, where: string): HostTensor {
  const { bytes: width, dtype } = elements[element];
  const count = shape.reduce((size, dim) => size * dim, 1);
  if (bytes.length !== count * width) {
    throw new FormatError(
      `${where}: holds ${bytes.length} bytes; ${element}[${shape.join(", ")}] needs ${count * width}`,
    );
  }
  return { dtype, shape, data: decoders[element](bytes, where) as HostTensor["data"] };
}

const decoders: Readonly<Record<FileElement, (bytes: Uint8Array, where: string) => NumericArray>> = {
  float32: (bytes) => fromLittleEndian(bytes, Float32Array),
  float16: (bytes) => fromLittleEndian(bytes, Uint16Array),
  bfloat16: decodeBfloat16,
  float64: (bytes) => new Float32Array(fromLittleEndian(bytes, Float64Array)),
  int8: (bytes) => new Int32Array(fromLittleEndian(bytes, Int8Array)),
  uint8: (bytes) => fromLittleEndian(bytes, Uint8Array),
  int16: (bytes) => new Int32Array(fromLittleEndian(bytes, Int16Array)),
  uint16: (bytes) => new Int32Array(fromLittleEndian(bytes, Uint16Array)),
  int32: (bytes) => fromLittleEndian(bytes, Int32Array),
  uint32: (bytes) => fromLittleEndian(bytes, Uint32Array),
  int64: (bytes, where) => new Int32Array(narrow(fromLittleEndian(bytes, BigInt64Array), "int32", where)),
  uint64: (bytes, where) => new Uint32Array(narrow(fromLittleEndian(bytes, BigUint64Array), "uint32", where)),
  // Some writers store any nonzero byte for true.
  bool: (bytes) => Uint8Array.from(bytes, (byte) => (byte === 0 ? 0 : 1)),
};

function decodeBfloat16(bytes: Uint8Array): Float32Array {
  const halves = fromLittleEndian(bytes, Uint16Array);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (halves[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

function narrow(values: BigInt64Array | BigUint64Array, target: "int32" | "uint32", where: string): Float64Array {
  const [low, high] = elements[target].range as readonly [number, number];
  const out = new Float64Array(values.length);
  for (let index = 0; index < out.length; index++) {
    const value = Number(values[index]);
    if (!(value >= low && value <= high)) {
      throw new FormatError(
        `${where}: element ${index} is ${values[index]}; it must fit ${target}, ${low} to ${high}`,
        {
          index,
          value: values[index],
        },
      );
    }
    out[index] = value;
  }
  return out;
}

/**
 * A tensor's elements as a file holds them. Without conversion the bytes are a view of the tensor's memory.
 * @throws DTypeError for a conversion that would lose more than precision (a float to an integer, a number to bool)
 * @throws ArgumentError for an integer out of the target's range
 */
export function hostToElements(host: HostTensor, element: FileElement, where: string): Uint8Array {
  if (element === host.dtype) return toLittleEndian(host.data);
  const { range } = elements[element];
  const fromFloat = host.dtype === "float32" || host.dtype === "float16";
  if (element === "bool" || (range !== undefined && fromFloat)) {
    throw new DTypeError(`${where}: ${host.dtype} does not become ${element}; convert the values first`, {
      from: host.dtype,
      to: element,
    });
  }
  const values = host.dtype === "float16" ? toNumbers(host) : host.data;
  if (range !== undefined) checkRange(values, range, element, where);
  return toLittleEndian(encoders[element](values));
}

function checkRange(
  values: ArrayLike<number>,
  [low, high]: readonly [number, number],
  element: string,
  where: string,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value >= low && value <= high) continue;
    throw new ArgumentError(`${where}: element ${i} is ${value}; ${element} holds ${low} to ${high}`, {
      index: i,
      value,
    });
  }
}

const encoders: Readonly<Record<FileElement, (values: ArrayLike<number>) => NumericArray>> = {
  float32: (values) => new Float32Array(values),
  float16: (values) => Uint16Array.from(values, (value) => toFloat16Bits(value)),
  bfloat16: encodeBfloat16,
  float64: (values) => new Float64Array(values),
  int8: (values) => new Int8Array(values),
  uint8: (values) => new Uint8Array(values),
  int16: (values) => new Int16Array(values),
  uint16: (values) => new Uint16Array(values),
  int32: (values) => new Int32Array(values),
  uint32: (values) => new Uint32Array(values),
  int64: (values) => BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i] as number)),
  uint64: (values) => BigUint64Array.from({ length: values.length }, (_, i) => BigInt(values[i] as number)),
  bool: (values) => Uint8Array.from(values, (value) => (value !== 0 ? 1 : 0)),
};

function encodeBfloat16(values: ArrayLike<number>): Uint16Array {
  const floats = new Float32Array(values);
  const bits = new Uint32Array(floats.buffer);
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < out.length; i++) {
    const word = bits[i] as number;
    // Ties to even; a NaN keeps its sign and top bits and stays a NaN.
    const rounded = Number.isNaN(floats[i]) ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    out[i] = rounded;
  }
  return out;
}
