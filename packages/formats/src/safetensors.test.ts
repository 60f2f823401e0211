import { ArgumentError, FormatError, ShapeError, StateError } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { mutate, randomSource } from "../test/random.js";
import { type FileDType, type FileTensor, fileDTypeBytes } from "./file-tensor.js";
import { blobSource, bytesSource } from "./random-access.js";
import { openSafetensors, readSafetensors, writeSafetensors, writeSafetensorsStream } from "./safetensors.js";

/** A file with this header, put together without the writer. */
function fileOf(header: string | Uint8Array, data: ArrayLike<number> = [], length?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(Array.from(data), 8 + json.length);
  return out;
}

function tensor(dtype: FileDType, shape: number[], seed = 1): FileTensor {
  const size = shape.reduce((a, b) => a * b, 1) * fileDTypeBytes[dtype];
  return { dtype, shape, bytes: Uint8Array.from({ length: size }, (_, i) => (i * 7 + seed) & 255) };
}

const sample = new Map<string, FileTensor>([
  ["10", tensor("U8", [3])],
  ["2", tensor("F32", [2, 2], 5)],
  ["__proto__", tensor("BF16", [1], 9)],
  ["layer1.0.ünïcode 𝄞", tensor("I64", [])],
  ["empty", tensor("F64", [0, 4])],
]);

