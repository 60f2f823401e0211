import type { FormatError } from "@ocelli/core";
import { formatError } from "../bytes.js";
import { type FileDType, fileDTypeBytes } from "../file-tensor.js";
import type { Budget } from "./budget.js";
import { type Buildable, type Callable, tupleItems } from "./pickle.js";
import { extentOf, type Storage, storageDTypes, torchDTypes, type View } from "./storage.js";

/** Torch's own limit. */
const maxRank = 64;
/** Memory of an entry of a dictionary, roughly. */
const pairBytes = 40;
/** Memory of an axis of a tensor: its size and its stride. */
const axisBytes = 16;
const maxDeviceLength = 64;

/** Where else torch keeps its storages: very old files of models on a graphics card name `torch.cuda.FloatStorage`. */
const storageModules = ["torch", "torch.cuda", "torch.storage"];

/** What PyTorch writes and this reader cannot hold, and why. */
const refused: Readonly<Record<string, string>> = {
  "torch._utils._rebuild_sparse_tensor": "sparse tensors are not read; save them dense",
  "torch._utils._rebuild_sparse_csr_tensor": "sparse tensors are not read; save them dense",
  "torch._utils._rebuild_qtensor": "quantised tensors are not read; save them dequantised",
  "torch._utils._rebuild_nested_tensor": "nested tensors are not read",
  "torch._utils._rebuild_wrapper_subclass": "subclasses of tensors are not read",
  "torch.ComplexFloatStorage": "complex numbers are not read",
  "torch.ComplexDoubleStorage": "complex numbers are not read",
  "torch.complex64": "complex numbers are not read",
  "torch.complex128": "complex numbers are not read",
  "torch.QInt8Storage": "quantised tensors are not read; save them dequantised",
  "torch.QUInt8Storage": "quantised tensors are not read; save them dequantised",
  "torch.QInt32Storage": "quantised tensors are not read; save them dequantised",
};

/**
 * The closed list of what a pickle of PyTorch may name, and what it does here: tensors, their storages and dtypes, `torch.Size`,
 * `torch.device`, `collections.OrderedDict` and numpy's scalars.
 */
export class TorchGlobals {
  /** Every tensor that the pickle made. */
  readonly views: View[] = [];
  readonly storages = new Map<string, Storage>();
  readonly #file: string;
  readonly #budget: Budget;

  constructor(file: string, budget: Budget) {
    this.#file = file;
    this.#budget = budget;
  }

