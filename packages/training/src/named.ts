import { ArgumentError, nearMatches } from "@ocelli/core";

/** What JSON can hold. */
export type OptionValue =
  | number
  | boolean
  | string
  | null
  | readonly OptionValue[]
  | { readonly [name: string]: OptionValue };

export type Options = { readonly [name: string]: OptionValue };

/** A part of a training as data: what a run stores, and enough to make the part again. */
export interface Named {
  readonly name: string;
  readonly options: Options;
}

/**
 * The part of a table that a {@link Named} means.
 * @param kind what errors call it: "optimizer"
 * @throws ArgumentError for an unknown name
 */
export function makeNamed<Part>(
  kind: string,
  table: Readonly<Record<string, unknown>>,
  { name, options }: Named,
): Part {
  if (!Object.hasOwn(table, name)) {
    const [near] = nearMatches(name, Object.keys(table));
    const guess = near === undefined ? "." : `; did you mean ${near}?`;
    throw new ArgumentError(`${kind}: "${name}" is unknown${guess} There are ${Object.keys(table).join(", ")}`, {
      name,
    });
  }
  return (table[name] as (options: Options) => Part)(options);
}
