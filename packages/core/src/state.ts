import { disposeKey } from "./dispose.js";
import { DisposedError, DTypeError, nearMatches, ShapeError, StateError } from "./errors.js";
import type { HostTensor } from "./host.js";
import type { Queue } from "./queue.js";
import { sameShape } from "./shape.js";
import { formatSpec, type Spec } from "./tensor.js";

/** Values on the host: collection (`params`, `buffers`, `optimizer` ...), then name. */
export type StateDict = Readonly<Record<string, Readonly<Record<string, HostTensor>>>>;

/** What a state needs from its device. */
export interface Memory<B = unknown> {
  readonly queue: Queue;
  /** Whether the value before last is kept for the next update to write into. */
  readonly keepsSpares: boolean;
  upload(host: HostTensor): B | Promise<B>;
  download(buffer: B, spec: Spec): Promise<HostTensor>;
  free(buffer: B): void;
  /** Throws when the device was disposed of. */
  check(): void;
}

interface Entry {
  readonly spec: Spec;
  buffer: unknown;
  /** Memory of the value before, kept for the next update to write into. */
  spare: unknown;
}

const leaks = new FinalizationRegistry<{ place: string; memory: Memory }>(({ place, memory }) => {
  try {
    memory.check();
  } catch {
    // The device is gone, and everything on it.
    return;
  }
  console.warn(`ocelli: a state made ${place} was never disposed. Write \`using state = ...\`, or call its dispose().`);
});

function callSite(): string {
  const line = new Error().stack?.split("\n").find((text, i) => i > 2 && !/[/\\]core[/\\](src|dist)[/\\]/.test(text));
  return line?.trim() ?? "somewhere";
}

/**
 * Named values that live on a device: an open set of collections. Reading waits for the steps in flight; disposing lets them finish and
 * frees the memory after them.
 */
export class State implements Disposable {
  readonly #memory: Memory;
  readonly #entries = new Map<string, Entry>();
  #disposed = false;
  #failure: unknown;

  /** @internal Devices make states. */
  constructor(memory: Memory) {
    this.#memory = memory;
    leaks.register(this, { place: callSite(), memory }, this);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Qualified names (`params/conv1.weight`) and specs of everything held. */
  get specs(): ReadonlyMap<string, Spec> {
    return new Map([...this.#entries].map(([name, entry]) => [name, entry.spec]));
  }

  has(collection: string): boolean {
    return [...this.#entries.keys()].some((name) => name.startsWith(`${collection}/`));
  }

  /**
   * Brings values to the host, all or those of some collections. Waits for the steps in flight.
   * @throws DisposedError; the error of a run that failed on this state
   */
  read(collections?: readonly string[]): Promise<StateDict> {
    this.#check("read");
    return this.#memory.queue.add(async () => {
      this.checkFailure();
      const out: Record<string, Record<string, HostTensor>> = {};
      for (const [qualified, { buffer, spec }] of this.#entries) {
        const [collection, name] = split(qualified);
        if (collections !== undefined && !collections.includes(collection)) continue;
        out[collection] ??= {};
        out[collection][name] = await this.#memory.download(buffer, spec);
      }
      return out;
    });
  }

  /**
   * Adds values, or replaces those of the same name. Takes effect after the steps in flight.
   * @throws ShapeError, DTypeError when a value of that name has another shape or dtype
   */
  write(values: StateDict): Promise<void> {
    this.#check("write");
    const flat = flatten(values);
    for (const [name, host] of flat) this.#checkReplacement(name, host);
    return this.#memory.queue.add(async () => {
      this.checkFailure();
      for (const [name, host] of flat) {
        const known = this.#entries.get(name);
        const buffer = await this.#memory.upload(host);
        if (known !== undefined) this.#memory.free(known.buffer);
        this.#entries.set(name, { spec: { shape: host.shape, dtype: host.dtype }, buffer, spare: known?.spare });
      }
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    leaks.unregister(this);
    void this.#memory.queue.add(() => {
      for (const { buffer, spare } of this.#entries.values()) {
        this.#memory.free(buffer);
        if (spare !== undefined) this.#memory.free(spare);
      }
      this.#entries.clear();
    });
  }

  [disposeKey](): void {
    this.dispose();
  }

  /** @internal Throws unless every entry that a program wants is here and fits. */
  expect(wanted: ReadonlyMap<string, Spec>, memory: Memory): void {
    this.#check("use");
    if (memory !== this.#memory)
      throw new StateError("run: the state lives on another device; make it with this one's init or createState");
    const missing = [...wanted.keys()].filter((name) => !this.#entries.has(name));
    if (missing.length > 0) throw new StateError(missingMessage(missing, [...this.#entries.keys()]), { missing });
    for (const [name, spec] of wanted) {
      const have = (this.#entries.get(name) as Entry).spec;
      if (have.dtype !== spec.dtype || !sameShape(have.shape, spec.shape)) {
        throw new StateError(`run: state entry ${name} is ${formatSpec(have)}; the program needs ${formatSpec(spec)}`, {
          name,
        });
      }
    }
  }

  /** @internal */
  entry(name: string): { buffer: unknown; spare: unknown } {
    return this.#entries.get(name) as Entry;
  }

  /** @internal Puts the result of an update in place; the old memory becomes the spare, or is freed. */
  replace(name: string, buffer: unknown): void {
    const entry = this.#entries.get(name) as Entry;
    if (buffer === entry.buffer) return;
    if (entry.spare !== undefined && entry.spare !== buffer) this.#memory.free(entry.spare);
    if (this.#memory.keepsSpares) entry.spare = entry.buffer;
    else this.#memory.free(entry.buffer);
    entry.buffer = buffer;
  }

  /** @internal A run failed: values may lack its update, so later use says so. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** @internal Throws the error of a run that failed on this state. */
  checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #check(action: string): void {
    if (this.#disposed) throw new DisposedError(`state: cannot ${action} it, it was disposed`);
    this.checkFailure();
    this.#memory.check();
  }

  #checkReplacement(name: string, host: HostTensor): void {
    const spec = this.#entries.get(name)?.spec;
    if (spec === undefined) return;
    if (!sameShape(spec.shape, host.shape))
      throw new ShapeError(`state: ${name} is ${formatSpec(spec)}; the new value is ${formatSpec(host)}`);
    if (spec.dtype !== host.dtype)
      throw new DTypeError(`state: ${name} is ${formatSpec(spec)}; the new value is ${formatSpec(host)}`);
  }
}

function missingMessage(missing: readonly string[], known: readonly string[]): string {
  const lines = missing.map((name) => {
    const near = nearMatches(name, known);
    return `  ${name}${near.length > 0 ? ` (near: ${near.join(", ")})` : ""}`;
  });
  return `run: the state lacks ${missing.length} of the program's entries:\n${lines.join("\n")}`;
}

/** `params/conv1.weight` -> `params`, `conv1.weight` */
export function split(qualified: string): [string, string] {
  const at = qualified.indexOf("/");
  return [qualified.slice(0, at), qualified.slice(at + 1)];
}

/** Values by qualified name, in order. */
export function flatten(values: StateDict): Map<string, HostTensor> {
  const flat = new Map<string, HostTensor>();
  for (const [collection, entries] of Object.entries(values)) {
    for (const [name, host] of Object.entries(entries)) flat.set(`${collection}/${name}`, host);
  }
  return flat;
}
