import { compare as compareModels, comparisonCsv, formatComparison } from "@ocelli/inspect";
import { writeAtomic } from "@ocelli/training/node";
import { modelEntry, modelNames } from "@ocelli/zoo";
import { UsageError } from "../errors.js";
import { type Io, note, print, printJson } from "../io.js";
import { entryOf } from "../model.js";

export interface CompareFlags {
  readonly dataset: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly svg?: string;
  readonly html?: string;
}

/** `ocelli compare [MODEL...]`: what models cost beside what they reach; without names all that have an error on the data set. */
export async function compare(
  io: Io,
  names: readonly string[],
  { dataset, json, csv, svg, html }: CompareFlags,
): Promise<void> {
  const models = (names.length > 0 ? [...new Set(names)] : namesWithErrors(dataset)).map((name) => ({
    ...entryOf(name),
    name,
  }));
  const comparison = compareModels(models, { dataset });
  if (svg !== undefined || html !== undefined) {
    // The plotting library is loaded when something is drawn.
    const { comparisonHtml, comparisonSvg } = await import("@ocelli/inspect/plot");
    for (const [path, draw] of [[svg, comparisonSvg] as const, [html, comparisonHtml] as const]) {
      if (path === undefined) continue;
      await writeAtomic(
        path,
        drawn(() => draw(comparison)),
      );
      note(io, `wrote ${path}`);
    }
  }
  if (json) for (const model of comparison.models) printJson(io, { ...model, error: model.error ?? null });
  else if (csv) io.stdout.write(comparisonCsv(comparison));
  else if (svg === undefined && html === undefined) print(io, formatComparison(comparison));
}

function namesWithErrors(dataset: string): string[] {
  return modelNames.filter((name) => {
    const { published = [], weights = [] } = modelEntry(name);
    return [...published, ...weights.map((entry) => entry.published)].some((figure) => figure.dataset === dataset);
  });
}

/** What cannot be drawn is the choice of models. */
function drawn(draw: () => string): string {
  try {
    return draw();
  } catch (error) {
    if ((error as Error).name !== "ArgumentError") throw error;
    throw new UsageError((error as Error).message.replace(/^comparisonSvg: /, ""));
  }
}
