import { ArgumentError, Tensor } from "@ocelli/core";
import { type Context, inventory, Module, withTaps } from "@ocelli/layers";
import { unknownModule } from "./head.js";

/** A model that gives the outputs of modules inside it instead of its own. */
export class Features<Name extends string> extends Module<Tensor, Readonly<Record<Name, Tensor>>> {
  readonly #model: Module<Tensor, unknown>;
  readonly #names: readonly Name[];

  /** See {@link features}. */
  constructor(model: Module<Tensor, unknown>, names: readonly Name[]) {
    super();
    const { modules } = inventory(model);
    const unknown = names.find((name) => name === "" || !modules.has(name));
    if (unknown !== undefined) throw unknownModule("features", unknown, [...modules.keys()]);
    if (names.length === 0) throw new ArgumentError("features: it needs the name of at least one module");
    // The model's own fields, under their own names: so the state's names are the model's too.
    const fields = Object.entries(model).filter(([, value]) => typeof value !== "function");
    Object.assign(this, Object.fromEntries(fields));
    this.#model = model;
    this.#names = names;
  }

  override forward(x: Tensor, ctx: Context): Readonly<Record<Name, Tensor>> {
    const found = new Map<string, unknown>();
    const prefix = ctx.path === "" ? "" : `${ctx.path}.`;
    // The model itself is not called through the context, which knows its fields as this module's.
    withTaps(
      ctx,
      ({ path, output }) => found.set(path, output),
      () => this.#model.forward(x, ctx),
    );
    const feature = (name: Name): Tensor => asTensor(name, found.has(prefix + name), found.get(prefix + name), ctx);
    return Object.fromEntries(this.#names.map((name) => [name, feature(name)])) as Record<Name, Tensor>;
  }
}

function asTensor(name: string, used: boolean, output: unknown, { training }: Context): Tensor {
  if (output instanceof Tensor) return output;
  const what = used ? "gives something else than a tensor" : `is not used in ${training ? "training" : "evaluation"}`;
  throw new ArgumentError(`features: ${name} ${what}`, { name });
}

/**
 * A module of the same state that gives the outputs of the named modules, by name: feature maps for detection, style or
 * pictures. Published values load unchanged; what the features do not need is not computed. Of a module that is called several times,
 * the last output. The model is taken as it is now: replace its head before.
 * @throws ArgumentError with near matches for a name that no module has; in `forward`, for a module that is not used in that mode
 */
export function features<const Name extends string>(
  model: Module<Tensor, unknown>,
  names: readonly Name[],
): Features<Name> {
  return new Features(model, names);
}
