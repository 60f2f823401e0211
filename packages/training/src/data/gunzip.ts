import { FormatError } from "@ocelli/core";

/** Bytes of one uncompressed file, possibly cut short at a bound. */
export interface Inflated {
  readonly bytes: Uint8Array;
  /** The stream went on past the bound. */
  readonly more: boolean;
}

/** How much may come out of a compressed file: decided from its first `bytes` bytes. */
export interface HeaderBound {
  readonly bytes: number;
  /** Size of the whole file as its header says it. Gets fewer than `bytes` bytes when the file is shorter. @throws FormatError */
  readonly sizeOf: (head: Uint8Array) => number;
}

// Deflate codes 258 bytes in 2 bits at best: one compressed byte gives at most 1032.
const bestRatio = 1032;

const sliceBytes = 65536;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates `bytes` up to the size that the header inside says and stops there: a decompression bomb costs no more than an
 * honest file of its own header.
 * @throws FormatError when the compressed data is damaged or cut off, or when the header says more than it can hold
 */
export async function gunzip(bytes: Uint8Array, file: string, bound: HeaderBound): Promise<Inflated> {
  const reader = inflating(bytes).getReader();
  const out = new Growing();
  let limit: number | undefined;
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, file, bytes.length, out.length);
      if (value) out.append(value, limit);
      if (limit === undefined && (done || out.length >= bound.bytes)) {
        limit = checkedLimit(bound.sizeOf(out.bytes().subarray(0, bound.bytes)), bytes.length, file);
      }
      if (done || (limit !== undefined && out.length > limit)) break;
    }
  } finally {
    // Stops the work; a stream that already failed has nothing to add.
    reader.cancel().catch(() => {});
  }
  return { bytes: out.bytes().subarray(0, limit), more: limit !== undefined && out.length > limit };
}

function inflating(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  // Errors arrive at the reader too; here they would be unhandled.
  feed(bytes, writable.getWriter()).catch(() => {});
  return readable;
}

/** Writes in slices: browsers inflate a whole chunk before they look whether anyone still reads. */
async function feed(bytes: Uint8Array, writer: WritableStreamDefaultWriter<BufferSource>): Promise<void> {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    await writer.ready;
    await writer.write(bytes.slice(at, at + sliceBytes));
  }
  await writer.close();
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  file: string,
  compressed: number,
  offset: number,
) {
  try {
    return await reader.read();
  } catch (error) {
    const reason = error instanceof Error && error.message ? ` (${error.message})` : "";
    throw new FormatError(
      `${file}: the gzip data (${compressed} bytes) is damaged or cut off after ${offset} uncompressed bytes${reason}`,
      { file, offset, compressed },
    );
  }
}

function checkedLimit(size: number, compressed: number, file: string): number {
  if (size > compressed * bestRatio) {
    throw new FormatError(
      `${file}: the header says ${size} bytes; ${compressed} bytes of gzip data cannot hold more than ${compressed * bestRatio}: damaged or cut off`,
      { file, size, compressed },
    );
  }
  return size;
}

/** A byte array that grows with what really arrives, whatever a header promises. */
class Growing {
  #buffer = new Uint8Array(0);
  length = 0;

  /** Appends; keeps no more than one byte past `limit`. */
  append(chunk: Uint8Array, limit = Number.POSITIVE_INFINITY): void {
    const kept = chunk.subarray(0, limit + 1 - this.length);
    const length = this.length + kept.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(this.#buffer.length * 2, limit + 1)));
      grown.set(this.#buffer.subarray(0, this.length));
      this.#buffer = grown;
    }
    this.#buffer.set(kept, this.length);
    this.length = length;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}
