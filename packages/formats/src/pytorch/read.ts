import { decodeUtf8, formatError } from "../bytes.js";
import { fileDTypeBytes } from "../file-tensor.js";
import type { ReadOptions } from "../safetensors/read.js";
import { Budget } from "./budget.js";
import { TorchGlobals } from "./globals.js";
import { type Unpickled, unpickle } from "./pickle.js";
import { littleEndianBytes, resolve, type Storage } from "./storage.js";
import { describeValue, type PyTorchValue } from "./value.js";
import { entryData, looksLikeZip, readZip, type ZipEntry } from "./zip.js";

const unnamed = "pytorch";
/** The first pickle of a file in the older format. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;

/**
 * Reads what `torch.save` wrote: the zip format (PyTorch 1.6 and later) and the one before it. Tensors come as
 * {@link FileTensor}s that view `bytes` where their elements lie in order, copies otherwise; tensors that share memory do so here.
 *
 * A pickle is a program. Here it can put together dictionaries, lists, tuples, strings, numbers and tensors, and nothing else:
 * the names it may use are a closed list, and nothing of Python's is run. Memory stays under 16 times the file's size (and a
 * MiB). Not checked: checksums of zip entries, which PyTorch may leave out.
 * @throws FormatError naming the file, what is wrong and where: files that are cut off or damaged, names outside of the list,
 *   sparse, quantised and complex tensors, archives of TorchScript, archives that need zip64
 */
export function readPyTorch(bytes: Uint8Array, { name = unnamed }: ReadOptions = {}): PyTorchValue {
  const reader = new Reader(bytes, name);
  return (looksLikeZip(bytes) ? reader.zip() : reader.legacy()) as PyTorchValue;
}

