import { formatError } from "../bytes.js";

/**
 * What a reader may allocate on a file's word. Hostile files promise much in few bytes: an archive that inflates a
 * thousandfold, a view that repeats one element, a list of a million empty dictionaries.
 */
export class Budget {
  readonly #file: string;
  readonly #limit: number;
  #left: number;

  /** @param size bytes of the file: 16 times as many may be allocated, and a MiB in any case */
  constructor(file: string, size: number) {
    this.#file = file;
    this.#limit = 16 * size + 2 ** 20;
    this.#left = this.#limit;
  }

  /** @throws FormatError when the file has asked for too much */
  spend(bytes: number, what: string, offset?: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw formatError(
      this.#file,
      `${what} needs ${bytes} bytes of memory; what is copied out of the file may take ${this.#limit} in all (16 times its size)`,
      { needed: bytes, limit: this.#limit, ...(offset === undefined ? {} : { offset }) },
    );
  }
}
