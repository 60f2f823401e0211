import { ArgumentError, nearMatches } from "@ocelli/core";

/** Whether a name fits one of the patterns: `*` stands for any characters, dots too, everything else for itself. */
export function globs(patterns: readonly string[]): (name: string) => boolean {
  const sources = patterns.map((pattern) => pattern.split("*").map(escaped).join(".*"));
  const expression = new RegExp(`^(?:${sources.join("|")})$`, "s");
  return patterns.length === 0 ? () => false : (name) => expression.test(name);
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** @throws ArgumentError for anything but a list of texts */
export function checkPatterns(where: string, patterns: unknown): asserts patterns is readonly string[] {
  if (Array.isArray(patterns) && patterns.every((pattern) => typeof pattern === "string")) return;
  throw new ArgumentError(`${where}: ${JSON.stringify(patterns)} is no list of patterns such as "features.*"`, {
    patterns,
  });
}

/** @throws ArgumentError for a pattern that no name fits */
export function checkUsed(where: string, patterns: readonly string[], names: readonly string[]): void {
  const unused = patterns.find((pattern) => !names.some(globs([pattern])));
  if (unused === undefined) return;
  const known = nearMatches(unused, names)[0] ?? names[0];
  throw new ArgumentError(`${where}: "${unused}" fits no name of the model, such as ${known}; * stands for anything`, {
    pattern: unused,
  });
}
