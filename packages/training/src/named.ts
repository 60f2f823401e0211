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
// A type and no interface: so it is an option value, and parts nest in parts.
export type Named = {
  readonly name: string;
  readonly options: Options;
};

/** @throws ArgumentError for options that the part made of them does not have */
export function checkOptionNames({ name, options }: Named, given: Readonly<Record<string, unknown>>): void {
  const strange = Object.keys(given).find((option) => !Object.hasOwn(options, option));
  if (strange === undefined) return;
  throw new ArgumentError(`${name}: there is no option ${strange}. There are ${Object.keys(options).join(", ")}`, {
    option: strange,
  });
}

/**
 * The part of a table that a {@link Named} means.
 * @param kind what errors call it: "optimizer"
 * @throws ArgumentError for an unknown name or option
 */
export function makeNamed<Part extends Named>(
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
  const made = (table[name] as (options: Options) => Part)(options);
  checkOptionNames(made, options);
  return made;
}
