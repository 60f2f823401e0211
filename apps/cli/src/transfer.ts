import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type HostTensor, type StateDict, StateError } from "@ocelli/core";
import { flattenStateDict, inventory, loadStateDict } from "@ocelli/layers";
import type { RunOrigin } from "@ocelli/training/node";
import type { ModelEntry, ZooModel } from "@ocelli/zoo";
import { UsageError } from "./errors.js";
import { type Io, note } from "./io.js";
import type { LoadedModel } from "./model.js";
import { openModel } from "./published.js";
import { listed } from "./terminal.js";

/** What a training starts from instead of chance. */
export interface Origin {
  /** As it was given. */
  readonly source: string;
  readonly sha256: string;
  readonly loaded: LoadedModel;
}

/** Opens what `--init-from` names. @throws UsageError when it is of another model; as {@link openModel} */
export async function openOrigin(io: Io, source: string, model: string): Promise<Origin> {
  const loaded = await openModel(io, source, { model }).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replace(`--model ${model}: `, `--init-from cannot start ${model}: `));
  });
  const hash = createHash("sha256");
  await pipeline(createReadStream(loaded.file), hash);
  return { source, sha256: hash.digest("hex"), loaded };
}

export interface Target {
  readonly name: string;
  readonly entry: ModelEntry;
  /** For the data's classes and images. */
  readonly model: ZooModel;
  readonly classes: number;
  /** `--head new` */
  readonly head: "new" | undefined;
  readonly seed: number;
}

/**
 * The origin's values in the model that is to be trained; with a new head, that one is drawn afresh, and so are auxiliary classifiers
 * for another number of classes.
 * @throws UsageError for another number of classes without `--head new`, and for weights that do not fit otherwise
 */
export function startingValues(io: Io, origin: Origin, { name, entry, model, classes, head, seed }: Target): StateDict {
  const { source, loaded } = origin;
  const own = loaded.options.numClasses ?? loaded.entry.numClasses;
  if (own !== classes && head !== "new")
    throw new UsageError(
      `--init-from ${source}: it tells ${own} classes apart and the data have ${classes}; --head new puts a fresh classifier in its place`,
    );
  const flat = flattenStateDict(loaded.model, loaded.values);
  const others = own === classes ? [] : otherHeads(model, flat, { own, classes, head: entry.head });
  if (others.length > 0) note(io, `note: ${listed(others)}: fresh as well, for the data's ${classes} classes`);
  try {
    return loadStateDict(model, flat, { except: head === "new" ? [entry.head, ...others] : [], seed });
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const what = error.message.replace(/^loadStateDict: the values do not fit the model/, "");
    throw new UsageError(`--init-from ${source}: its weights do not fit ${name} for these images:${what}`);
  }
}

/** Layers besides the head that have a row for each class. */
function otherHeads(
  model: ZooModel,
  flat: Readonly<Record<string, HostTensor>>,
  { own, classes, head }: { readonly own: number; readonly classes: number; readonly head: string },
): string[] {
  const found = [...inventory(model).slots].flatMap(([name, { shape }]) => {
    const given = flat[name]?.shape;
    const grown = given?.[0] === own && shape[0] === classes && `${given.slice(1)}` === `${shape.slice(1)}`;
    return grown && !name.startsWith(`${head}.`) ? [name.slice(0, name.lastIndexOf("."))] : [];
  });
  return [...new Set(found)];
}

/** What the run remembers of where it came from. */
export function originOf({ source, sha256 }: Origin, head: "new" | undefined): RunOrigin {
  return { source, sha256, ...(head && { head }) };
}
