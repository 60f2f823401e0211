/** A file that is read in pieces. Wrap a Node file handle, an HTTP range request, or use the two below. */
export interface RandomAccess {
  /** Bytes in all. */
  readonly size: number;
  /** The bytes `offset .. offset + length`. Readers check that as many came as they asked for. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close?(): Promise<void> | void;
}

/** Bytes in memory, read without copying. */
export function bytesSource(bytes: Uint8Array): RandomAccess {
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A browser's `Blob` or `File` (Node has them too). */
export function blobSource(blob: Blob): RandomAccess {
  return {
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}
