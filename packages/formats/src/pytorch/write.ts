import { ArgumentError, DTypeError, ShapeError, sizeOf } from "@ocelli/core";
import { type Zippable, zipSync } from "fflate";
import { encodeUtf8 } from "../bytes.js";
import { type FileDType, type FileTensor, fileDTypeBytes } from "../file-tensor.js";
import { storageDTypes } from "./storage.js";

const root = "archive/";
/** PyTorch's own: a storage's bytes start at a multiple of it, so that they can be used where they lie. */
const alignment = 64;
/** Of PyTorch's padding in a zip entry's extra field. */
const paddingId = 0x4246;
const localBytes = 30;

const storageNames = new Map<FileDType, string>(
  Object.entries(storageDTypes).flatMap(([name, dtype]) => (name === "UntypedStorage" ? [] : [[dtype, name] as const])),
);

/**
 * A state_dict as `torch.save` writes it (the zip format, protocol 2), which `torch.load(file, weights_only=True)` reads: an
 * OrderedDict of tensors by name. The same tensors give the same bytes.
 * @throws ArgumentError for a name that occurs twice, DTypeError for dtypes that PyTorch's storages do not have (U16, U32, U64, the
 *   8-bit floats), ShapeError when a tensor's bytes do not fill its shape
 */
export function writePyTorch(tensors: Iterable<readonly [string, FileTensor]>): Uint8Array {
  const entries = [...tensors];
  checkEntries(entries);
  const files: [string, Uint8Array][] = [
    ["data.pkl", pickled(entries)],
    ["byteorder", encodeUtf8("little")],
    ...entries.map(([, { bytes }], key): [string, Uint8Array] => [`data/${key}`, bytes]),
    ["version", encodeUtf8("3\n")],
  ];
  const archive: Zippable = {};
  let at = 0;
  for (const [name, bytes] of files) {
    const path = `${root}${name}`;
    const start = at + localBytes + path.length + 4;
    const padding = (alignment - (start % alignment)) % alignment;
    archive[path] = [bytes, { level: 0, mtime: new Date(1980, 0, 1), extra: { [paddingId]: new Uint8Array(padding) } }];
    at = start + padding + bytes.length;
  }
  return zipSync(archive);
}

function checkEntries(entries: readonly (readonly [string, FileTensor])[]): void {
  const taken = new Set<string>();
  for (const [name, { dtype, shape, bytes }] of entries) {
    const what = `pytorch: tensor ${JSON.stringify(name)}`;
    if (taken.has(name)) throw new ArgumentError(`pytorch: the name ${JSON.stringify(name)} occurs twice`);
    taken.add(name);
    if (!storageNames.has(dtype)) {
      const known = [...storageNames.keys()].join(", ");
      throw new DTypeError(`${what} is ${dtype}; PyTorch's storages have ${known}`, { dtype });
    }
    const needed = sizeOf(shape) * fileDTypeBytes[dtype];
    if (bytes.length !== needed || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new ShapeError(`${what} has ${bytes.length} bytes; ${dtype}[${shape.join(", ")}] needs ${needed}`, {
        shape,
      });
    }
  }
}

/** The state_dict as a pickle; `storage` of a tensor is its place in the list. */
function pickled(entries: readonly (readonly [string, FileTensor])[]): Uint8Array {
  const out = new Pickler();
  out.opcodes(0x80, 2);
  out.emptyOrderedDict();
  out.opcodes(mark);
  for (const [key, [name, { dtype, shape }]] of entries.entries()) {
    out.string(name);
    out.global("torch._utils", "_rebuild_tensor_v2");
    out.opcodes(mark, mark);
    out.string("storage");
    out.global("torch", storageNames.get(dtype) as string);
    out.string(`${key}`);
    out.string("cpu");
    out.integer(sizeOf(shape));
    // The tuple, which is a persistent id; then the offset into the storage.
    out.opcodes(tuple, persistentId);
    out.integer(0);
    out.integers(shape);
    out.integers(shape.map((_, axis) => sizeOf(shape.slice(axis + 1))));
    // requires_grad, and no hooks.
    out.opcodes(newFalse);
    out.emptyOrderedDict();
    out.opcodes(tuple, reduce);
  }
  out.opcodes(setItems, stop);
  return out.bytes();
}

const [mark, tuple, emptyTuple, setItems] = [0x28, 0x74, 0x29, 0x75];
const [persistentId, reduce, newFalse, stop] = [0x51, 0x52, 0x89, 0x2e];
const [binInt, long1, binUnicode, globalName] = [0x4a, 0x8a, 0x58, 0x63];

class Pickler {
  readonly #chunks: Uint8Array[] = [];

  opcodes(...bytes: number[]): void {
    this.#chunks.push(Uint8Array.from(bytes));
  }

  global(module: string, name: string): void {
    this.opcodes(globalName);
    this.#chunks.push(encodeUtf8(`${module}\n${name}\n`));
  }

  emptyOrderedDict(): void {
    this.global("collections", "OrderedDict");
    this.opcodes(emptyTuple, reduce);
  }

  string(text: string): void {
    const utf8 = encodeUtf8(text);
    this.#little(binUnicode, 4, BigInt(utf8.length));
    this.#chunks.push(utf8);
  }

  integer(value: number): void {
    if (value < 2 ** 31) this.#little(binInt, 4, BigInt(value));
    else {
      this.opcodes(long1);
      this.#little(8, 8, BigInt(value));
    }
  }

  integers(values: readonly number[]): void {
    this.opcodes(mark);
    for (const value of values) this.integer(value);
    this.opcodes(tuple);
  }

  /** A byte, then a number of so many bytes. */
  #little(first: number, width: number, value: bigint): void {
    const bytes = [first];
    for (let i = 0n; i < width; i++) bytes.push(Number((value >> (8n * i)) & 255n));
    this.#chunks.push(Uint8Array.from(bytes));
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.#chunks.reduce((size, chunk) => size + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }
}
