import { summary } from "@ocelli/inspect";
import { type ModelEntry, modelEntry, modelNames } from "@ocelli/zoo";
import { type Io, print, printJson } from "../io.js";
import { colors, formatInteger, table } from "../terminal.js";

interface Line {
  readonly name: string;
  readonly summary: string;
  readonly input: readonly number[];
  readonly parameters: number;
  readonly citation: string;
}

/** `ocelli list`: every model of the zoo. */
export function list(io: Io, { json = false }: { readonly json?: boolean }): void {
  const lines = modelNames.map((name) => lineOf(name, modelEntry(name)));
  if (json) {
    for (const line of lines) printJson(io, line);
    return;
  }
  const { bold, dim } = colors(io);
  const rows = lines.map(({ name, input, parameters }) => [
    name,
    input.join("x"),
    `${formatInteger(parameters)} parameters`,
  ]);
  for (const [i, text] of table(rows, [1, 2]).entries()) {
    const { name, summary: what, citation } = lines[i] as Line;
    print(io, `${bold(name)}${text.slice(name.length)}`);
    print(io, `  ${what}`);
    print(io, `  ${dim(citation)}`);
  }
}

function lineOf(name: string, entry: ModelEntry): Line {
  const { parameters } = summary(entry.build(), entry.input).totals;
  return { name, summary: entry.summary, input: entry.input, parameters, citation: entry.citation };
}
