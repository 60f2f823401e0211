const parity = 0x1bd11bda;

/** Four rounds of adding, rotating and mixing on both words, in place. */
function mix(x: Int32Array, r0: number, r1: number, r2: number, r3: number): void {
  let a = x[0] as number;
  let b = x[1] as number;
  a = (a + b) | 0;
  b = ((b << r0) | (b >>> (32 - r0))) ^ a;
  a = (a + b) | 0;
  b = ((b << r1) | (b >>> (32 - r1))) ^ a;
  a = (a + b) | 0;
  b = ((b << r2) | (b >>> (32 - r2))) ^ a;
  a = (a + b) | 0;
  b = ((b << r3) | (b >>> (32 - r3))) ^ a;
  x[0] = a;
  x[1] = b;
}

/** Encrypts the counter in `x` under (k0, k1), in place. */
function encrypt(k0: number, k1: number, x: Int32Array): void {
  const k2 = k0 ^ k1 ^ parity;
  const inject = (a: number, b: number): void => {
    x[0] = (x[0] as number) + a;
    x[1] = (x[1] as number) + b;
  };
  inject(k0, k1);
  mix(x, 13, 15, 26, 6);
  inject(k1, k2 + 1);
  mix(x, 17, 29, 16, 24);
  inject(k2, k0 + 2);
  mix(x, 13, 15, 26, 6);
  inject(k0, k1 + 3);
  mix(x, 17, 29, 16, 24);
  inject(k1, k2 + 4);
  mix(x, 13, 15, 26, 6);
  inject(k2, k0 + 5);
}

const block = new Int32Array(2);

/** Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw 2011): encrypts the counter (c0, c1) under the key (k0, k1). */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  block[0] = c0;
  block[1] = c1;
  encrypt(k0, k1, block);
  return [(block[0] as number) >>> 0, (block[1] as number) >>> 0];
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
    block[0] = i / 2;
    block[1] = stream;
    encrypt(k0, k1, block);
    out[i] = block[0] as number;
    if (i + 1 < count) out[i + 1] = block[1] as number;
  }
  return out;
}

/** A 32-bit name for a text (FNV-1a): the stream of the random bits that belong to a place in a model. */
export function streamOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
