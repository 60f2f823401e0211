const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw 2011): encrypts the counter (c0, c1) under the key (k0, k1). */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ parity];
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    x0 = (x0 + x1) | 0;
    const turn = rotations[round % 8] as number;
    x1 = ((x1 << turn) | (x1 >>> (32 - turn))) ^ x0;
    if (round % 4 === 3) {
      const step = (round + 1) / 4;
      x0 = (x0 + (keys[step % 3] as number)) | 0;
      x1 = (x1 + (keys[(step + 1) % 3] as number) + step) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** A key of the graph's random bits: two 32-bit words. */
export type RandomKey = readonly [number, number];

/** A key made of a seed (any safe integer >= 0) and further numbers; different arguments give unrelated keys. */
export function randomKey(seed: number, ...path: readonly number[]): RandomKey {
  let key: RandomKey = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  for (const part of path) key = threefry2x32(key[0], key[1], part >>> 0, Math.floor(part / 2 ** 32) >>> 0);
  return key;
}

/** The bits that the op `randomBits` draws: what a device may compute on the host and hand in. */
export function hostRandomBits([k0, k1]: RandomKey, count: number, stream: number): Uint32Array {
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = threefry2x32(k0, k1, i / 2, stream);
    out[i] = a;
    if (i + 1 < count) out[i + 1] = b;
  }
  return out;
}

/** A 32-bit name for a text (FNV-1a): the stream of the random bits that belong to a place in a model. */
export function streamOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