  readonly #callables: Readonly<Record<string, Callable>> = {
    "collections.OrderedDict": (args, at) => this.#orderedDict(args, at),
    "torch.Size": (args, at) => this.#sizes(args[0], "torch.Size", at),
    "torch.device": (args, at) => this.#device(args, at),
    "torch._utils._rebuild_tensor": (args, at) => this.#tensor(args, at),
    "torch._utils._rebuild_tensor_v2": (args, at) => this.#tensor(args, at),
    "torch._utils._rebuild_tensor_v3": (args, at) => this.#tensor(args, at, args[6]),
    "torch._utils._rebuild_parameter": (args) => args[0],
    "torch._utils._rebuild_parameter_with_state": (args) => args[0],
    "_codecs.encode": (args, at) => this.#latin1(args, at),
    "numpy.dtype": (args, at) => this.#numpyType(args, at),
    "numpy.core.multiarray.scalar": (args, at) => this.#numpyScalar(args, at),
    "numpy._core.multiarray.scalar": (args, at) => this.#numpyScalar(args, at),
  };

  readonly global = (module: string, name: string, offset: number): unknown => {
    const full = `${module}.${name}`;
    if (Object.hasOwn(this.#callables, full)) return this.#callables[full];
    // A storage's class or a dtype is its name: all that is done with one is to look it up.
    if (storageModules.includes(module) && Object.hasOwn(storageDTypes, name)) return name;
    if (module === "torch" && Object.hasOwn(torchDTypes, name)) return `torch.${name}`;
    throw this.#refusal(full, offset);
  };

  /** `("storage", class, key, device, elements)`, in the older format with a sixth item about views. */
  readonly persistent = (id: unknown, offset: number): Storage => {
    const items = tupleItems(id) ?? [];
    const [kind, type, key, , count, viewed] = items;
    if (kind === "module") {
      throw this.#error("the file holds a whole model with its code; save model.state_dict() instead", offset);
    }
    const known = typeof type === "string" && Object.hasOwn(storageDTypes, type);
    if (kind !== "storage" || !known || typeof key !== "string" || !isSize(count)) {
      throw this.#error("damaged pickle: a persistent id is no storage", offset);
    }
    if (viewed !== undefined && viewed !== null) {
      throw this.#error("a storage that is part of another (PyTorch before 0.4) is not read", offset);
    }
    const dtype = storageDTypes[type] as FileDType;
    const before = this.storages.get(key);
    if (before === undefined) {
      const storage: Storage = { key, dtype, count, offset, bytes: undefined };
      this.storages.set(key, storage);
      return storage;
    }
    if (before.dtype === dtype && before.count === count) return before;
    throw this.#error(
      `storage ${JSON.stringify(key)} is ${before.count} of ${before.dtype} and ${count} of ${dtype} at once`,
      offset,
    );
  };

  #tensor([storage, start, size, strides]: readonly unknown[], offset: number, dtypeName?: unknown): View["tensor"] {
    if (!this.#isStorage(storage) || !isSize(start))
      throw this.#error("damaged pickle: a tensor has no storage", offset);
    const shape = this.#sizes(size, "a tensor's size", offset);
    const stride = this.#sizes(strides, "a tensor's stride", offset);
    this.#budget.spend(shape.length * axisBytes, "a tensor's shape", offset);
    const dtype = dtypeName === undefined ? storage.dtype : this.#dtype(dtypeName, offset);
    const spec = `${dtype}[${shape.join(", ")}]`;
    if (stride.length !== shape.length) {
      throw this.#error(`a tensor ${spec} has the strides [${stride.join(", ")}]: one for each axis is needed`, offset);
    }
    const { count, last } = extentOf(shape, stride);
    // Untyped storages count bytes.
    const room = Math.floor((storage.count * fileDTypeBytes[storage.dtype]) / fileDTypeBytes[dtype]);
    if (!Number.isSafeInteger(count * 8) || (count > 0 && !(start + last < room))) {
      throw this.#error(
        `a tensor ${spec} with strides [${stride.join(", ")}] from element ${start} goes past its storage, which has ${room} elements`,
        offset,
      );
    }
    const tensor = { dtype, shape, bytes: new Uint8Array(0) };
    this.views.push({ tensor, storage, start, stride });
    return tensor;
  }

  #isStorage(value: unknown): value is Storage {
    return typeof value === "object" && value !== null && this.storages.get((value as Storage).key) === value;
  }

  #sizes(value: unknown, what: string, offset: number): number[] {
    const sizes = Array.isArray(value) ? value : undefined;
    if (sizes !== undefined && sizes.length > maxRank)
      throw this.#error(`${what} has ${sizes.length} axes; at most ${maxRank} are read`, offset);
    if (sizes?.every(isSize)) return [...sizes];
    throw this.#error(`damaged pickle: ${what} is not a tuple of non-negative integers`, offset);
  }

  #dtype(name: unknown, offset: number): FileDType {
    const dtype = typeof name === "string" && name.startsWith("torch.") ? name.slice(6) : "";
    if (!Object.hasOwn(torchDTypes, dtype)) throw this.#error("damaged pickle: a tensor's dtype is none", offset);
    return torchDTypes[dtype] as FileDType;
  }

  /** Its type and, maybe, its index: `cuda:0`. */
  #device(args: readonly unknown[], offset: number): string {
    const [type, index] = args;
    const isType = typeof type === "string" && type.length <= maxDeviceLength;
    if (isType && (index === undefined || isSize(index))) return index === undefined ? type : `${type}:${index}`;
    throw this.#error("damaged pickle: a device is neither a name nor a name and a number", offset);
  }

  /** Empty, or (from Python 2) made of pairs. */
  #orderedDict([pairs]: readonly unknown[], offset: number): Map<unknown, unknown> {
    const dict = new Map<unknown, unknown>();
    if (pairs === undefined) return dict;
    if (!Array.isArray(pairs)) throw this.#error("damaged pickle: an OrderedDict is made of what is no list", offset);
    // The same list may be named over and over.
    this.#budget.spend(pairs.length * pairBytes, "an OrderedDict", offset);
    for (const pair of pairs) {
      if (!Array.isArray(pair) || pair.length !== 2) throw this.#error("damaged pickle: an item is no pair", offset);
      dict.set(pair[0], pair[1]);
    }
    return dict;
  }

  /** How protocol 2 writes bytes: as text whose characters are the bytes. */
  #latin1([text, encoding]: readonly unknown[], offset: number): Uint8Array {
    if (typeof text !== "string" || encoding !== "latin1") {
      throw this.#error('damaged pickle: bytes are not in the encoding "latin1"', offset);
    }
    this.#budget.spend(text.length, "a string of bytes", offset);
    return Uint8Array.from(text, (char) => char.charCodeAt(0));
  }

  #numpyType([code]: readonly unknown[], offset: number): NumpyType {
    if (typeof code === "string" && Object.hasOwn(numpyReaders, code)) return new NumpyType(code);
    const shown = typeof code === "string" ? ` ${JSON.stringify(code.slice(0, 80))}` : "";
    throw this.#error(`numpy's type${shown} is not read; numbers and booleans are`, offset);
  }

  #numpyScalar([type, given]: readonly unknown[], offset: number): unknown {
    const bytes = typeof given === "string" ? this.#latin1([given, "latin1"], offset) : given;
    if (type instanceof NumpyType && bytes instanceof Uint8Array && bytes.length === Number(type.code.slice(1))) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return numpyReaders[type.code]?.(view, !type.bigEndian);
    }
    throw this.#error("damaged pickle: a number of numpy's does not have the bytes of its type", offset);
  }

  #refusal(name: string, offset: number): FormatError {
    const why = Object.hasOwn(refused, name)
      ? refused[name]
      : "only tensors, their storages, containers and numbers may be named. Nothing was executed; if you trust the file, save its state_dict alone";
    return formatError(this.#file, `the pickle names ${JSON.stringify(name.slice(0, 200))}: ${why}`, {
      offset,
      global: name,
    });
  }

  #error(message: string, offset: number): FormatError {
    return formatError(this.#file, message, { offset });
  }
}

class NumpyType implements Buildable {
  readonly code: string;
  bigEndian = false;

  constructor(code: string) {
    this.code = code;
  }

  /** `(version, byte order, ...)` */
  build(state: unknown): void {
    this.bigEndian = tupleItems(state)?.[1] === ">";
  }
}

const numpyReaders: Readonly<Record<string, (view: DataView, littleEndian: boolean) => number | bigint | boolean>> = {
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
  i4: (view, little) => view.getInt32(0, little),
  i8: (view, little) => compact(view.getBigInt64(0, little)),
  u1: (view) => view.getUint8(0),
  b1: (view) => view.getUint8(0) !== 0,
};

function compact(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
