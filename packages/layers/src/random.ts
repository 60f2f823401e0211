import { hostRandomBits, type RandomKey } from "@ocelli/core";

const chunk = 1024;

/**
 * Random numbers on the host, in order, from a key. The bits are Threefry's; `normal` passes them through `Math.log` and `Math.cos`,
 * in which JavaScript engines may differ by a last bit of a double.
 */
export class Random {
  readonly #key: RandomKey;
  #bits: Uint32Array = new Uint32Array(0);
  #next = 0;
  #stream = 0;
  #spare: number | undefined;

  constructor(key: RandomKey) {
    this.#key = key;
  }

  /** An integer in 0..2^32-1. */
  bits(): number {
    if (this.#next === this.#bits.length) {
      this.#bits = hostRandomBits(this.#key, chunk, this.#stream++);
      this.#next = 0;
    }
    return this.#bits[this.#next++] as number;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A number of the standard normal distribution (Box and Muller 1958: two from two uniforms). */
  normal(): number {
    const spare = this.#spare;
    if (spare !== undefined) {
      this.#spare = undefined;
      return spare;
    }
    // 1 - u lies in (0, 1], where the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}
