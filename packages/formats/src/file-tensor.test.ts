import { ArgumentError, DTypeError, FormatError, hostTensor, toNumbers } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { type FileDType, fileDTypeBytes, fromHostTensor, toHostTensor } from "./file-tensor.js";

function file(dtype: FileDType, bytes: ArrayLike<number>, shape?: number[]) {
  return { dtype, shape: shape ?? [bytes.length / fileDTypeBytes[dtype]], bytes: Uint8Array.from(bytes) };
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

describe("toHostTensor", () => {
  it.each([
    ["F32", "float32", bytesOf(Float32Array.of(1.5, -0)), [1.5, -0]],
    ["F16", "float16", [0x00, 0x3c, 0x00, 0xc0], [1, -2]],
    ["BF16", "float32", [0x80, 0x3f, 0x80, 0x7f], [1, Number.POSITIVE_INFINITY]],
    ["F64", "float32", bytesOf(Float64Array.of(0.1, 1e300)), [Math.fround(0.1), Number.POSITIVE_INFINITY]],
    ["I8", "int32", [0xff, 0x7f], [-1, 127]],
    ["I16", "int32", [0x00, 0x80], [-32768]],
    ["U16", "int32", [0xff, 0xff], [65535]],
    ["I32", "int32", bytesOf(Int32Array.of(-5)), [-5]],
    ["U32", "uint32", bytesOf(Uint32Array.of(2 ** 32 - 1)), [2 ** 32 - 1]],
    ["I64", "int32", bytesOf(BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n)), [-(2 ** 31), 2 ** 31 - 1]],
    ["U64", "uint32", bytesOf(BigUint64Array.of(2n ** 32n - 1n)), [2 ** 32 - 1]],
    ["U8", "uint8", [0, 255], [0, 255]],
    ["BOOL", "bool", [0, 1, 255], [0, 1, 1]],
  ] as const)("reads %s as %s", (dtype, expected, bytes, values) => {
    const host = toHostTensor(file(dtype, bytes));
    expect(host.dtype).toBe(expected);
    expect([...toNumbers(host)]).toEqual(values);
  });

  it("keeps the shape, empty ones included", () => {
    expect(toHostTensor(file("F32", [], [0, 3])).shape).toEqual([0, 3]);
    expect(toHostTensor(file("F32", [0, 0, 0, 0], [])).shape).toEqual([]);
  });

  it("refuses integers that need more than 32 bits", () => {
    const tensor = file("I64", bytesOf(BigInt64Array.of(0n, 2n ** 31n)));
    expect(() => toHostTensor(tensor, "a.safetensors: w")).toThrow(FormatError);
    expect(() => toHostTensor(tensor, "a.safetensors: w")).toThrow(
      "a.safetensors: w: element 1 is 2147483648; it must fit int32, -2147483648 to 2147483647",
    );
    expect(() => toHostTensor(file("U64", bytesOf(BigUint64Array.of(2n ** 32n))))).toThrow("must fit uint32");
  });

  it("refuses 8-bit floats and wrong lengths", () => {
    expect(() => toHostTensor(file("F8_E4M3", [0]))).toThrow(DTypeError);
    expect(() => toHostTensor(file("F32", [0, 0, 0, 0], [2]))).toThrow("holds 4 bytes; float32[2] needs 8");
  });
});

describe("fromHostTensor", () => {
  it("views the tensor's memory in its own dtype", () => {
    const host = hostTensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const tensor = fromHostTensor(host);
    expect(tensor).toMatchObject({ dtype: "F32", shape: [2, 2] });
    expect(tensor.bytes.buffer).toBe(host.data.buffer);
  });

  it.each([
    ["float32", "F32"],
    ["float16", "F16"],
    ["int32", "I32"],
    ["uint32", "U32"],
    ["uint8", "U8"],
    ["bool", "BOOL"],
  ] as const)("writes %s as %s and back", (dtype, expected) => {
    const host = hostTensor([0, 1, 1, 0], [4], dtype);
    const tensor = fromHostTensor(host);
    expect(tensor.dtype).toBe(expected);
    expect(toHostTensor(tensor)).toEqual(host);
  });

  it.each(["I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"] as const)("writes int32 as %s", (dtype) => {
    const tensor = fromHostTensor(hostTensor(Int32Array.of(-3, 7)), { dtype });
    expect(tensor.bytes.length).toBe(2 * fileDTypeBytes[dtype]);
    expect([...toNumbers(toHostTensor(tensor))]).toEqual([-3, 7]);
  });

  it("rounds bfloat16 to nearest even and keeps NaN", () => {
    const bits = (value: number) => [...fromHostTensor(hostTensor([value]), { dtype: "BF16" }).bytes];
    expect(bits(1 + 2 ** -8)).toEqual([0x80, 0x3f]);
    expect(bits(1 + 3 * 2 ** -8)).toEqual([0x82, 0x3f]);
    expect(bits(3.4e38)).toEqual([0x80, 0x7f]);
    expect(toNumbers(toHostTensor(file("BF16", bits(Number.NaN))))[0]).toBeNaN();
  });

  it("decodes float16 before it converts", () => {
    const host = hostTensor([0.5, -2], [2], "float16");
    expect([...toNumbers(toHostTensor(fromHostTensor(host, { dtype: "F32" })))]).toEqual([0.5, -2]);
  });

  it("refuses what would lose values", () => {
    expect(() => fromHostTensor(hostTensor([1]), { dtype: "I64" })).toThrow(DTypeError);
    expect(() => fromHostTensor(hostTensor(Int32Array.of(1)), { dtype: "BOOL" })).toThrow(DTypeError);
    expect(() => fromHostTensor(hostTensor([1]), { dtype: "F8_E5M2" })).toThrow(DTypeError);
    expect(() => fromHostTensor(hostTensor(Int32Array.of(0, 128)), { dtype: "I8" })).toThrow(ArgumentError);
    expect(() => fromHostTensor(hostTensor(Int32Array.of(-1)), { dtype: "U64" })).toThrow(
      "element 0 is -1; uint64 holds 0 to 4294967295",
    );
  });
});
