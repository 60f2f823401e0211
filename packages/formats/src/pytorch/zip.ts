import { Inflate } from "fflate";
import { decodeUtf8, formatError } from "../bytes.js";
import type { Budget } from "./budget.js";

/** An entry of a zip archive, as the central directory says and its own header confirms. */
export interface ZipEntry {
  readonly name: string;
  /** Offset in the file of the first byte of the (compressed) data. */
  readonly offset: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly method: "stored" | "deflated";
}

const endSignature = 0x06054b50;
const endBytes = 22;
const entrySignature = 0x02014b50;
const entryBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
/** Deflate's best: 258 bytes out of two bits. */
const deflateRatio = 1032;
const pieceBytes = 4096;
/** A block of deflate may take 64 KiB before it gives anything; after twice that, the data has ended before its bytes. */
const maxSilentPieces = 32;

/** Whether the bytes begin as a zip archive does. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The entries of a zip archive (PKWARE's APPNOTE.TXT), by name. Everything that the directory says is compared with what is
 * there: sizes, names, overlaps. Checksums are not computed: PyTorch may leave them out.
 * @throws FormatError for truncated and damaged archives, encrypted entries, methods other than stored and deflate, two entries
 *   of one name, and archives whose counts or sizes need zip64
 */
export function readZip(bytes: Uint8Array, file: string): ReadonlyMap<string, ZipEntry> {
  return new ZipReader(bytes, file).read();
}

/** An entry's content: a view of the file where it is stored, inflated memory otherwise. @throws FormatError */
export function entryData(bytes: Uint8Array, entry: ZipEntry, file: string, budget: Budget): Uint8Array {
  const { name, offset, compressedSize, size } = entry;
  const data = bytes.subarray(offset, offset + compressedSize);
  if (entry.method === "stored") return data;
  const what = `entry ${JSON.stringify(name)}`;
  budget.spend(size, `inflating ${what}`, offset);
  const out = new Uint8Array(size);
  let [filled, silent] = [0, 0];
  const inflate = new Inflate((chunk) => {
    if (filled + chunk.length > size) throw new Misfit("inflates to more");
    out.set(chunk, filled);
    filled += chunk.length;
    silent = chunk.length === 0 ? silent + 1 : 0;
    if (silent > maxSilentPieces) throw new Misfit(`inflates to ${filled}`);
  });
  try {
    // In pieces, so that data which goes on after the declared size is noticed soon and not inflated to its end.
    for (let at = 0; at < data.length; at += pieceBytes) {
      inflate.push(data.subarray(at, at + pieceBytes), at + pieceBytes >= data.length);
    }
    if (filled < size) throw new Misfit(`inflates to ${filled}`);
  } catch (cause) {
    const problem = cause instanceof Misfit ? cause.message : `does not inflate: ${(cause as Error).message}`;
    throw formatError(file, `${what}, declared as ${size} bytes, ${problem}`, { offset });
  }
  return out;
}

class Misfit extends Error {}

class ZipReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  read(): ReadonlyMap<string, ZipEntry> {
    const { offset: start, size, count } = this.#directory();
    const entries = new Map<string, ZipEntry>();
    let at = start;
    for (let i = 0; i < count; i++) {
      const next = this.#entry(at, start + size, start);
      if (entries.has(next.entry.name)) throw this.#error(`the archive holds ${show(next.entry.name)} twice`, at);
      entries.set(next.entry.name, next.entry);
      at = next.end;
    }
    this.#checkOverlaps([...entries.values()]);
    return entries;
  }

  /** Where the list of entries lies. */
  #directory(): { readonly offset: number; readonly size: number; readonly count: number } {
    const end = this.#findEnd();
    const count = this.#view.getUint16(end + 10, true);
    const size = this.#view.getUint32(end + 12, true);
    const offset = this.#view.getUint32(end + 16, true);
    if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
      throw this.#error("the archive needs zip64 (65535 entries or 4 GiB, or more); such archives are not read", end);
    }
    if (this.#view.getUint16(end + 4, true) !== 0 || this.#view.getUint16(end + 8, true) !== count) {
      throw this.#error("the archive is one of several parts; such archives are not read", end);
    }
    if (offset + size > end) {
      throw this.#error(`the directory is said to be bytes ${offset} to ${offset + size}, but it ends at ${end}`, end);
    }
    if (count * entryBytes > size) {
      throw this.#error(`the directory has ${size} bytes; its ${count} entries need ${count * entryBytes}`, end);
    }
    return { offset, size, count };
  }

  /** The end record: the last thing in the file but for a comment of at most 64 KiB. */
  #findEnd(): number {
    const last = this.#bytes.length - endBytes;
    for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
      if (this.#view.getUint32(at, true) !== endSignature) continue;
      if (at + endBytes + this.#view.getUint16(at + 20, true) === this.#bytes.length) return at;
    }
    throw this.#error(
      `the file begins as a zip archive, but its ${this.#bytes.length} bytes do not end as one: it is cut off or damaged`,
    );
  }

  #entry(at: number, limit: number, dataEnd: number): { readonly entry: ZipEntry; readonly end: number } {
    if (at + entryBytes > limit || this.#view.getUint32(at, true) !== entrySignature) {
      throw this.#error("the directory of the archive is damaged: an entry was expected", at);
    }
    const u16 = (offset: number): number => this.#view.getUint16(at + offset, true);
    const u32 = (offset: number): number => this.#view.getUint32(at + offset, true);
    const nameEnd = at + entryBytes + u16(28);
    const end = nameEnd + u16(30) + u16(32);
    if (end > limit) throw this.#error("the directory of the archive is damaged: an entry goes past its end", at);
    const name = decodeUtf8(this.#bytes.subarray(at + entryBytes, nameEnd));
    if (name === undefined) throw this.#error("the name of an entry is not UTF-8", at);
    const [flags, number, compressedSize, size, local] = [u16(8), u16(10), u32(20), u32(24), u32(42)];
    if (flags & 1) throw this.#error(`entry ${show(name)} is encrypted`, at);
    if ([compressedSize, size, local].includes(0xffffffff)) {
      throw this.#error(`entry ${show(name)} needs zip64 (4 GiB or more); such archives are not read`, at);
    }
    const method = number === 0 ? "stored" : number === 8 ? "deflated" : undefined;
    if (method === undefined) {
      throw this.#error(
        `entry ${show(name)} is compressed by method ${number}; stored (0) and deflate (8) are read`,
        at,
      );
    }
    const entry = {
      name,
      offset: this.#dataStart(name, number, local, dataEnd),
      compressedSize,
      size,
      method,
    } as const;
    this.#checkSizes(entry, at, dataEnd);
    return { entry, end };
  }

  /** After the entry's own header, which has to agree with the directory. */
  #dataStart(name: string, method: number, at: number, dataEnd: number): number {
    if (at + localBytes > dataEnd || this.#view.getUint32(at, true) !== localSignature) {
      throw this.#error(`entry ${show(name)} is missing: nothing begins where the directory says`, at);
    }
    const nameEnd = at + localBytes + this.#view.getUint16(at + 26, true);
    const start = nameEnd + this.#view.getUint16(at + 28, true);
    if (start > dataEnd) throw this.#error(`entry ${show(name)} is cut off in its header`, at);
    const own = decodeUtf8(this.#bytes.subarray(at + localBytes, nameEnd));
    if (own !== name || this.#view.getUint16(at + 8, true) !== method) {
      throw this.#error(`entry ${show(name)} says otherwise of itself than the directory`, at);
    }
    return start;
  }

  #checkSizes({ name, offset, compressedSize, size, method }: ZipEntry, at: number, dataEnd: number): void {
    if (offset + compressedSize > dataEnd) {
      throw this.#error(
        `entry ${show(name)} is said to have ${compressedSize} bytes; ${dataEnd - offset} follow its header`,
        at,
      );
    }
    if (method === "stored" && size !== compressedSize) {
      throw this.#error(`entry ${show(name)} is stored in ${compressedSize} bytes but declared as ${size}`, at);
    }
    if (size > compressedSize * deflateRatio) {
      throw this.#error(
        `entry ${show(name)} is declared as ${size} bytes; its ${compressedSize} compressed ones hold at most ${compressedSize * deflateRatio}`,
        at,
      );
    }
  }

  #checkOverlaps(entries: ZipEntry[]): void {
    entries.sort((a, b) => a.offset - b.offset || a.compressedSize - b.compressedSize);
    for (const [i, entry] of entries.entries()) {
      const before = entries[i - 1];
      if (before !== undefined && before.offset + before.compressedSize > entry.offset - localBytes) {
        throw this.#error(`the entries ${show(before.name)} and ${show(entry.name)} overlap`, entry.offset);
      }
    }
  }

  #error(message: string, offset?: number): Error {
    return formatError(this.#file, message, offset === undefined ? {} : { offset });
  }
}

const show = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