describe("writing and reading", () => {
  it("gives back what was written, in order", () => {
    const metadata = { format: "pt", 'tab\t"quote"': "é", ...JSON.parse('{"__proto__": "x"}') };
    const { tensors, metadata: back } = readSafetensors(writeSafetensors(sample, metadata));
    expect([...tensors.keys()]).toEqual([...sample.keys()]);
    expect(tensors).toEqual(sample);
    expect(Object.entries(back)).toEqual(Object.entries(metadata));
  });

  it("takes every dtype of the format", () => {
    const all = new Map(Object.keys(fileDTypeBytes).map((dtype) => [dtype, tensor(dtype as FileDType, [2, 3])]));
    expect(readSafetensors(writeSafetensors(all)).tensors).toEqual(all);
  });

  it("writes the layout of the format", () => {
    const bytes = writeSafetensors([["a", { dtype: "U8", shape: [2], bytes: Uint8Array.of(7, 8) }]]);
    const json = '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}';
    expect(bytes).toEqual(fileOf(json.padEnd(56, " "), [7, 8]));
  });

  it("is deterministic and puts every tensor at a multiple of its element's width", async () => {
    const bytes = writeSafetensors(sample, { a: "b" });
    expect(writeSafetensors(sample, { a: "b" })).toEqual(bytes);
    const { tensors } = await openSafetensors(bytesSource(bytes));
    for (const { offset, dtype } of tensors.values()) expect(offset % fileDTypeBytes[dtype]).toBe(0);
  });

  it("reads a file whose data is in another order than its header, and unaligned", () => {
    const header =
      '{ "b" : {"data_offsets":[1,5],"shape":[1],"dtype":"F32"}, "a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}\n ';
    const { tensors } = readSafetensors(fileOf(header, [9, 1, 2, 3, 4]));
    expect([...tensors.keys()]).toEqual(["b", "a"]);
    expect([...(tensors.get("b")?.bytes ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it("reads a file without tensors", () => {
    expect(readSafetensors(fileOf("{}"))).toEqual({ tensors: new Map(), metadata: {} });
    expect(readSafetensors(writeSafetensors([])).tensors.size).toBe(0);
  });

  it("views the bytes and copies nothing", () => {
    const bytes = writeSafetensors(sample);
    expect(readSafetensors(bytes).tensors.get("2")?.bytes.buffer).toBe(bytes.buffer);
  });

  it("refuses names and tensors that the format cannot hold", () => {
    const ok = tensor("U8", [1]);
    expect(() => writeSafetensors([["", ok]])).toThrow(ArgumentError);
    expect(() => writeSafetensors([["__metadata__", ok]])).toThrow("the format's own");
    expect(() =>
      writeSafetensors([
        ["a", ok],
        ["a", ok],
      ]),
    ).toThrow('"a" occurs twice');
    expect(() => writeSafetensors([["a", { ...ok, shape: [2] }]])).toThrow(ShapeError);
    expect(() => writeSafetensors([["a", { ...ok, shape: [0.5] }]])).toThrow(ShapeError);
    expect(() => writeSafetensors([], { a: 1 } as never)).toThrow('metadata "a" is number');
    expect(() => writeSafetensors([["x".repeat(100_000_001), ok]])).toThrow("at most 100000000");
  });
});

describe("streaming", () => {
  it("writes the same bytes with one tensor at a time", async () => {
    const chunks: Uint8Array[] = [];
    let alive = 0;
    const entries = Array.from(sample, ([name, { dtype, shape, bytes }]) => ({
      name,
      dtype,
      shape,
      bytes: async () => {
        expect(++alive).toBe(1);
        return bytes;
      },
    }));
    const write = async (chunk: Uint8Array) => {
      alive = 0;
      chunks.push(chunk);
    };
    entries.splice(4, 1, { ...(entries[4] as (typeof entries)[0]), bytes: async () => new Uint8Array(0) });
    await writeSafetensorsStream(entries, write, { a: "b" });
    expect(Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))).toEqual(writeSafetensors(sample, { a: "b" }));
  });

  it("refuses a tensor of another size than announced", async () => {
    const entries = [{ name: "w", dtype: "F32" as const, shape: [2], bytes: () => new Uint8Array(4) }];
    await expect(writeSafetensorsStream(entries, async () => {})).rejects.toThrow(
      'tensor "w" has 4 bytes; F32[2] needs 8',
    );
  });

  it("reads the header, and tensors when asked", async () => {
    const bytes = writeSafetensors(sample, { format: "pt" });
    const reads: [number, number][] = [];
    const source = bytesSource(bytes);
    const file = await openSafetensors({
      size: source.size,
      read: (offset, length) => {
        reads.push([offset, length]);
        return source.read(offset, length);
      },
    });
    expect(reads).toHaveLength(2);
    expect(file.metadata).toEqual({ format: "pt" });
    expect([...file.tensors.keys()]).toEqual([...sample.keys()]);
    for (const [name, expected] of sample) expect(await file.read(name)).toEqual(expected);
    await expect(file.read("20")).rejects.toThrow(StateError);
    await file.close();
  });

  it("reads a Blob", async () => {
    const file = await openSafetensors(blobSource(new Blob([writeSafetensors(sample) as BlobPart])));
    expect(await file.read("2")).toEqual(sample.get("2"));
  });

  it("closes the source once, and when the file is damaged", async () => {
    let closed = 0;
    const close = () => {
      closed++;
    };
    await (await openSafetensors({ ...bytesSource(writeSafetensors(sample)), close })).close();
    expect(closed).toBe(1);
    await expect(openSafetensors({ ...bytesSource(Uint8Array.of(1)), close }, { name: "x" })).rejects.toThrow(
      FormatError,
    );
    expect(closed).toBe(2);
  });

  it("says when the source gives less than it promised", async () => {
    const bytes = writeSafetensors(sample);
    const file = await openSafetensors(
      { size: bytes.length, read: async (o, n) => bytes.slice(o, Math.min(o + n, bytes.length - 1)) },
      { name: "m" },
    );
    await expect(file.read("10")).rejects.toThrow("m: 2 bytes came where 3 were read");
  });
});

describe("damaged files", () => {
  const entry = (dtype: string, shape: string, offsets: string) =>
    `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;
  const good = entry('"U8"', "[2]", "[0,2]");

  it.each([
    ["nothing", new Uint8Array(0), "the file has 0 bytes"],
    ["a short prefix", new Uint8Array(7), "the file has 7 bytes"],
    ["a header that is cut off", fileOf(good).subarray(0, 20), "but only 12 bytes follow it (at byte 0)"],
    ["an absurd length", fileOf(good, [], 2n ** 63n), "header length is 9223372036854775808; at most 100000000"],
    ["an empty header", fileOf(""), 'does not start with "{"'],
    ["a header after a space", fileOf(` ${good}`, [1, 2]), 'does not start with "{" (at byte 8)'],
    ["a header that is a list", fileOf("[]"), 'does not start with "{"'],
    ["no JSON", fileOf('{"a":'), "not JSON"],
    ["text after the JSON", fileOf("{}x"), "not JSON"],
    ["no UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), "not UTF-8"],
    [
      "a repeated name",
      fileOf(`${good.slice(0, -1)},${good.slice(1)}`, [1, 2]),
      'the name "a" occurs twice (at byte 61)',
    ],
    [
      "a repeated name, spelled otherwise",
      fileOf(`${good.slice(0, -1)},${good.slice(1).replace("a", "\\u0061")}`, [1, 2]),
      '"a" occurs twice',
    ],
    [
      "a repeated field",
      fileOf(good.replace("{", '{"é":1,').replace('"U8"', '"U8","dtype":"U8"'), [1, 2]),
      '"dtype" occurs twice (at byte 34)',
    ],
    ["repeated metadata", fileOf('{"__metadata__":{"a":"1","a":"2"}}'), '"a" occurs twice'],
    ["an empty name", fileOf(good.replace('"a"', '""'), [1, 2]), "empty name"],
    [
      "metadata of numbers",
      fileOf('{"__metadata__":{"a":1}}'),
      '__metadata__: "a" is 1; it must be a string (at byte 9)',
    ],
    ["metadata that is text", fileOf('{"__metadata__":"a"}'), "must be an object of strings"],
    ["metadata that is a list", fileOf('{"__metadata__":[]}'), "must be an object of strings"],
    ["an entry that is no object", fileOf('{"a":null}'), 'tensor "a" is null; it must be an object'],
    ["an unknown dtype", fileOf(entry('"F128"', "[2]", "[0,2]"), [1, 2]), 'dtype is "F128"; the format has BOOL, U8'],
    ["an inherited dtype", fileOf(entry('"toString"', "[2]", "[0,2]"), [1, 2]), 'dtype is "toString"'],
    ["no dtype", fileOf('{"a":{"shape":[2],"data_offsets":[0,2]}}', [1, 2]), "dtype is missing"],
    ["a negative size", fileOf(entry('"U8"', "[-2]", "[0,2]"), [1, 2]), "shape is [-2]"],
    ["a fractional size", fileOf(entry('"U8"', "[1.5]", "[0,2]"), [1, 2]), "shape is [1.5]"],
    ["a shape of text", fileOf(entry('"U8"', '["2"]', "[0,2]"), [1, 2]), 'shape is ["2"]'],
    ["a shape that is a number", fileOf(entry('"U8"', "2", "[0,2]"), [1, 2]), "shape is 2"],
    ["too many elements", fileOf(entry('"U8"', "[4294967296,4294967296]", "[0,2]"), [1, 2]), "countable product"],
    ["an unsafe size", fileOf(entry('"U8"', "[9007199254740993]", "[0,2]"), [1, 2]), "shape is [9007199254740992]"],
    ["an infinite size times nothing", fileOf(entry('"U8"', "[0,1e999]", "[0,0]")), "shape is"],
    ["negative offsets", fileOf(entry('"U8"', "[2]", "[-1,1]"), [1, 2]), "data_offsets is [-1,1]"],
    ["fractional offsets", fileOf(entry('"U8"', "[2]", "[0.5,2.5]"), [1, 2]), "data_offsets is [0.5,2.5]"],
    ["unsafe offsets", fileOf(entry('"U8"', "[2]", "[0,1e300]"), [1, 2]), "data_offsets is [0,1e+300]"],
    ["offsets the wrong way round", fileOf(entry('"U8"', "[2]", "[2,0]"), [1, 2]), "data_offsets is [2,0]"],
    ["three offsets", fileOf(entry('"U8"', "[2]", "[0,1,2]"), [1, 2]), "data_offsets is [0,1,2]"],
    ["offsets past the end", fileOf(entry('"U8"', "[3]", "[0,3]"), [1, 2]), "but the data ends at 2"],
    [
      "a size that does not fit the shape",
      fileOf(entry('"U16"', "[2]", "[0,2]"), [1, 2]),
      "are 2 bytes; U16[2] needs 4",
    ],
    ["bytes left over", fileOf(good, [1, 2, 3]), "1 bytes after the last tensor belong to none (at byte 63)"],
    ["a hole", fileOf(entry('"U8"', "[2]", "[1,3]"), [1, 2, 3]), "leaves a hole after the data that ends at 61"],
    [
      "an overlap",
      fileOf(`${good.slice(0, -1)},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, [1, 2, 3]),
      'tensor "b" starts at byte',
    ],
  ] as const)("refuses %s", async (_, bytes, message) => {
    const read = () => readSafetensors(bytes, { name: "model.safetensors" });
    expect(read).toThrow(FormatError);
    expect(read).toThrow("model.safetensors: ");
    expect(read).toThrow(message);
    await expect(openSafetensors(bytesSource(bytes), { name: "model.safetensors" })).rejects.toThrow(message);
  });

  it("carries what it says as fields", () => {
    try {
      readSafetensors(fileOf(good, [1, 2, 3]), { name: "f" });
      expect.unreachable();
    } catch (error) {
      expect((error as FormatError).fields).toMatchObject({ file: "f", offset: 63 });
    }
  });

  it.each(["", "dtype", "shape", "data_offsets"])("survives deep nesting in %j", (field) => {
    const nested = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const fields = { dtype: '"U8"', shape: "[2]", data_offsets: "[0,2]", [field]: nested };
    const object = `{${Object.entries(fields).map(([key, value]) => `"${key}":${value}`)}}`;
    const read = () => readSafetensors(fileOf(`{"a":${field === "" ? nested : object}}`, [1, 2]));
    expect(read).toThrow(FormatError);
  });

  it("says little about a long value", () => {
    expect.assertions(1);
    try {
      readSafetensors(fileOf(`{"${"x".repeat(100_000)}":{"dtype":"${"y".repeat(100_000)}"}}`));
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(400);
    }
  });

  it("parses or throws FormatError for every truncation", () => {
    const bytes = writeSafetensors(sample, { a: "b" });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSafetensors(bytes.subarray(0, length))).toThrow(FormatError);
    }
  });

  it("parses or throws FormatError for 20,000 random changes", () => {
    const bytes = writeSafetensors(sample, { format: "pt" });
    const random = randomSource(1);
    let parsed = 0;
    for (let i = 0; i < 20_000; i++) {
      const changed = mutate(bytes, random);
      try {
        const { tensors } = readSafetensors(changed);
        parsed++;
        for (const { shape, dtype, bytes: data } of tensors.values()) {
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1) * fileDTypeBytes[dtype]);
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    // Changes of the data and of names leave a good file: the test must see both sides.
    expect(parsed).toBeGreaterThan(200);
  });
});
