import { formatSummary, summary as summarize, summaryCsv } from "@ocelli/inspect";
import { type Io, print, printJson } from "../io.js";
import { entryOf, type ImageShape } from "../model.js";

export interface SummaryFlags {
  readonly input?: ImageShape;
  readonly classes?: number;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** `ocelli summary MODEL`: layers, parameters, multiply-adds, memory and receptive fields. */
export function summary(io: Io, name: string, { input, classes, json, csv }: SummaryFlags): void {
  const entry = entryOf(name);
  const image = input ?? entry.input;
  const model = entry.build({ inChannels: image[0], numClasses: classes ?? entry.numClasses });
  const result = summarize(model, image);
  if (json) printJson(io, { model: name, ...result });
  else if (csv) io.stdout.write(summaryCsv(result));
  else print(io, formatSummary(result));
}
