import { ArgumentError, nearMatches, recompute, recomputeTogether, type Tensor } from "@ocelli/core";
import type { Around, Context, Layer } from "./context.js";
import { type AnyModule, Module } from "./module.js";

/**
 * Its layers, whose results are not kept for the backward pass but computed again there (Chen et al. 2016): memory for time. Same
 * values, same gradients; dropout drops the same, and statistics are updated once. Named `body`. Inside a `forward`,
 * `recompute(() => ctx.chain(x, ...))` does the same without a module.
 */
export class Recompute extends Module {
  readonly body: Layer;

  constructor(body: Layer) {
    super();
    this.body = body;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return recompute(() => ctx.chain(x, this.body));
  }
}

/**
 * Recomputes modules of a model that know nothing of it: each of `paths` runs inside {@link recompute}, as if wrapped in
 * {@link Recompute}, under its own name. For the option `recompute` of a training step, or `around` of a pass. Of modules inside one
 * another, the inner is computed a third time.
 *
 * @param paths names of modules, `layer1.0`; or of the first and the last of several that follow one another in a module, which are recomputed
 * together: `features.0..features.4`
 * @throws ArgumentError for a name that no module has
 */
export function recomputing(model: AnyModule, paths: Iterable<string>): Around {
  const wraps = new Map<string, <T>(run: () => T) => T>();
  for (const path of paths) {
    const together = recomputeTogether();
    for (const name of namesIn(model, path)) wraps.set(name, together);
  }
  return (path, run) => {
    const wrap = wraps.get(path);
    return wrap === undefined ? run() : wrap(run);
  };
}

function namesIn(model: AnyModule, path: string): string[] {
  const names = [...model.modules().keys()];
  const [first, last = first] = path.split("..") as [string, string?];
  for (const name of [first, last]) {
    if (names.includes(name)) continue;
    const [near] = nearMatches(name, names);
    const guess = near === undefined ? "" : `; did you mean ${near}?`;
    throw new ArgumentError(`recomputing: ${model.constructor.name} has no module ${JSON.stringify(name)}${guess}`, {
      path,
    });
  }
  const siblings = names.filter((name) => parentOf(name) === parentOf(first));
  const chosen = siblings.slice(siblings.indexOf(first), siblings.indexOf(last) + 1);
  if (chosen.length > 0) return chosen;
  throw new ArgumentError(`recomputing: ${path} needs two modules in the same one, the earlier one first`, { path });
}

/** Null for the model itself, which is in nothing. */
const parentOf = (path: string): string | null =>
  path === "" ? null : path.slice(0, Math.max(0, path.lastIndexOf(".")));
