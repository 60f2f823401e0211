import {
  ArgumentError,
  broadcastTo,
  cast,
  formatSpec,
  OcelliError,
  randomUniform,
  type Shape,
  ShapeError,
  StateError,
  sameShape,
  select,
  streamOf,
  Tensor,
  type Tensors,
  withScope,
} from "@ocelli/core";
import { type AnyModule, type Inventory, inventory, type Module } from "./module.js";
import { type Buffer, Parameter } from "./parameter.js";

/** What a chain consists of: modules, and functions without state. */
export type Layer = Module | ((x: Tensor) => Tensor);

/** One call of a module, as it ended. */
export interface TapRecord {
  /** The module's name from the root, "" for the root itself. */
  readonly path: string;
  readonly module: AnyModule;
  readonly input: unknown;
  readonly output: unknown;
}

/** Runs a module's `forward` (`run`) and returns what it returns; what is made meanwhile may be marked. */
export type Around = <T>(path: string, run: () => T) => T;

export interface ContextOptions {
  /** Values of parameters and buffers by qualified name (`params/conv1.weight`). */
  readonly state: Tensors;
  /** Default false. */
  readonly training?: boolean | undefined;
  /** uint32 `[2]`: the random key of this pass. Needed as soon as a module draws. */
  readonly key?: Tensor | undefined;
  /** Called after each call of a module, inner before outer: feature maps, summaries. */
  readonly taps?: ((record: TapRecord) => void) | undefined;
  /** Called in place of each module's `forward`: `recomputing(model, paths)` is one. */
  readonly around?: Around | undefined;
  /** What training leaves as it is. A batch-norm whose scale and shift, or whose statistics, are among it runs as in evaluation. */
  readonly frozen?: ReadonlySet<Parameter | Buffer> | undefined;
}

/** One pass through a model: its mode, the values of its state, its random numbers. Handed to every `forward`. */
export class Context {
  readonly training: boolean;
  readonly frozen: ReadonlySet<Parameter | Buffer>;
  /** May be exchanged for a part of the pass: {@link withTaps}. */
  taps: ContextOptions["taps"];
  readonly #root: AnyModule;
  readonly #inventory: Inventory;
  readonly #state: Tensors;
  readonly #key: Tensor | undefined;
  readonly #around: Around;
  readonly #updates = new Map<Buffer, Tensor>();
  readonly #draws = new Map<string, number>();
  #path = "";
  #gates: readonly Tensor[] = [];

  constructor(root: AnyModule, options: ContextOptions) {
    const { state, training = false, key, taps, around = (_, run) => run(), frozen = new Set() } = options;
    this.training = training;
    this.frozen = frozen;
    this.#root = root;
    this.#inventory = inventory(root);
    this.#state = state;
    this.#key = key;
    this.taps = taps;
    this.#around = around;
  }

  /** Name of the module being called, from the root. */
  get path(): string {
    return this.#path;
  }

