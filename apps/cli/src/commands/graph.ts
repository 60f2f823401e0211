import { graphHtml, graphSvg, modelGraph } from "@ocelli/inspect/graph";
import { writeAtomic } from "@ocelli/training/node";
import { createModel, type ModelName } from "@ocelli/zoo";
import { UsageError } from "../errors.js";
import { type Io, note } from "../io.js";
import { entryOf, type ImageShape } from "../model.js";
import { checkDrawing } from "../output.js";

export interface GraphFlags {
  readonly input?: ImageShape;
  readonly depth?: number;
  readonly training?: boolean;
  readonly svg?: string;
  readonly html?: string;
}

/** `ocelli graph MODEL`: the network as boxes and arrows. */
export async function graph(io: Io, name: string, { input, depth, training, svg, html }: GraphFlags): Promise<void> {
  const entry = entryOf(name);
  if (svg === undefined && html === undefined)
    throw new UsageError(`graph: it needs --svg FILE or --html FILE, for example --svg ${name}.svg`);
  await checkDrawing(svg, "svg");
  await checkDrawing(html, "html");
  const image = input ?? entry.input;
  const size = input === undefined ? {} : { inputSize: [image[1], image[2]] as const };
  const model = createModel(name as ModelName, { inChannels: image[0], ...size });
  const data = modelGraph(model, image, { name, training: training ?? false });
  const options = depth === undefined ? {} : { depth };
  for (const [path, draw] of [[svg, graphSvg] as const, [html, graphHtml] as const]) {
    if (path === undefined) continue;
    await writeAtomic(path, draw(data, options));
    note(io, `wrote ${path}`);
  }
}
