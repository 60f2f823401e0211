import { sizeOf } from "@ocelli/core";
import { type AnyModule, type Inventory, inventory } from "@ocelli/layers";

export interface ParameterCount {
  readonly weights: number;
  readonly biases: number;
}

const nothing: ParameterCount = { weights: 0, biases: 0 };
const biasName = /(^|[._])bias$/;

/** A model's modules, each with what is its own. */
export class Parts {
  readonly #modules: ReadonlyMap<string, AnyModule>;
  readonly #counts = new Map<string, { weights: number; biases: number }>();
  readonly #withState = new Set<string>();
  readonly #withModules = new Set<string>();
  readonly #shown = new Map<string, string>();
  /** Values of all buffers. */
  readonly bufferValues: number;

  /** @param depth modules deeper than this are shown as the one of this depth that they are in */
  constructor(model: AnyModule, depth = Number.POSITIVE_INFINITY) {
    const found = inventory(model);
    this.#modules = found.modules;
    this.#count(found);
    this.bufferValues = [...found.buffers.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const depths = new Map<string, number>();
    for (const path of found.modules.keys()) {
      const outer = path === "" ? undefined : this.#ownerOf(path);
      const own = outer === undefined ? 0 : (depths.get(outer) as number) + 1;
      depths.set(path, own);
      if (outer !== undefined) this.#withModules.add(outer);
      this.#shown.set(path, outer === undefined || own <= depth ? path : (this.#shown.get(outer) as string));
    }
  }

  #count({ parameters, buffers }: Inventory): void {
    for (const name of buffers.keys()) this.#withState.add(this.#ownerOf(name));
    for (const [name, { shape }] of parameters) {
      const owner = this.#ownerOf(name);
      this.#withState.add(owner);
      const count = this.#counts.get(owner) ?? { weights: 0, biases: 0 };
      count[biasName.test(name) ? "biases" : "weights"] += sizeOf(shape);
      this.#counts.set(owner, count);
    }
  }

  /** The module that a name lies in: names have levels for lists and records, too. */
  #ownerOf(name: string): string {
    let end = name.lastIndexOf(".");
    while (end > 0 && !this.#modules.has(name.slice(0, end))) end = name.lastIndexOf(".", end - 1);
    return end > 0 ? name.slice(0, end) : "";
  }

  get paths(): Iterable<string> {
    return this.#modules.keys();
  }

  typeOf(path: string): string {
    return this.#modules.get(path)?.constructor.name ?? "";
  }

  /** Of the module itself. */
  parametersOf(path: string): ParameterCount {
    return this.#counts.get(path) ?? nothing;
  }

  /** Whether the module itself has parameters or buffers. */
  hasState(path: string): boolean {
    return this.#withState.has(path);
  }

  isLeaf(path: string): boolean {
    return !this.#withModules.has(path);
  }

  shownAs(path: string): string {
    return this.#shown.get(path) ?? path;
  }
}
