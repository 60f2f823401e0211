import { type FormatError, formatSpec, type Shape, sizeOf } from "@ocelli/core";
import { decodeUtf8, encodeUtf8, formatError } from "../bytes.js";
import { type FileDType, fileDTypeBytes } from "../file-tensor.js";
import { type JsonKey, scanKeys } from "./json-keys.js";

/** Bytes before the header: its length as a 64-bit integer. */
export const prefixBytes = 8;
/** The reference implementation's limit. */
export const maxHeaderBytes = 100_000_000;
/** The key of the header that is no tensor. */
export const metadataKey = "__metadata__";

/** Where a tensor lies, as the header says. */
export interface TensorEntry {
  readonly dtype: FileDType;
  readonly shape: Shape;
  /** Offset of the first byte in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface Header {
  /** In the order of the header's text. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Length of the header from the file's first bytes.
 * @param size bytes of the whole file
 * @throws FormatError
 */
export function headerLength(prefix: Uint8Array, size: number, file: string): number {
  if (prefix.length < prefixBytes) {
    throw formatError(file, `the file has ${size} bytes; a safetensors file has at least ${prefixBytes + 2}`, {
      offset: 0,
    });
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes);
  const length = view.getBigUint64(0, true);
  const room = size - prefixBytes;
  if (length > maxHeaderBytes) {
    throw formatError(file, `header length is ${length}; at most ${maxHeaderBytes} is allowed`, { offset: 0, length });
  }
  if (length > room) {
    throw formatError(file, `header length is ${length}, but only ${room} bytes follow it`, {
      offset: 0,
      length,
      room,
    });
  }
  return Number(length);
}

/**
 * Reads and checks a header: every tensor inside the file, no gap, no overlap, no byte left over.
 * @param size bytes of the whole file
 * @throws FormatError
 */
export function parseHeader(bytes: Uint8Array, size: number, file: string): Header {
  return new HeaderReader(bytes, size, file).read();
}

class HeaderReader {
  readonly #bytes: Uint8Array;
  readonly #dataStart: number;
  readonly #dataSize: number;
  readonly #file: string;
  #text = "";

  constructor(bytes: Uint8Array, size: number, file: string) {
    this.#bytes = bytes;
    this.#dataStart = prefixBytes + bytes.length;
    this.#dataSize = size - this.#dataStart;
    this.#file = file;
  }

  read(): Header {
    const object = this.#parseJson();
    const { keys, duplicate } = scanKeys(this.#text);
    if (duplicate !== undefined) throw this.#error(`the name ${show(duplicate.key)} occurs twice`, duplicate);
    const tensors = new Map<string, TensorEntry>();
    for (const key of keys) {
      if (key.key === "") throw this.#error("a tensor has an empty name", key);
      if (key.key !== metadataKey) tensors.set(key.key, this.#entry(key, object[key.key]));
    }
    const metadata = this.#metadata(object, keys);
    this.#checkCoverage(tensors);
    return { tensors, metadata };
  }

  #parseJson(): Record<string, unknown> {
    // As in the reference, so that a file has one spelling: nothing may come before the brace.
    if (this.#bytes[0] !== 0x7b) throw this.#error(`the header does not start with "{"`);
    const text = decodeUtf8(this.#bytes);
    if (text === undefined) throw this.#error("the header is not UTF-8");
    this.#text = text;
    try {
      return JSON.parse(text) as Record<string, unknown>;
    } catch (cause) {
      throw this.#error(`the header is not JSON: ${(cause as Error).message}`);
    }
  }

  #metadata(object: Record<string, unknown>, keys: readonly JsonKey[]): Record<string, string> {
    const key = keys.find((candidate) => candidate.key === metadataKey);
    if (key === undefined) return {};
    const value = object[metadataKey];
    if (!isObject(value)) throw this.#error(`${metadataKey} is ${show(value)}; it must be an object of strings`, key);
    for (const [name, text] of Object.entries(value)) {
      if (typeof text !== "string") {
        throw this.#error(`${metadataKey}: ${show(name)} is ${show(text)}; it must be a string`, key);
      }
    }
    return value as Record<string, string>;
  }

  #entry(key: JsonKey, value: unknown): TensorEntry {
    const what = `tensor ${show(key.key)}`;
    if (!isObject(value)) throw this.#error(`${what} is ${show(value)}; it must be an object`, key);
    const { dtype, shape, data_offsets: offsets } = value;
    if (typeof dtype !== "string" || !Object.hasOwn(fileDTypeBytes, dtype)) {
      const known = Object.keys(fileDTypeBytes).join(", ");
      throw this.#error(`${what}: dtype is ${show(dtype)}; the format has ${known}`, key);
    }
    if (!isSizes(shape) || !Number.isSafeInteger(sizeOf(shape) * 8)) {
      throw this.#error(
        `${what}: shape is ${show(shape)}; it must be non-negative integers with a countable product`,
        key,
      );
    }
    const [start, end] = this.#offsets(offsets, what, key);
    const spec = { dtype: dtype as FileDType, shape, offset: this.#dataStart + start, byteLength: end - start };
    const needed = sizeOf(shape) * fileDTypeBytes[spec.dtype];
    if (spec.byteLength !== needed) {
      const name = formatSpec(spec as unknown as Parameters<typeof formatSpec>[0]);
      throw this.#error(
        `${what}: data_offsets ${show(offsets)} are ${spec.byteLength} bytes; ${name} needs ${needed}`,
        key,
      );
    }
    return spec;
  }

  #offsets(value: unknown, what: string, key: JsonKey): readonly [number, number] {
    const [start, end] = isSizes(value) && value.length === 2 ? value : [];
    if (start === undefined || end === undefined || start > end) {
      throw this.#error(`${what}: data_offsets is ${show(value)}; it must be [start, end] with 0 <= start <= end`, key);
    }
    if (end > this.#dataSize) {
      throw this.#error(`${what}: data_offsets is ${show(value)}, but the data ends at ${this.#dataSize}`, key);
    }
    return [start, end];
  }

  #checkCoverage(tensors: ReadonlyMap<string, TensorEntry>): void {
    const ordered = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
    let end = this.#dataStart;
    for (const [name, { offset, byteLength }] of ordered) {
      if (offset !== end) {
        const problem =
          offset < end ? "overlaps the tensor before it, which ends" : "leaves a hole after the data that ends";
        throw formatError(this.#file, `tensor ${show(name)} starts at byte ${offset} and ${problem} at ${end}`, {
          offset,
        });
      }
      end += byteLength;
    }
    const left = this.#dataStart + this.#dataSize - end;
    if (left > 0) throw formatError(this.#file, `${left} bytes after the last tensor belong to none`, { offset: end });
  }

  #error(message: string, at?: JsonKey): FormatError {
    const before = at === undefined ? 0 : encodeUtf8(this.#text.slice(0, at.position)).length;
    return formatError(this.#file, message, { offset: prefixBytes + before });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** A value of the header for an error message. Short and shallow whatever the file says: it chooses length and depth. */
function show(value: unknown): string {
  if (!Array.isArray(value)) return showItem(value);
  const items = value.slice(0, 8).map(showItem);
  return `[${items.join(",")}${value.length > 8 ? ",..." : ""}]`;
}

function showItem(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