  /**
   * Calls a module. What it makes carries its path: in errors, in random streams, in taps. A module called twice shares its weights.
   * @throws ArgumentError for a module that no field of the root leads to
   */
  call<In, Out>(module: Module<In, Out>, x: NoInfer<In>): Out {
    const path = this.#inventory.names.get(module);
    if (path === undefined) throw new ArgumentError(this.#unknown("call", module), { module });
    const before = this.#path;
    this.#path = path;
    try {
      const output = withScope(path, () => this.#around(path, () => module.forward(x, this)));
      this.taps?.({ path, module, input: x, output });
      return output;
    } catch (error) {
      throw error instanceof OcelliError && error.fields.scope === undefined ? located(error, path, x) : error;
    } finally {
      this.#path = before;
    }
  }

  /** Passes `x` through modules and functions in turn. Functions are given `x` alone. */
  chain(x: Tensor, ...layers: readonly Layer[]): Tensor {
    return layers.reduce((value, layer) => (typeof layer === "function" ? layer(value) : this.call(layer, value)), x);
  }

  /** Value of a parameter or buffer, the updated one once there is an update. @throws StateError when it is not the model's */
  get(entry: Parameter | Buffer): Tensor {
    return this.#updates.get(entry as Buffer) ?? this.#value(entry);
  }

  /**
   * Replaces a buffer's value for the passes that follow, and for the rest of this one. The last update wins; a frozen one stays.
   * @throws StateError when it is not the model's; ShapeError when the value has another shape
   */
  update(buffer: Buffer, value: Tensor): void {
    const before = this.get(buffer);
    if (!sameShape(before.shape, value.shape)) {
      const name = this.#inventory.names.get(buffer);
      throw new ShapeError(`update: buffer ${name} is ${formatSpec(before)}; the new value is ${formatSpec(value)}`, {
        name,
      });
    }
    if (this.frozen.has(buffer)) return;
    // Statistics of a float16 pass are kept in float32.
    const fresh = cast(value, before.dtype);
    const gated = this.#gates.reduce((v, keep) => select(broadcastTo(keep, v.shape), v, before), fresh);
    this.#updates.set(buffer, gated);
  }

  /**
   * Runs `fn` with its updates conditional: where `keep` (a bool scalar) is false, buffers stay as they are. For branches that chance
   * drops: their statistics must not see the batch.
   */
  gate<T>(keep: Tensor, fn: () => T): T {
    const before = this.#gates;
    this.#gates = [...before, keep];
    try {
      return fn();
    } finally {
      this.#gates = before;
    }
  }

  /**
   * The pass's random key, and a stream of it that nobody else has: it depends on the path and on the count of draws there, so that
   * a layer added elsewhere changes nothing here.
   * @throws ArgumentError when the pass has no key
   */
  random(): { readonly key: Tensor; readonly stream: number } {
    if (this.#key === undefined) {
      const place = this.#path === "" ? "the root" : this.#path;
      throw new ArgumentError(`random: ${place} draws random numbers; give the context a key (uint32[2])`, {
        path: this.#path,
      });
    }
    const count = this.#draws.get(this.#path) ?? 0;
    this.#draws.set(this.#path, count + 1);
    return { key: this.#key, stream: streamOf(`${this.#path}#${count}`) };
  }

  /** Uniform float32 in [0, 1). */
  randomUniform(shape: Shape): Tensor {
    const { key, stream } = this.random();
    return randomUniform(key, shape, stream);
  }

  /** New values of buffers, by qualified name. */
  get updates(): Tensors {
    return Object.fromEntries(
      [...this.#updates].map(([buffer, value]) => [`buffers/${this.#inventory.names.get(buffer)}`, value]),
    );
  }

  #value(entry: Parameter | Buffer): Tensor {
    const name = this.#inventory.names.get(entry);
    if (name === undefined) throw new StateError(this.#unknown("get", entry), { entry });
    const qualified = `${entry instanceof Parameter ? "params" : "buffers"}/${name}`;
    const value = this.#state[qualified];
    if (value === undefined) throw new StateError(`get: the context's state has no ${qualified}`, { name: qualified });
    return value;
  }

  #unknown(action: string, what: object): string {
    const [inner, outer] = [what.constructor.name, this.#root.constructor.name];
    return `${action}: this ${inner} is no part of the ${outer} model: keep it in a field of one of its modules (#private fields, maps and sets are not searched)`;
  }
}

/** Runs `fn` with one tap more, which is told of every call of a module in it before the context's own taps are. */
export function withTaps<T>(ctx: Context, tap: (record: TapRecord) => void, fn: () => T): T {
  const before = ctx.taps;
  ctx.taps = (record) => {
    tap(record);
    before?.(record);
  };
  try {
    return fn();
  } finally {
    ctx.taps = before;
  }
}

/** The error of a layer's own check with the place in the model, as core's ops report theirs. */
function located(error: OcelliError, path: string, x: unknown): OcelliError {
  const shown = x instanceof Tensor ? `input ${formatSpec(x)}` : "";
  const place = path === "" ? `  with ${shown}` : `  at ${path}   ${shown}`;
  const Same = error.constructor as new (message: string, fields: OcelliError["fields"]) => OcelliError;
  const copy = new Same(`${error.message}\n${place.trimEnd()}`, { ...error.fields, scope: path });
  // Where it was thrown, not here.
  if (error.stack !== undefined) copy.stack = error.stack.replace(error.message, () => copy.message);
  return copy;
}
