import { describe, expect, it } from "vitest";
import { allocate, bytesOf, dtypes, fromFloat16Bits, toFloat16Bits } from "./dtype.js";
import { ArgumentError, DTypeError } from "./errors.js";
import { byteSize, fromNumbers, hostTensor, item, toNumbers } from "./host.js";

describe("float16", () => {
  const all = Array.from({ length: 0x10000 }, (_, bits) => bits);

  it("keeps every one of its values", () => {
    const numbers = all.filter((bits) => !Number.isNaN(fromFloat16Bits(bits)));
    expect(numbers.length).toBe(0x10000 - 2 * 1023);
    expect(numbers.filter((bits) => toFloat16Bits(fromFloat16Bits(bits)) !== bits)).toEqual([]);
  });

  it("rounds to the nearest, halves to even, between all neighbours", () => {
    const wrong = all.slice(0, 0x7bff).filter((bits) => {
      const middle = (fromFloat16Bits(bits) + fromFloat16Bits(bits + 1)) / 2;
      const [below, half, above] = [1 - 1e-12, 1, 1 + 1e-12].map((factor) => toFloat16Bits(middle * factor));
      return below !== bits || half !== (bits % 2 === 0 ? bits : bits + 1) || above !== bits + 1;
    });
    expect(wrong).toEqual([]);
  });

  it("knows its edges", () => {
    expect([65504, 65519.9, 65520, -65520, Number.POSITIVE_INFINITY].map(toFloat16Bits)).toEqual([
      0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00,
    ]);
    expect([-0, 2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, -(2 ** -14)].map(toFloat16Bits)).toEqual([
      0x8000, 1, 0, 1, 0x8400,
    ]);
    expect(Number.isNaN(fromFloat16Bits(toFloat16Bits(Number.NaN)))).toBe(true);
  });
});

describe("host tensors", () => {
  it("take arrays of their dtype as they are, and convert others", () => {
    const data = new Float32Array([1, 2]);
    expect(hostTensor(data).data).toBe(data);
    expect(hostTensor([1, 2], [2, 1], "int32")).toEqual({
      dtype: "int32",
      shape: [2, 1],
      data: new Int32Array([1, 2]),
    });
    expect(hostTensor(new Float64Array([0.5])).dtype).toBe("float32");
    expect(hostTensor([0, 3, Number.NaN], [3], "bool").data).toEqual(new Uint8Array([0, 1, 1]));
    expect([...toNumbers(fromNumbers([1.5, -2], [2], "float16"))]).toEqual([1.5, -2]);
  });

  it("say what does not fit", () => {
    expect(() => hostTensor([1, 2, 3], [2, 2])).toThrow("hostTensor: shape [2, 2] holds 4 elements; data has 3");
    expect(() => item(hostTensor([1, 2]))).toThrow(ArgumentError);
    expect(() => hostTensor(new Int8Array(2) as never)).toThrow(DTypeError);
    expect(item(hostTensor([7], []))).toBe(7);
  });

  it("count bytes", () => {
    for (const dtype of dtypes) expect(allocate(dtype, 3).byteLength).toBe(3 * bytesOf(dtype));
    expect(byteSize({ shape: [2, 3], dtype: "float16" })).toBe(12);
  });
});
