import { nearMatches, StateError } from "@ocelli/core";
import { formatError } from "../bytes.js";
import type { FileTensor } from "../file-tensor.js";
import type { RandomAccess } from "../random-access.js";
import { type Header, headerLength, parseHeader, prefixBytes, type TensorEntry } from "./header.js";

export interface SafetensorsContents {
  /** By name, in the file's order. */
  readonly tensors: Map<string, FileTensor>;
  readonly metadata: Record<string, string>;
}

export interface ReadOptions {
  /** What errors call the file. */
  readonly name?: string;
}

const unnamed = "safetensors";

/**
 * Reads a whole safetensors file. The tensors view `bytes`; nothing is copied.
 * @throws FormatError naming the file, what is wrong and where, for any file that is not entirely well-formed
 */
export function readSafetensors(bytes: Uint8Array, { name = unnamed }: ReadOptions = {}): SafetensorsContents {
  const length = headerLength(bytes.subarray(0, prefixBytes), bytes.length, name);
  const header = parseHeader(bytes.subarray(prefixBytes, prefixBytes + length), bytes.length, name);
  const tensors = new Map<string, FileTensor>();
  for (const [key, { dtype, shape, offset, byteLength }] of header.tensors) {
    tensors.set(key, { dtype, shape, bytes: bytes.subarray(offset, offset + byteLength) });
  }
  return { tensors, metadata: { ...header.metadata } };
}

/** A safetensors file of which only the header is in memory. */
export class SafetensorsFile {
  /** By name, in the file's order. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #source: RandomAccess;
  readonly #name: string;

  constructor(source: RandomAccess, header: Header, name: string) {
    this.#source = source;
    this.#name = name;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /**
   * Reads one tensor.
   * @throws StateError when the file has no tensor of this name
   * @throws FormatError when the file has become shorter
   */
  async read(name: string): Promise<FileTensor> {
    const entry = this.tensors.get(name);
    if (entry === undefined) {
      const near = nearMatches(name, this.tensors.keys());
      const hint = near.length > 0 ? `; it has ${near.join(", ")}` : "";
      throw new StateError(
        `${this.#name}: there is no tensor ${JSON.stringify(name)} among ${this.tensors.size}${hint}`,
      );
    }
    const bytes = await readExactly(this.#source, entry.offset, entry.byteLength, this.#name);
    return { dtype: entry.dtype, shape: entry.shape, bytes };
  }

  /** Closes the source, if it can be closed. */
  async close(): Promise<void> {
    await this.#source.close?.();
  }
}

/**
 * Opens a safetensors file of any size: reads and checks the header, and each tensor when it is asked for. The source is
 * the file's to close from now on; it is closed already when this throws.
 * @throws FormatError as {@link readSafetensors} does
 */
export async function openSafetensors(
  source: RandomAccess,
  { name = unnamed }: ReadOptions = {},
): Promise<SafetensorsFile> {
  try {
    const prefix = await readExactly(source, 0, Math.min(prefixBytes, source.size), name);
    const length = headerLength(prefix, source.size, name);
    const header = parseHeader(await readExactly(source, prefixBytes, length, name), source.size, name);
    return new SafetensorsFile(source, header, name);
  } catch (error) {
    await closeQuietly(source);
    throw error;
  }
}

async function readExactly(source: RandomAccess, offset: number, length: number, file: string): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw formatError(file, `${bytes.length} bytes came where ${length} were read; was the file changed meanwhile?`, {
    offset,
  });
}

async function closeQuietly(source: RandomAccess): Promise<void> {
  try {
    await source.close?.();
  } catch {
    // The error that led here says more than one from closing.
  }
}
