const parity = 0x1bd11bda;

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Encrypts the counter (a, b) under (k0, k1) into two words of `out`. */
function encrypt(k0: number, k1: number, a: number, b: number, out: Uint32Array, at: number): void {
  let [x, y, z] = [k0, k1, k0 ^ k1 ^ parity];
  a = (a + x) | 0;
  b = (b + y) | 0;
  for (let round = 1; round <= 5; round++) {
    const odd = round & 1;
    a = (a + b) | 0;
    b = rotated(b, odd ? 13 : 17) ^ a;
    a = (a + b) | 0;
    b = rotated(b, odd ? 15 : 29) ^ a;
    a = (a + b) | 0;
    b = rotated(b, odd ? 26 : 16) ^ a;
    a = (a + b) | 0;
    b = rotated(b, odd ? 6 : 24) ^ a;
    [x, y, z] = [y, z, x];
    a = (a + x) | 0;
    b = (b + y + round) | 0;
  }
  out[at] = a;
  out[at + 1] = b;
}

const block = new Uint32Array(2);

/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw 2011): encrypts the counter (c0, c1) under the key (k0, k1). */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  encrypt(k0, k1, c0, c1, block, 0);
  return [block[0] as number, block[1] as number];
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
  // Writes beyond the end of a typed array are dropped.
  for (let i = 0; i < count; i += 2) encrypt(k0, k1, i / 2, stream, out, i);
  return out;
}

/** A 32-bit name for a text (FNV-1a): the stream of the random bits that belong to a place in a model. */
export function streamOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
