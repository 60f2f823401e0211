/** Element types of tensors in a graph. Reference devices compute `float32` and `float16` in float64. */
export type DType = "float32" | "float16" | "int32" | "uint32" | "uint8" | "bool";

/** Memory that backs a {@link HostTensor}. `float16` travels as its raw bits in a `Uint16Array`. */
export type TypedArray = Float32Array | Float64Array | Uint16Array | Int32Array | Uint32Array | Uint8Array;

interface DTypeInfo {
  readonly bytes: number;
  readonly kind: "float" | "int" | "bool";
  readonly array: new (length: number) => TypedArray;
}

const table: Readonly<Record<DType, DTypeInfo>> = {
  float32: { bytes: 4, kind: "float", array: Float32Array },
  float16: { bytes: 2, kind: "float", array: Uint16Array },
  int32: { bytes: 4, kind: "int", array: Int32Array },
  uint32: { bytes: 4, kind: "int", array: Uint32Array },
  uint8: { bytes: 1, kind: "int", array: Uint8Array },
  bool: { bytes: 1, kind: "bool", array: Uint8Array },
};

/** All dtypes, in a fixed order. */
export const dtypes: readonly DType[] = ["float32", "float16", "int32", "uint32", "uint8", "bool"];

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return table[dtype].bytes;
}

export function isFloat(dtype: DType): boolean {
  return table[dtype].kind === "float";
}

export function isInteger(dtype: DType): boolean {
  return table[dtype].kind === "int";
}

/** A zeroed array that holds `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): TypedArray {
  return new table[dtype].array(length);
}

const scratch = new DataView(new ArrayBuffer(4));

/** Bits of the float16 nearest to `value` (ties to even). */
export function toFloat16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Subnormal results: units of 2^-24. Rounding the exact double keeps ties to even without double rounding.
  if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  const safe = magnitude < 2 ** exponent ? exponent - 1 : magnitude >= 2 ** (exponent + 1) ? exponent + 1 : exponent;
  const mantissa = roundHalfEven((magnitude / 2 ** safe - 1) * 1024);
  // A mantissa of 1024 carries into the exponent by plain addition.
  return sign | (((safe + 15) << 10) + mantissa);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}

/** Value of a float16 given by its bits. */
export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
