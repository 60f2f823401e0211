import { sizeOf } from "@ocelli/core";
import { type ModelEntry, modelEntry, modelNames } from "@ocelli/zoo";
import { type Io, print, printJson } from "../io.js";
import { colors, formatInteger, table } from "../terminal.js";

/** `ocelli list`: every model of the zoo, paper by paper. */
export function list(io: Io, { json = false }: { readonly json?: boolean }): void {
  const models = modelNames.map((name) => ({ name, entry: modelEntry(name), parameters: parametersOf(name) }));
  if (json) {
    // Functions are not printed: what is left is the entry's data.
    for (const { name, entry, parameters } of models) printJson(io, { name, parameters, ...entry });
    return;
  }
  const { bold, dim } = colors(io);
  const rows = models.map(({ name, entry, parameters }) => [
    name,
    entry.input.join("x"),
    formatInteger(parameters),
    entry.weights === undefined
      ? entry.summary
      : `${entry.summary} [${entry.weights.map((weights) => weights.name).join(", ")}]`,
  ]);
  const lines = table(rows, [1, 2]);
  const papers = new Map<string, string[]>();
  for (const [i, { name, entry }] of models.entries()) {
    const line = `  ${bold(name)}${(lines[i] as string).slice(name.length)}`;
    papers.set(entry.citation, [...(papers.get(entry.citation) ?? []), line]);
  }
  print(io, [...papers].map(([citation, own]) => [dim(citation), ...own].join("\n")).join("\n\n"));
  print(io);
  print(
    io,
    dim("Name, images, parameters; in brackets the published weights, which eval, predict and export take by name."),
  );
}

/** By shapes alone: nothing is traced. */
function parametersOf(name: string): number {
  const entry: ModelEntry = modelEntry(name);
  return [...entry.build().parameters().values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
