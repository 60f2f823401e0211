/** What a stream of numbers is for. Different purposes with the same seed are independent streams. */
export type Purpose = "shuffle" | "digits" | "digit-order" | "split";

const purposes: Readonly<Record<Purpose, number>> = { shuffle: 1, digits: 2, "digit-order": 3, split: 4 };

/**
 * Integers and fractions from a seed, the same on every machine and engine: 32-bit integer operations only (the generator sfc32
 * by C. Doty-Humphrey). For data on the host; random numbers inside graphs are `core`'s.
 */
export class Generator {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any safe integer; `index` distinguishes streams of one purpose (an epoch, the number of an image). */
  constructor(seed: number, purpose: Purpose, index = 0) {
    const high = Math.floor(seed / 2 ** 32);
    this.#a = seed | 0;
    this.#b = high ^ Math.imul(purposes[purpose], 0x9e3779b9);
    this.#c = index | 0;
    // The author's seeding: states that differ in one bit are unrelated after twelve rounds; a few more cost nothing.
    for (let i = 0; i < 16; i++) this.next();
  }

  /** Integer, `0 <= x < 2^32`. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Integer, `0 <= x < bound`, without bias. `1 <= bound <= 2^32`. */
  below(bound: number): number {
    // Draws past the last whole multiple of `bound` would favour small results: draw again.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let x = this.next();
    while (x >= limit) x = this.next();
    return x % bound;
  }

  /** Real, `low <= x < high`, a multiple of 2^-32 of the width. */
  between(low: number, high: number): number {
    return low + (high - low) * (this.next() / 2 ** 32);
  }

  /** Bell-shaped, mean 0, standard deviation 1, within ±3.47: the sum of four uniform numbers (no logarithm needed). */
  bell(): number {
    const sum = this.next() + this.next() + this.next() + this.next();
    return (sum / 2 ** 32 - 2) * Math.sqrt(3);
  }
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle<T extends Int32Array | number[]>(items: T, generator: Generator): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    const swapped = items[i] as number;
    items[i] = items[j] as number;
    items[j] = swapped;
  }
  return items;
}
