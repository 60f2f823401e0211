import { describe, expect, it } from "vitest";
import { hostRandomBits, randomKey, streamOf, threefry2x32 } from "./threefry.js";

describe("threefry2x32", () => {
  // Random123's kat_vectors, "threefry2x32 20".
  it.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])("gives the published answer for key %i %i, counter %i %i", (k0, k1, c0, c1, r0, r1) => {
    expect(threefry2x32(k0, k1, c0, c1)).toEqual([r0, r1]);
  });
});

describe("hostRandomBits", () => {
  it("draws elements 2j and 2j+1 from block (j, stream), whatever the count", () => {
    const bits = hostRandomBits([1, 2], 7, 5);
    expect([...bits.slice(4, 6)]).toEqual(threefry2x32(1, 2, 2, 5));
    expect(bits[6]).toBe(threefry2x32(1, 2, 3, 5)[0]);
    expect([...hostRandomBits([1, 2], 3, 5)]).toEqual([...bits.slice(0, 3)]);
  });

  it("is uniform and differs by stream and key", () => {
    const bits = hostRandomBits(randomKey(7), 20000, 0);
    const mean = bits.reduce((total, word) => total + word / 2 ** 32, 0) / bits.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    expect(hostRandomBits(randomKey(7), 4, 1)).not.toEqual(bits.slice(0, 4));
    expect(hostRandomBits(randomKey(8), 4, 0)).not.toEqual(bits.slice(0, 4));
  });
});

describe("names", () => {
  it("turn seeds and paths into keys of their own", () => {
    const keys = [
      randomKey(0),
      randomKey(1),
      randomKey(2 ** 32),
      randomKey(0, 0),
      randomKey(0, 1),
      randomKey(0, 1, 0),
      randomKey(0, 2 ** 32),
    ];
    expect(new Set(keys.map(String)).size).toBe(keys.length);
    expect(streamOf("layer1.dropout")).not.toBe(streamOf("layer2.dropout"));
    expect(streamOf("")).toBe(0x811c9dc5);
  });
});
