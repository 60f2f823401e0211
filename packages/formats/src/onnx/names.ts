import { ArgumentError } from "@ocelli/core";

/** Names of a model's values: handles while it is built, and the names that the file will have. */
export class Names {
  #count = 0;
  readonly #fixed = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** A handle that none has had. */
  fresh(prefix: string): string {
    this.#count++;
    return `${prefix}${this.#count}`;
  }

  /** Settles the name of a value in the file. @throws ArgumentError when it is empty or another value's */
  fix(handle: string, name: string): void {
    if (name === "") throw new ArgumentError("onnx: a value has an empty name");
    if (this.#taken.has(name)) throw new ArgumentError(`onnx: the name ${JSON.stringify(name)} is taken`, { name });
    this.#taken.add(name);
    this.#fixed.set(handle, name);
  }

  isFixed(handle: string): boolean {
    return this.#fixed.has(handle);
  }

  /** The name in the file: the settled one, or the handle itself, changed where a settled name is the same. */
  of(handle: string): string {
    const fixed = this.#fixed.get(handle);
    if (fixed !== undefined) return fixed;
    let name = handle;
    while (this.#taken.has(name)) name += "_";
    return name;
  }
}
