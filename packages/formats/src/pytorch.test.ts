import { readFileSync } from "node:fs";
import { ArgumentError, DTypeError, FormatError, ShapeError } from "@ocelli/core";
import { deflateSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { encodeUtf8 } from "./bytes.js";
import { type FileDType, type FileTensor, fileDTypeBytes, toHostTensor } from "./file-tensor.js";
import { type PyTorchValue, readPyTorch, stateDictOf, stateDictPlaces, writePyTorch } from "./pytorch.js";
import { writeSafetensors } from "./safetensors.js";

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
const read = (name: string): PyTorchValue => readPyTorch(fixture(name), { name });

type Dict = ReadonlyMap<PyTorchValue, PyTorchValue>;
const at = (value: PyTorchValue, ...keys: PyTorchValue[]): PyTorchValue =>
  keys.reduce<PyTorchValue>((inner, key) => (inner as Dict).get(key) ?? null, value);
const numbers = (value: PyTorchValue): number[] => [...toHostTensor(value as FileTensor).data];
const f32 = (shape: number[], values: number[]): FileTensor => ({
  dtype: "F32",
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

describe.each(["pytorch-zip.pt", "pytorch-legacy.pt"])("%s, written by PyTorch", (name) => {
  const value = read(name);
  const base = Array.from({ length: 24 }, (_, i) => i / 4);

  it("holds Python's plain values", () => {
    const plain = Object.fromEntries(
      ["epoch", "best", "big", "name", "none", "yes", "size", "device", "dtype", "numpy"].map((key) => [
        key,
        at(value, key),
      ]),
    );
    expect(plain).toEqual({
      epoch: 5,
      best: 91.25,
      big: 2n ** 70n,
      name: "résumé",
      none: null,
      yes: true,
      size: [2, 3, 4],
      device: "cpu",
      dtype: "torch.float16",
      numpy: 1.5,
    });
    expect(JSON.stringify([at(value, "tuple"), at(value, "list")])).toBe("[[1,2,3,4,[5]],[-1,70000,[0.5]]]");
    expect(JSON.stringify(at(value, "optimizer", "param_groups"))).toBe("[{}]");
    expect(at((at(value, "optimizer", "param_groups") as PyTorchValue[])[0] as PyTorchValue, "lr")).toBe(0.1);
    expect(numbers(at(value, "optimizer", "state", 0, "step"))).toEqual([3]);
    expect(numbers(at(value, "optimizer", "state", 0, "buf"))).toEqual(base.slice(0, 12));
  });

  it("holds tensors of every dtype", () => {
    const dtypes: Record<string, FileDType> = { uint8: "U8", int8: "I8", int16: "I16", int32: "I32", int64: "I64" };
    Object.assign(dtypes, { float16: "F16", bfloat16: "BF16", float32: "F32", float64: "F64" });
    for (const [torch, dtype] of Object.entries(dtypes)) {
      const tensor = at(value, "dtypes", torch) as FileTensor;
      expect(tensor).toMatchObject({ dtype, shape: [2, 3] });
      const first = dtype === "U8" ? 0 : -2;
      const expected = [0, 1, 2, 3, 4, 5].map((i) => first + i);
      // -2 to 3 in half precision.
      const half = [0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200];
      expect(numbers(tensor)).toEqual(dtype === "F16" ? half : expected);
    }
    expect(at(value, "dtypes", "bool")).toMatchObject({ dtype: "BOOL", shape: [3] });
    expect(numbers(at(value, "dtypes", "bool"))).toEqual([1, 0, 1]);
  });

  it("holds views of one memory", () => {
    const view = (key: string): FileTensor => at(value, "views", key) as FileTensor;
    expect(view("row").shape).toEqual([3, 4]);
    expect(numbers(view("row"))).toEqual(base.slice(12));
    expect(view("row").bytes.buffer).toBe(view("base").bytes.buffer);
    expect(view("row").bytes.byteOffset - view("base").bytes.byteOffset).toBe(48);
    // [4, 2, 3]: element (k, i, j) is base's (i, j, k).
    const transposed = [0, 1, 2, 3].flatMap((k) =>
      [0, 1].flatMap((i) => [0, 1, 2].map((j) => (12 * i + 4 * j + k) / 4)),
    );
    expect(view("transposed").shape).toEqual([4, 2, 3]);
    expect(numbers(view("transposed"))).toEqual(transposed);
    expect(view("strided").shape).toEqual([2, 2, 2]);
    expect(numbers(view("strided"))).toEqual([1, 3, 9, 11, 13, 15, 21, 23].map((i) => i / 4));
    expect(numbers(view("expanded"))).toEqual([1, 1, 1, 2, 2, 2]);
    expect(view("scalar").shape).toEqual([]);
    expect(numbers(view("scalar"))).toEqual([2.5]);
    expect(view("empty")).toMatchObject({ shape: [0, 3], bytes: new Uint8Array(0) });
  });

  it("copies nothing that lies in order", () => {
    const bytes = fixture(name);
    const weight = at(readPyTorch(bytes), "state_dict", "module.conv.weight") as FileTensor;
    expect(weight.bytes.buffer).toBe(bytes.buffer);
  });

  it("has a state_dict, whose names lose their prefix", () => {
    const state = stateDictOf(value);
    expect([...state.keys()]).toEqual(["conv.weight", "bn.num_batches_tracked"]);
    expect(state.get("bn.num_batches_tracked")).toMatchObject({ dtype: "I64", shape: [] });
    expect(numbers(state.get("conv.weight") as FileTensor)).toEqual(base);
  });
});

describe("the state_dict", () => {
  const w = f32([1], [1]);
  const dict = (entries: Record<string, PyTorchValue>): PyTorchValue => new Map(Object.entries(entries));

  it("of a module is the file", () => {
    expect([...stateDictOf(read("linear.pth")).keys()]).toEqual(["weight", "bias"]);
  });

  it("is the top level if that holds tensors, otherwise the first place that does", () => {
    const both = dict({ a: w, model: dict({ b: w }), epoch: 1 });
    expect([...stateDictOf(both).keys()]).toEqual(["a"]);
    const placed = dict({
      ema: dict({ e: w }),
      net: dict({ n: w }),
      state_dict: dict({ epoch: 1 }),
      other: dict({ o: w }),
    });
    expect([...stateDictOf(placed).keys()]).toEqual(["n"]);
    expect(stateDictPlaces(placed)).toEqual(["net", "ema", "other"]);
    expect(stateDictPlaces(both)).toEqual(["", "model"]);
    expect(stateDictPlaces(3)).toEqual([]);
  });

  it("loses `module.` only where all names have it, and `_orig_mod.` everywhere", () => {
    const names = (...keys: string[]): string[] => [
      ...stateDictOf(new Map(keys.map((key) => [key, w])) as PyTorchValue).keys(),
    ];
    expect(names("module.a", "module.b.module.c")).toEqual(["a", "b.module.c"]);
    expect(names("module.a", "b")).toEqual(["module.a", "b"]);
    expect(names("module._orig_mod.a", "_orig_mod.module.b", "module.c._orig_mod.d")).toEqual(["a", "b", "c.d"]);
    expect(names("not_orig_mod.a")).toEqual(["not_orig_mod.a"]);
    expect(() => names("a._orig_mod.b", "a.b")).toThrow('two entries are named "a.b"');
  });

  it("says what there is where there is none", () => {
    expect(() => stateDictOf(3, { name: "x.pt" })).toThrow("x.pt: holds 3; a dictionary of tensors by name is needed");
    expect(() => stateDictOf(dict({ epoch: 1, weights: dict({ a: w }), w: [w] }))).toThrow(
      'there is "epoch" (1), "weights" (a dictionary), "w" (a list)',
    );
    expect(() => stateDictOf(new Map())).toThrow("there is nothing");
  });
});

describe("writing", () => {
  const all = Object.keys(fileDTypeBytes).filter((dtype) => !/^(U16|U32|U64|F8)/.test(dtype)) as FileDType[];
  const sample = new Map<string, FileTensor>(
    all.map((dtype, i) => [
      `é.${i}`,
      {
        dtype,
        shape: [3, 2],
        bytes: Uint8Array.from({ length: 6 * fileDTypeBytes[dtype] }, (_, j) => (dtype === "BOOL" ? 1 : j)),
      },
    ]),
  );
  sample.set("scalar", { dtype: "I64", shape: [], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) });
  sample.set("empty", { dtype: "F32", shape: [0, 3], bytes: new Uint8Array(0) });

  it("gives back what was written, in order, the same bytes each time", () => {
    const bytes = writePyTorch(sample);
    expect(stateDictOf(readPyTorch(bytes))).toEqual(sample);
    expect([...stateDictOf(readPyTorch(bytes)).keys()]).toEqual([...sample.keys()]);
    expect(writePyTorch(sample)).toEqual(bytes);
  });

  it("puts tensors at multiples of 64 bytes", () => {
    const bytes = writePyTorch(sample);
    for (const [name, { bytes: data }] of stateDictOf(readPyTorch(bytes))) {
      if (data.length > 0) expect([name, (data.byteOffset - bytes.byteOffset) % 64]).toEqual([name, 0]);
    }
  });

  it("refuses what PyTorch cannot hold", () => {
    const w = f32([1], [1]);
    expect(() => writePyTorch([["a", { dtype: "U16", shape: [1], bytes: new Uint8Array(2) }]])).toThrow(DTypeError);
    expect(() =>
      writePyTorch([
        ["a", w],
        ["a", w],
      ]),
    ).toThrow(ArgumentError);
    expect(() => writePyTorch([["a", { ...w, shape: [2] }]])).toThrow(ShapeError);
  });
});

describe("what is refused", () => {
  it.each([
    ["names-a-function.pt", 'the pickle names "posix.system": only tensors'],
    ["names-a-function-legacy.pt", "Nothing was executed"],
    ["sparse.pt", "sparse tensors are not read"],
    ["quantised.pt", "quantised tensors are not read"],
    ["complex.pt", "complex numbers are not read"],
    ["whole-model.pt", 'the pickle names "torch.nn.modules.linear.Linear"'],
    ["torchscript.pt", "an archive of TorchScript"],
    ["plain-pickle.pt", "no file of torch.save"],
  ])("%s", (name, message) => {
    expect(() => read(name)).toThrow(FormatError);
    expect(() => read(name)).toThrow(`${name}: `);
    expect(() => read(name)).toThrow(message);
  });

  it("names the function and the place", () => {
    try {
      read("names-a-function.pt");
      expect.unreachable();
    } catch (error) {
      const { fields } = error as FormatError;
      expect(fields).toMatchObject({ file: "names-a-function.pt", global: "posix.system" });
      const text = new TextDecoder("latin1").decode(fixture("names-a-function.pt"));
      expect(fields.offset).toBe(text.indexOf("cposix\nsystem"));
    }
  });
});

const opcode = {
  proto: "\x80\x02",
  string: (text: string) => `X${String.fromCharCode(text.length)}\0\0\0${text}`,
  int: (value: number) => `K${String.fromCharCode(value)}`,
};

/** The pickle of one tensor of float32. */
function tensorPickle({
  key = "0",
  count = 4,
  start = 0,
  size = "K\x04\x85",
  stride = "K\x01\x85",
  type = "FloatStorage",
}) {
  const id = `(${opcode.string("storage")}ctorch\n${type}\n${opcode.string(key)}${opcode.string("cpu")}${opcode.int(count)}tQ`;
  return `${opcode.proto}ctorch._utils\n_rebuild_tensor_v2\n(${id}${opcode.int(start)}${size}${stride}\x89}tR.`;
}
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
/** An archive of stored entries. */
const archive = (pickle: string, entries: Record<string, Uint8Array> = { "data/0": new Uint8Array(16) }): Uint8Array =>
  zipSync(
    Object.fromEntries(
      Object.entries({ "data.pkl": latin1(pickle), ...entries }).map(([name, data]) => [`a/${name}`, data]),
    ),
    { level: 0 },
  );

describe("damaged pickles", () => {
  const deep = "]".repeat(50_000) + "a".repeat(49_999);
  const doubled = `)${Array.from({ length: 60 }, (_, i) => `q${String.fromCharCode(i)}h${String.fromCharCode(i)}\x86`).join("")}`;
  it.each([
    ["an opcode that is none", "\xff", "0xff is no opcode"],
    ["an opcode of objects with code", "(i__main__\nA\n.", "0x69 is no opcode"],
    ["an extension of copyreg", "\x82\x01.", "0x82 is no opcode"],
    ["protocol 0", "\x80\x00N.", "its protocol is 0"],
    ["nothing", "", "it is cut off"],
    ["nothing on the stack", "\x80\x02.", "the stack is empty"],
    ["no mark", "u.", "no mark is set"],
    ["a pop below the mark", "}(a.", "the stack is empty"],
    ["a memo that was not set", "h\x07.", "memo 7 was never set"],
    ["a string longer than the file", "X\xff\xff\xff\xffabc", "4294967295 bytes were expected"],
    ["a string of 2^63 bytes", "\x8d\0\0\0\0\0\0\0\x80", "a length is"],
    ["an integer of a million bytes", "\x8b\x40\x42\x0f\0", "an integer has 1000000 bytes"],
    ["a string that is no text", "X\x01\0\0\0\xff.", "a string is not UTF-8"],
    ["a key without a value", "}(K\x01u.", "a key has no value"],
    ["items in a number", "K\x01(K\x01K\x02u.", "what is no dictionary"],
    ["an append to a tuple", ")K\x01a.", "what is no list"],
    ["a call of a number", "K\x01)R.", "what is called is no function"],
    ["a call without arguments", "ccollections\nOrderedDict\nK\x01R.", "no tuple"],
    ["attributes of a number", "K\x01}b.", "attributes are set on what has none"],
    ["a persistent id of text", "X\x01\0\0\0aQ.", "a persistent id is no storage"],
    ["eval", "cbuiltins\neval\n.", '"builtins.eval"'],
    ["eval by the stack", "X\x08\0\0\0builtinsX\x04\0\0\0eval\x93.", '"builtins.eval"'],
    ["an inherited name", "ctorch\nconstructor\n.", '"torch.constructor"'],
    ["a name with dots", "ctorch\n_utils._rebuild_tensor_v2.__globals__\n.", "names"],
    ["a tensor past its storage", tensorPickle({ start: 1 }), "goes past its storage, which has 4 elements"],
    ["strides past it", tensorPickle({ stride: "K\x02\x85" }), "goes past its storage"],
    ["a stride missing", tensorPickle({ stride: ")" }), "one for each axis is needed"],
    ["a negative size", tensorPickle({ size: "J\xff\xff\xff\xff\x85" }), "a tensor's size is not a tuple"],
    ["a negative stride", tensorPickle({ stride: "J\xff\xff\xff\xff\x85" }), "a tensor's stride is not a tuple"],
    [
      "more elements than can be counted",
      tensorPickle({ size: `(${"J\xff\xff\xff\x7f".repeat(3)}t`, stride: `(${"K\0".repeat(3)}t` }),
      "goes past its storage",
    ],
    [
      "100 axes",
      tensorPickle({ size: `(${"K\x01".repeat(100)}t`, stride: `(${"K\x01".repeat(100)}t` }),
      "has 100 axes",
    ],
    ["a size of 100 axes", `ctorch\nSize\n(${"K\x01".repeat(100)}t\x85R.`, "torch.Size has 100 axes"],
    // Each tuple holds the one before twice: as text it would have 2^60 parts.
    ["a device of tuples", `ctorch\ndevice\n${doubled}\x85R.`, "a device is neither a name nor"],
    [
      "a device of a long name",
      `ctorch\ndevice\nX\x65\0\0\0${"a".repeat(101)}\x85R.`,
      "a device is neither a name nor",
    ],
    ["a dtype of tuples", `cnumpy\ndtype\n${doubled}\x85R.`, "numpy's type is not read"],
    ["a dtype of a large integer", "cnumpy\ndtype\n\x8a\x08\0\0\0\0\0\0\0\x7f\x85R.", "numpy's type is not read"],
    ["a storage of another size", tensorPickle({ count: 5 }), "has 16 bytes; 5 elements of F32 need 20"],
    ["a storage that is missing", tensorPickle({ key: "1" }), 'the entry "a/data/1" is missing'],
    ["a storage of an unknown class", tensorPickle({ type: "toString" }), '"torch.toString"'],
  ])("refuses %s", (_, pickle, message) => {
    const bytes = archive(pickle);
    expect(() => readPyTorch(bytes, { name: "m.pt" })).toThrow(FormatError);
    expect(() => readPyTorch(bytes, { name: "m.pt" })).toThrow(message);
  });

  it("reads deep nesting and values that hold themselves", () => {
    expect(Array.isArray(readPyTorch(archive(`${deep}.`)))).toBe(true);
    const own = readPyTorch(archive("]q\0h\0a.")) as PyTorchValue[];
    expect(own[0]).toBe(own);
  });

  it("has a limit of what small bytes may ask for", () => {
    // One element, seen 2^24 times.
    const expanded = tensorPickle({ size: "J\0\0\0\x01\x85", stride: "K\0\x85" });
    expect(() => readPyTorch(archive(expanded))).toThrow(/F32\[16777216\] that is not contiguous needs 67108864 bytes/);
    expect(() => readPyTorch(archive(`(${"}".repeat(500_000)}t.`))).toThrow("a container of the pickle needs");
  });

  it("counts what is named over and over as often as it is copied", () => {
    const pairs = `](${"K\x01K\x02\x86".repeat(20_000)}eq\x000`;
    const dicts = `ccollections\nOrderedDict\nq\x010(${"h\x01h\x00\x85R".repeat(2000)}t.`;
    expect(() => readPyTorch(archive(pairs + dicts))).toThrow("an OrderedDict needs 800000 bytes");
    const text = `X\x50\xc3\0\0${"a".repeat(50_000)}q\x000U\x06latin1q\x010c_codecs\nencode\nq\x020`;
    const bytes = `(${"h\x02h\x00h\x01\x86R".repeat(2000)}t.`;
    expect(() => readPyTorch(archive(text + bytes))).toThrow("a string of bytes needs 50000 bytes");
  });

  it("takes a storage by itself for no tensor", () => {
    const id = `(${opcode.string("storage")}ctorch\nFloatStorage\n${opcode.string("0")}${opcode.string("cpu")}K\x04tQ`;
    const value = readPyTorch(archive(`}${opcode.string("a")}${id}s.`));
    expect(() => stateDictOf(value)).toThrow('there is "a" (an object)');
  });

  it("reads old and new ways of naming", () => {
    expect((readPyTorch(archive(tensorPickle({}))) as FileTensor).shape).toEqual([4]);
    const pairs = "ccollections\nOrderedDict\n](]U\x01aaK\x01ae\x85R.";
    expect(readPyTorch(archive(pairs))).toEqual(new Map([["a", 1]]));
  });

  it("turns numbers of big-endian machines around", () => {
    const storage = new Uint8Array(16);
    new DataView(storage.buffer).setFloat32(4, 1.5, false);
    const entries = { "data/0": storage, byteorder: encodeUtf8("big") };
    expect(numbers(readPyTorch(archive(tensorPickle({}), entries)))).toEqual([0, 1.5, 0, 0]);
    expect(() => readPyTorch(archive(tensorPickle({}), { ...entries, byteorder: encodeUtf8("middle") }))).toThrow(
      "neither little nor big",
    );
  });
});

describe("damaged archives", () => {
  const name = "m.pth";
  const good = archive(tensorPickle({}));
  const find = (bytes: Uint8Array, signature: number, nth = 0): number => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0, seen = 0; i + 4 <= bytes.length; i++) {
      if (view.getUint32(i, true) === signature && seen++ === nth) return i;
    }
    throw new Error("not found");
  };
  const [directory, ending] = [0x02014b50, 0x06054b50];
  /** A copy in which the field at `offset` after a signature is changed. */
  const changed = (signature: number, nth: number, offset: number, value: number, width: 2 | 4): Uint8Array => {
    const out = good.slice();
    const place = find(out, signature, nth) + offset;
    const view = new DataView(out.buffer);
    if (width === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    return out;
  };

  it.each([
    ["cut off", good.subarray(0, good.length - 30), "do not end as one: it is cut off or damaged"],
    ["an absurd count", changed(ending, 0, 10, 60_000, 2), "one of several parts"],
    ["zip64 by count", changed(ending, 0, 10, 0xffff, 2), "needs zip64"],
    ["zip64 by size", changed(directory, 1, 24, 0xffffffff, 4), 'entry "a/data/0" needs zip64'],
    ["a directory beyond the end", changed(ending, 0, 16, 0x7fffffff, 4), "the directory is said to be bytes"],
    ["a directory of no entries", changed(ending, 0, 16, 3, 4), "an entry was expected"],
    ["encryption", changed(directory, 0, 8, 1, 2), 'entry "a/data.pkl" is encrypted'],
    ["an unknown method", changed(directory, 0, 10, 93, 2), "compressed by method 93"],
    ["an entry that is not there", changed(directory, 1, 42, 1, 4), 'entry "a/data/0" is missing'],
    ["the other entry's place", changed(directory, 1, 42, 0, 4), 'entry "a/data/0" says otherwise'],
    ["a size past the end", changed(directory, 1, 20, 1 << 20, 4), "is said to have 1048576 bytes"],
    ["stored in another size", changed(directory, 1, 24, 17, 4), "is stored in 16 bytes but declared as 17"],
    ["no PyTorch", zipSync({ "a.txt": new Uint8Array(1) }, { level: 0 }), "a zip archive, but not PyTorch's"],
    ["two pickles", zipSync({ "a/data.pkl": latin1("N."), "b/data.pkl": latin1("N.") }), "it has 2 entries */data.pkl"],
  ])("refuses one with %s", (_, bytes, message) => {
    expect(() => readPyTorch(bytes, { name })).toThrow(FormatError);
    expect(() => readPyTorch(bytes, { name })).toThrow(`${name}: `);
    expect(() => readPyTorch(bytes, { name })).toThrow(message);
  });

  it("refuses a count that the directory cannot hold", () => {
    const bytes = changed(ending, 0, 10, 60_000, 2);
    new DataView(bytes.buffer).setUint16(find(bytes, ending) + 8, 60_000, true);
    expect(() => readPyTorch(bytes)).toThrow("its 60000 entries need 2760000");
  });

  it("refuses two entries of one name, and entries that overlap", () => {
    const twice = archive(tensorPickle({}), { "data/0": new Uint8Array(16), "data/1": new Uint8Array(16) });
    for (const nth of [0, 1]) {
      const text = latin1("a/data/1");
      const places = [...twice.keys()].filter((i) => text.every((byte, j) => twice[i + j] === byte));
      twice[(places[nth === 0 ? 0 : places.length - 1] as number) + 7] = 0x30;
    }
    expect(() => readPyTorch(twice)).toThrow('holds "a/data/0" twice');
    const overlap = changed(directory, 0, 20, 140, 4);
    new DataView(overlap.buffer).setUint32(find(overlap, directory) + 24, 140, true);
    expect(() => readPyTorch(overlap)).toThrow('the entries "a/data.pkl" and "a/data/0" overlap');
  });

  it("inflates compressed entries", () => {
    const entries = { "a/data.pkl": latin1(tensorPickle({})), "a/data/0": new Uint8Array(16).fill(63) };
    const bytes = zipSync(entries, { level: 9 });
    expect(bytes.length).not.toBe(zipSync(entries, { level: 0 }).length);
    expect(readPyTorch(bytes)).toEqual({ dtype: "F32", shape: [4], bytes: new Uint8Array(16).fill(63) });
  });

  /** An archive whose data/0 is this deflated data, declared as `size` bytes. */
  function bomb(compressed: Uint8Array, size: number, count: number): Uint8Array {
    const entries = { "data/0": compressed };
    const out = archive(tensorPickle({ count, size: ")", stride: ")" }), entries);
    const view = new DataView(out.buffer);
    const local = find(out, 0x04034b50, 1);
    const central = find(out, directory, 1);
    for (const place of [local + 8, central + 10]) view.setUint16(place, 8, true);
    for (const place of [local + 22, central + 24]) view.setUint32(place, size, true);
    return out;
  }

  it("refuses bombs by what is declared, and by what comes", () => {
    const million = deflateSync(new Uint8Array(2 ** 24));
    expect(() => readPyTorch(bomb(deflateSync(new Uint8Array(16)), 2 ** 31, 4))).toThrow(
      /is declared as 2147483648 bytes; its \d+ compressed ones hold at most/,
    );
    expect(() => readPyTorch(bomb(million, 2 ** 24, 4))).toThrow(
      /inflating entry "a\/data\/0" needs 16777216 bytes of memory/,
    );
    expect(() => readPyTorch(bomb(million, 16, 4))).toThrow('entry "a/data/0", declared as 16 bytes, inflates to more');
    expect(() => readPyTorch(bomb(deflateSync(new Uint8Array(8)), 16, 4))).toThrow(
      "declared as 16 bytes, inflates to 8",
    );
    expect(() => readPyTorch(bomb(deflateSync(new Uint8Array(16)).subarray(0, 2), 16, 4))).toThrow("does not inflate");
    expect(() => readPyTorch(bomb(new Uint8Array(40).fill(255), 16, 4))).toThrow("does not inflate");
    const nones = new Uint8Array(2 ** 19).fill(0x4e);
    expect(() => readPyTorch(zipSync({ "a/data.pkl": nones }))).toThrow("running data.pkl needs 4194304 bytes");
  });

  it("does not go on where the data has ended before its bytes", () => {
    const data = new Uint8Array(2 ** 20);
    data.set(deflateSync(new Uint8Array(8)));
    expect(() => readPyTorch(bomb(data, 16, 4))).toThrow("declared as 16 bytes, inflates to 8");
  });
});

describe("damaged files of the older format", () => {
  const good = fixture("pytorch-legacy.pt");
  it.each([
    ["nothing", new Uint8Array(0), "these 0 bytes are no file of torch.save"],
    ["safetensors", writeSafetensors([["a", f32([1], [1])]]), "looks like a safetensors file"],
    ["another magic number", latin1("\x80\x02K\x01."), "no file of torch.save"],
    ["bytes left over", Uint8Array.from([...good, 1]), "1 bytes after the last storage belong to none"],
    ["a storage cut off", good.subarray(0, good.length - 1), "bytes left"],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readPyTorch(bytes, { name: "m.th" })).toThrow(FormatError);
    expect(() => readPyTorch(bytes, { name: "m.th" })).toThrow(message);
  });

  it("refuses a storage of another length than the pickle says", () => {
    const bytes = good.slice();
    // The last storage's count: its data is the last in the file.
    const last = [...stateLengths(bytes)].at(-1) as number;
    bytes[last] = (bytes[last] as number) + 1;
    expect(() => readPyTorch(bytes, { name: "m.th" })).toThrow(
      /has \d+ elements of \w+ \(\d+ bytes\); the file says \d+/,
    );
  });

  it.each(["pytorch-zip.pt", "pytorch-legacy.pt"])("refuses every truncation of %s", (name) => {
    const bytes = fixture(name);
    // In the data, which is the rest, all places are alike.
    for (let length = 0; length < bytes.length; length += length < 1500 ? 1 : 13) {
      expect(() => readPyTorch(bytes.subarray(0, length))).toThrow(FormatError);
    }
  });
});

/** Offsets of the storages' counts: 8 bytes before each storage's data, found through the tensors that view it. */
function stateLengths(bytes: Uint8Array): number[] {
  const offsets: number[] = [];
  const visit = (value: PyTorchValue): void => {
    if (value instanceof Map) for (const item of value.values()) visit(item);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null && "dtype" in value && value.bytes.buffer === bytes.buffer)
      offsets.push(value.bytes.byteOffset - bytes.byteOffset - 8);
  };
  visit(readPyTorch(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return offsets
    .filter((at) => at >= 0 && view.getBigInt64(at, true) < 100n && view.getBigInt64(at, true) > 0n)
    .sort((a, b) => a - b);
}
