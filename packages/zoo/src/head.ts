import { ArgumentError, nearMatches } from "@ocelli/core";
import { type AnyModule, Identity, inventory, type Module } from "@ocelli/layers";

/**
 * Puts another layer in the place of one: a head for other classes, or by default none, so that the model gives the features that its
 * head would read. All other names of the state stay: published values load with
 * `loadStateDict(model, values, { except: [path] })`. Auxiliary classifiers keep their heads: to train on other classes with them,
 * build the model for `numClasses`. Changes the model itself, and returns it; not for one whose state was made.
 *
 * @param path `modelEntry(name).head`, or any other module's: "fc", "classifier.6"
 * @throws ArgumentError with near matches when no module stands there
 */
export function replaceHead<Model extends AnyModule>(
  model: Model,
  path: string,
  layer: Module = new Identity(),
): Model {
  const { modules } = inventory(model);
  if (path === "" || !modules.has(path)) throw unknownModule("replaceHead", path, [...modules.keys()]);
  const steps = path.split(".");
  const last = steps.pop() as string;
  // Fields, positions of arrays and keys of plain objects alike.
  const holder = steps.reduce<object>((at, step) => at[step as keyof typeof at] as object, model);
  Object.assign(holder, { [last]: layer });
  return model;
}

/** The error for a path at which no module stands. */
export function unknownModule(where: string, path: string, paths: readonly string[]): ArgumentError {
  const near = nearMatches(path, paths);
  const top = [...new Set(paths.flatMap((known) => (known === "" ? [] : [known.split(".")[0]])))];
  const hint =
    near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `There are ${top.join(", ")} and what is in them.`;
  return new ArgumentError(`${where}: the model has no module "${path}". ${hint}`, { path });
}
