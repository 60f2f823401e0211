/** Between the host's arrays and what lies in buffers. */
import {
  byteSize,
  fromFloat16Bits,
  type HostTensor,
  type Spec,
  sizeOf,
  type TypedArray,
  toFloat16Bits,
} from "@ocelli/core";
import { allocate } from "@ocelli/core/backend";
import type { Storage } from "./wgsl/storage.js";

/** Bytes to put into a buffer, a multiple of 4. */
export function encoded({ data, dtype }: HostTensor, storage: Storage): Uint8Array {
  if (storage.packed === 4 || storage.bytes === data.BYTES_PER_ELEMENT) return padded(bytesOf(data));
  if (dtype === "float16") return bytesOf(Float32Array.from(data, fromFloat16Bits));
  return bytesOf(Uint32Array.from(data));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const wider = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  wider.set(bytes);
  return wider;
}

/** A tensor from a buffer's bytes (copied). */
export function decoded(bytes: ArrayBuffer, offset: number, { shape, dtype }: Spec, storage: Storage): HostTensor {
  const size = sizeOf(shape);
  const data = allocate(dtype, size);
  if (storage.packed === 4 || storage.bytes === data.BYTES_PER_ELEMENT) {
    bytesOf(data).set(new Uint8Array(bytes, offset, byteSize({ shape, dtype })));
  } else if (dtype === "float16") {
    data.set(Array.from(new Float32Array(bytes, offset, size), toFloat16Bits));
  } else data.set(new Uint32Array(bytes, offset, size));
  return { shape, dtype, data };
}
