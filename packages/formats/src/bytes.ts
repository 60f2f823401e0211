import { FormatError } from "@ocelli/core";

/** Whether this machine stores numbers with the low byte first, as every format here does. */
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A typed array over memory that `bytes` may view and whose elements have a fixed width. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A copy of `bytes` in which each group of `width` bytes is reversed. */
export function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const place = i % width;
    out[i] = bytes[i - place + (width - 1 - place)] as number;
  }
  return out;
}

/** The elements as little-endian bytes: a view of the array's own memory, not a copy, where the machine allows it. */
export function toLittleEndian(array: NumericArray): Uint8Array {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return littleEndian ? bytes : swapBytes(bytes, array.BYTES_PER_ELEMENT);
}

/**
 * Elements read from little-endian bytes that may start anywhere. The result owns its memory, so it is aligned and does not
 * keep the file alive.
 */
export function fromLittleEndian<T extends NumericArray>(
  bytes: Uint8Array,
  type: { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
): T {
  const native = littleEndian ? bytes : swapBytes(bytes, type.BYTES_PER_ELEMENT);
  const copy = new Uint8Array(native.length);
  copy.set(native);
  return new type(copy.buffer);
}

/** Text of UTF-8 bytes, or undefined where they are not UTF-8. A byte order mark is kept as a character. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * The error of all readers: `model.safetensors: header length is 99, 40 bytes follow it (at byte 0)`.
 * @param file name of the file, or what stands for it
 */
export function formatError(
  file: string,
  message: string,
  fields: Readonly<Record<string, unknown>> & { readonly offset?: number } = {},
): FormatError {
  const place = fields.offset === undefined ? "" : ` (at byte ${fields.offset})`;
  return new FormatError(`${file}: ${message}${place}`, { file, ...fields });
}