/** The length of the header in 64 bits, then the header: a JSON object. */
function looksLikeSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  return length <= bytes.length - 8;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #budget: Budget;
  readonly #globals: TorchGlobals;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#file = file;
    this.#budget = new Budget(file, bytes.length);
    this.#globals = new TorchGlobals(file, this.#budget);
  }

  zip(): unknown {
    const entries = readZip(this.#bytes, this.#file);
    const root = this.#root(entries);
    const data = (name: string): Uint8Array | undefined => {
      const entry = entries.get(`${root}${name}`);
      return entry === undefined ? undefined : entryData(this.#bytes, entry, this.#file, this.#budget);
    };
    const pickle = entries.get(`${root}data.pkl`) as ZipEntry;
    // A byte of a pickle may put 8 on the stack; one that is inflated has more bytes than the file.
    if (pickle.method === "deflated") this.#budget.spend(8 * pickle.size, "running data.pkl", pickle.offset);
    // Where it is stored, offsets in messages are the file's.
    const { value } =
      pickle.method === "stored"
        ? this.#unpickle(this.#bytes.subarray(0, pickle.offset + pickle.size), pickle.offset)
        : this.#unpickle(data("data.pkl") as Uint8Array, 0);
    const order = decodeUtf8(data("byteorder") ?? new Uint8Array(0));
    if (order === undefined || !["", "little", "big"].includes(order.trim())) {
      throw formatError(this.#file, "the entry byteorder says neither little nor big");
    }
    for (const storage of this.#globals.storages.values()) {
      const found = data(`data/${storage.key}`);
      if (found === undefined) {
        throw formatError(this.#file, `the entry ${JSON.stringify(`${root}data/${storage.key}`)} is missing`, {
          offset: storage.offset,
        });
      }
      this.#fill(storage, found, order.trim() === "big");
    }
    return this.#finish(value);
  }

  /** The folder that all entries lie in; its name is of the writer's choosing. */
  #root(entries: ReadonlyMap<string, ZipEntry>): string {
    const roots = [...entries.keys()].flatMap((name) => /^([^/]*\/)data\.pkl$/.exec(name)?.slice(1) ?? []);
    const [root] = roots;
    if (root === undefined || roots.length > 1) {
      throw formatError(
        this.#file,
        `a zip archive, but not PyTorch's: it has ${roots.length} entries */data.pkl; one is needed`,
      );
    }
    if (entries.has(`${root}constants.pkl`)) {
      throw formatError(
        this.#file,
        "an archive of TorchScript, which holds code; save model.state_dict() with torch.save instead",
      );
    }
    return root;
  }

  /** Pickles of a magic number, the protocol, the machine, the value and the keys of storages; then the storages in that order. */
  legacy(): unknown {
    if (looksLikeSafetensors(this.#bytes)) {
      throw formatError(this.#file, "looks like a safetensors file (it begins with a length and JSON); name it so", {
        offset: 0,
      });
    }
    const start = this.#bytes.subarray(0, 2);
    if (start[0] !== 0x80 || start[1] !== 2) throw this.#notPyTorch();
    const magic = this.#unpickle(this.#bytes, 0);
    if (magic.value !== legacyMagic) throw this.#notPyTorch();
    const protocol = this.#unpickle(this.#bytes, magic.end);
    if (protocol.value !== legacyProtocol) {
      throw formatError(
        this.#file,
        `the protocol is ${describeValue(protocol.value as PyTorchValue)}; ${legacyProtocol} is read`,
        {
          offset: magic.end,
        },
      );
    }
    const machine = this.#unpickle(this.#bytes, protocol.end);
    const { value, end } = this.#unpickle(this.#bytes, machine.end);
    const keys = this.#unpickle(this.#bytes, end);
    this.#legacyStorages(keys, end);
    return this.#finish(value);
  }

  /** Each: the count of elements in 64 bits, then the elements; always little-endian. */
  #legacyStorages({ value: keys, end }: Unpickled, keysAt: number): void {
    if (!Array.isArray(keys)) throw formatError(this.#file, "the keys of the storages are no list", { offset: keysAt });
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    let at = end;
    for (const key of keys) {
      const storage = typeof key === "string" ? this.#globals.storages.get(key) : undefined;
      if (storage === undefined || storage.bytes !== undefined) {
        const problem = storage === undefined ? "no tensor uses" : "occurs twice";
        const shown = typeof key === "string" ? JSON.stringify(key.slice(0, 80)) : describeValue(key as PyTorchValue);
        throw formatError(this.#file, `the storage ${shown} ${problem}`, { offset: at });
      }
      if (at + 8 > this.#bytes.length)
        throw formatError(this.#file, "the file is cut off before a storage", { offset: at });
      const count = Number(view.getBigInt64(at, true));
      const size = storage.count * fileDTypeBytes[storage.dtype];
      if (count !== storage.count || at + 8 + size > this.#bytes.length) {
        const room = this.#bytes.length - at - 8;
        throw formatError(
          this.#file,
          `storage ${JSON.stringify(key)} has ${storage.count} elements of ${storage.dtype} (${size} bytes); the file says ${count} and has ${room} bytes left`,
          { offset: at },
        );
      }
      storage.bytes = this.#bytes.subarray(at + 8, at + 8 + size);
      at += 8 + size;
    }
    const left = this.#bytes.length - at;
    if (left > 0) throw formatError(this.#file, `${left} bytes after the last storage belong to none`, { offset: at });
  }

  #fill(storage: Storage, bytes: Uint8Array, bigEndian: boolean): void {
    const { key, count, dtype, offset } = storage;
    const needed = count * fileDTypeBytes[dtype];
    if (bytes.length !== needed) {
      throw formatError(
        this.#file,
        `storage ${JSON.stringify(key)} has ${bytes.length} bytes; ${count} elements of ${dtype} need ${needed}`,
        { offset },
      );
    }
    storage.bytes = littleEndianBytes(bytes, dtype, bigEndian, this.#budget);
  }

  #finish(value: unknown): unknown {
    for (const view of this.#globals.views) resolve(view, this.#file, this.#budget);
    return value;
  }

  #unpickle(bytes: Uint8Array, offset: number): Unpickled {
    const { global, persistent } = this.#globals;
    return unpickle(bytes, { file: this.#file, offset, global, persistent, budget: this.#budget });
  }

  #notPyTorch(): Error {
    return formatError(
      this.#file,
      `these ${this.#bytes.length} bytes are no file of torch.save: they begin neither as a zip archive nor with PyTorch's pickle`,
      { offset: 0 },
    );
  }
}
