import { ArgumentError, add, concat, formatShape, ShapeError, sameShape, type Tensor } from "@ocelli/core";
import type { Context, Layer } from "./context.js";
import { Module } from "./module.js";

const isLayer = (value: unknown): value is Layer => value instanceof Module || typeof value === "function";

/**
 * Layers one after the other. They become own fields, named by position (`0.weight`) or, given as a record, by its keys
 * (`conv1.weight`); `forward` runs all layers among the own fields, so that replacing one (`net[2] = ...`) or a subclass that adds
 * some works. Functions take a position, too, but have no state.
 * @throws ArgumentError for anything that is neither a module nor a function
 */
export class Sequential extends Module {
  [position: number]: Layer;

  constructor(layers: Readonly<Record<string, Layer>>);
  constructor(...layers: readonly Layer[]);
  constructor(...args: readonly (Layer | Readonly<Record<string, Layer>>)[]) {
    super();
    const [first] = args;
    const named = args.length === 1 && typeof first === "object" && first !== null && !isLayer(first) ? first : args;
    for (const [name, layer] of Object.entries(named)) {
      if (!isLayer(layer)) {
        throw new ArgumentError(`Sequential: layer ${name} is ${String(layer)}; it needs a module or a function`, {
          name,
        });
      }
      if (name in this || name.includes(".")) {
        throw new ArgumentError(`Sequential: "${name}" cannot name a layer; it is taken or has a dot`, { name });
      }
      Object.assign(this, { [name]: layer });
    }
  }

  /** The layers in order. */
  get layers(): readonly Layer[] {
    return Object.values(this).filter(isLayer);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, ...this.layers);
  }
}

/**
 * `body(x) + shortcut(x)`, without a shortcut `body(x) + x` (He et al. 2015).
 * @throws in `forward` ShapeError when the two differ in shape
 */
export class Residual extends Module {
  readonly body: Layer;
  readonly shortcut: Layer | null;

  constructor(body: Layer, shortcut: Layer | null = null) {
    super();
    this.body = body;
    this.shortcut = shortcut;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.body);
    const carried = this.shortcut === null ? x : ctx.chain(x, this.shortcut);
    // A sum would broadcast.
    if (!sameShape(y.shape, carried.shape)) {
      throw new ShapeError(
        `Residual: the body gives ${formatShape(y.shape)}, the shortcut ${formatShape(carried.shape)}; they need to be equal`,
        { input: x.shape },
      );
    }
    return add(y, carried);
  }
}

/** All branches on the same input, their outputs joined along `axis` (default 1, the channels). @throws ArgumentError without branches */
export class Concat extends Module {
  readonly branches: readonly Layer[];
  readonly axis: number;

  constructor(branches: readonly Layer[], axis = 1) {
    super();
    if (branches.length === 0) throw new ArgumentError("Concat: it needs at least one branch");
    this.branches = [...branches];
    this.axis = axis;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return concat(
      this.branches.map((branch) => ctx.chain(x, branch)),
      this.axis,
    );
  }
}
