import { compare as compareModels, comparisonCsv, formatComparison } from "@ocelli/inspect";
import { writeAtomic } from "@ocelli/training/node";
import { type ModelEntry, modelEntry, modelNames } from "@ocelli/zoo";
import { UsageError } from "../errors.js";
import { type Io, note, print, printJson } from "../io.js";
import { entryOf } from "../model.js";
import { checkDrawing } from "../output.js";

export interface CompareFlags {
  readonly dataset?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly svg?: string;
  readonly html?: string;
}

/** `ocelli compare [MODEL...]`: what models cost beside what they reach; without names all that have an error on the data set. */
export async function compare(
  io: Io,
  names: readonly string[],
  { dataset: given, json, csv, svg, html }: CompareFlags,
): Promise<void> {
  const asked = [...new Set(names)].map((name) => ({ ...entryOf(name), name }));
  const dataset = given ?? datasetOf(asked);
  const models = asked.length > 0 ? asked : everyModel().filter((entry) => hasError(entry, dataset));
  await checkDrawing(svg, "svg");
  await checkDrawing(html, "html");
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

const everyModel = () => modelNames.map((name) => ({ ...modelEntry(name), name }));

function hasError({ published = [], weights = [] }: ModelEntry, dataset: string): boolean {
  return [...published, ...weights.map((entry) => entry.published)].some((figure) => figure.dataset === dataset);
}

/** The data set on which most of the models have errors, the first of several; ImageNet where there are none. */
function datasetOf(models: readonly ModelEntry[]): string {
  const counts = ["imagenet", "cifar10", "cifar100", "mnist"].map((dataset) => ({
    dataset,
    count: models.filter((entry) => hasError(entry, dataset)).length,
  }));
  return counts.reduce((most, next) => (next.count > most.count ? next : most)).dataset;
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
