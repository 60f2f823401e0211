import { ShapeError } from "@ocelli/core";
import {
  formatSummary,
  formatTorchSummary,
  type PeakMemory,
  peakMemory,
  summary as summarize,
  summaryCsv,
  torchSummary,
} from "@ocelli/inspect";
import { createModel, type ModelName, type ZooModel } from "@ocelli/zoo";
import { UsageError } from "../errors.js";
import { type Io, print, printJson } from "../io.js";
import { entryOf, type ImageShape } from "../model.js";
import { widthOf } from "../terminal.js";

export interface SummaryFlags {
  readonly input?: ImageShape;
  readonly classes?: number;
  readonly batch?: number;
  readonly depth?: number;
  readonly training?: boolean;
  readonly style?: "ocelli" | "torchsummary";
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** `ocelli summary MODEL`: layers, parameters, operations, memory and receptive fields. */
export function summary(io: Io, name: string, flags: SummaryFlags): void {
  const { input, classes, batch, depth, training, json, csv } = flags;
  const entry = entryOf(name);
  const image = input ?? entry.input;
  const [inChannels, height, width] = image;
  const model = createModel(name as ModelName, {
    inChannels,
    numClasses: classes ?? entry.numClasses,
    inputSize: [height, width],
  });
  if (flags.style === "torchsummary") {
    const result = torchSummary(model, image, { ...(batch && { batch }) });
    if (json) printJson(io, { model: name, ...result });
    else print(io, formatTorchSummary(result, batch));
    return;
  }
  const result = summarize(model, image, { ...(batch && { batch }), ...(depth !== undefined && { depth }) });
  if (csv) {
    io.stdout.write(summaryCsv(result));
    return;
  }
  const memory = {
    inference: peakMemory(model, image, { ...(batch && { batch }) }),
    ...(training && { training: stepMemory(model, image, batch) }),
  };
  if (json) printJson(io, { model: name, ...result, memory });
  // A file takes what there is; a terminal what fits.
  else print(io, formatSummary(result, { memory, width: io.stdout.isTTY ? widthOf(io.stdout) : undefined }));
}

/** Statistics of batch-norm need more than one value, which one image may not give. */
function stepMemory(model: ZooModel, image: ImageShape, batch = 1): PeakMemory {
  try {
    return peakMemory(model, image, { batch, training: true });
  } catch (error) {
    if (batch > 1 || !(error instanceof ShapeError)) throw error;
    throw new UsageError(
      `--training: one image is no batch that this model can train on; try --batch 2\n  ${error.message}`,
    );
  }
}
