import { ArgumentError, checkShape, ShapeError, sizeOf } from "@ocelli/core";
import { encodeUtf8 } from "../bytes.js";
import { type FileDType, type FileTensor, fileDTypeBytes } from "../file-tensor.js";
import { maxHeaderBytes, metadataKey, prefixBytes } from "./header.js";

/** A tensor to be written whose bytes are made when their turn comes. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. Called once. */
  bytes(): Uint8Array | Promise<Uint8Array>;
}

type Named = Pick<SafetensorsEntry, "name" | "dtype" | "shape">;

/**
 * A safetensors file in memory. The same tensors in the same order give the same bytes: names keep their order, and the data
 * of wider elements comes first, so that each tensor lies at a multiple of its element's width.
 * @param tensors name and tensor: a `Map`, or `Object.entries(...)`
 * @throws ArgumentError for a name that is empty, reserved or repeated, and for a header over 100 MB
 * @throws ShapeError when a tensor's bytes do not fill its shape
 */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: FileTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Array.from(tensors, ([name, tensor]) => ({ name, ...tensor }));
  for (const entry of entries) checkBytes(entry, entry.bytes);
  const header = encodeHeader(entries, metadata);
  const out = new Uint8Array(entries.reduce((sum, { bytes }) => sum + bytes.length, header.length));
  out.set(header);
  let offset = header.length;
  for (const { bytes } of dataOrder(entries)) {
    out.set(bytes, offset);
    offset += bytes.length;
  }
  return out;
}

/**
 * Writes a safetensors file piece by piece, with one tensor in memory at a time. The bytes are those of
 * {@link writeSafetensors}; tensors are asked for theirs in the order of the data.
 * @param write called in order, each call after the one before has resolved
 * @throws as {@link writeSafetensors}; a wrong tensor is found when its turn comes, so write to a temporary file and rename it
 */
export async function writeSafetensorsStream(
  entries: Iterable<SafetensorsEntry>,
  write: (chunk: Uint8Array) => Promise<void>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const list = [...entries];
  await write(encodeHeader(list, metadata));
  for (const entry of dataOrder(list)) {
    const bytes = await entry.bytes();
    checkBytes(entry, bytes);
    if (bytes.length > 0) await write(bytes);
  }
}

function bytesOfEntry({ dtype, shape }: Named): number {
  return sizeOf(shape) * fileDTypeBytes[dtype];
}

/** Wider elements first, otherwise as given: like the reference writer, for readers that use tensors where they lie. */
function dataOrder<T extends Named>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => fileDTypeBytes[b.dtype] - fileDTypeBytes[a.dtype]);
}

function checkBytes(entry: Named, bytes: Uint8Array): void {
  const needed = bytesOfEntry(entry);
  if (bytes.length === needed) return;
  const spec = `${entry.dtype}[${entry.shape.join(", ")}]`;
  throw new ShapeError(
    `safetensors: tensor ${JSON.stringify(entry.name)} has ${bytes.length} bytes; ${spec} needs ${needed}`,
  );
}

/** Length and header. The JSON is put together by hand: an object would move names like "0" to the front. */
function encodeHeader(entries: readonly Named[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`${JSON.stringify(metadataKey)}:${encodeMetadata(metadata)}`);
  checkNames(entries);
  const offsets = layOut(entries);
  for (const entry of entries) {
    const start = offsets.get(entry) as number;
    const { dtype, shape } = entry;
    const value = { dtype, shape, data_offsets: [start, start + bytesOfEntry(entry)] };
    fields.push(`${JSON.stringify(entry.name)}:${JSON.stringify(value)}`);
  }
  return frame(`{${fields.join(",")}}`);
}

/** Where each entry's data starts, counted from the end of the header. */
function layOut(entries: readonly Named[]): Map<Named, number> {
  const offsets = new Map<Named, number>();
  let offset = 0;
  for (const entry of dataOrder(entries)) {
    checkShape(entry.shape, `safetensors: tensor ${JSON.stringify(entry.name)}`);
    offsets.set(entry, offset);
    offset += bytesOfEntry(entry);
  }
  return offsets;
}

/** The text with its length before it and spaces after it, so that the data starts at a multiple of 8. */
function frame(text: string): Uint8Array {
  const json = encodeUtf8(text);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes) {
    throw new ArgumentError(`safetensors: the header takes ${length} bytes; at most ${maxHeaderBytes} is allowed`);
  }
  const out = new Uint8Array(prefixBytes + length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, prefixBytes);
  return out;
}

function checkNames(entries: readonly Named[]): void {
  const taken = new Set<string>();
  for (const { name } of entries) {
    const quoted = JSON.stringify(name);
    if (name === "") throw new ArgumentError("safetensors: a tensor has an empty name");
    if (name === metadataKey) throw new ArgumentError(`safetensors: the name ${quoted} is the format's own`);
    if (taken.has(name)) throw new ArgumentError(`safetensors: the name ${quoted} occurs twice`);
    taken.add(name);
  }
}

function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    throw new ArgumentError(`safetensors: metadata ${JSON.stringify(key)} is ${typeof value}; it must be a string`);
  }
  return JSON.stringify(metadata);
}
