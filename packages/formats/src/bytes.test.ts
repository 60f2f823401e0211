import { describe, expect, it } from "vitest";
import { decodeUtf8, fromLittleEndian, swapBytes, toLittleEndian } from "./bytes.js";

describe("bytes", () => {
  it("reads elements at any alignment into memory of their own", () => {
    const file = new Uint8Array(9);
    file.set(toLittleEndian(Float32Array.of(1.5, -2)), 1);
    const values = fromLittleEndian(file.subarray(1), Float32Array);
    expect([...values]).toEqual([1.5, -2]);
    file.fill(0);
    expect([...values]).toEqual([1.5, -2]);
    expect(values.buffer.byteLength).toBe(8);
  });

  it("views an array's own part of its buffer", () => {
    const all = Int32Array.of(1, 2, 3);
    expect([...toLittleEndian(all.subarray(1, 2))]).toEqual([2, 0, 0, 0]);
    expect(toLittleEndian(all).buffer).toBe(all.buffer);
  });

  it("reverses each element", () => {
    expect([...swapBytes(Uint8Array.of(1, 2, 3, 4), 2)]).toEqual([2, 1, 4, 3]);
    expect([...swapBytes(Uint8Array.of(1, 2, 3, 4), 4)]).toEqual([4, 3, 2, 1]);
    expect([...swapBytes(Uint8Array.of(1, 2), 1)]).toEqual([1, 2]);
  });

  it("decodes UTF-8 and nothing else", () => {
    expect(decodeUtf8(new TextEncoder().encode("\ufeffé𝄞"))).toBe("\ufeffé𝄞");
    expect(decodeUtf8(Uint8Array.of(0xff))).toBeUndefined();
    expect(decodeUtf8(Uint8Array.of(0xc3))).toBeUndefined();
  });
});
