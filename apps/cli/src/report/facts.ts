import { formatCount, summary } from "@ocelli/inspect";
import type { NamedValues, Part, RunReport } from "@ocelli/inspect/report";
import type { RunConfig } from "@ocelli/training/node";
import { sizeOfInput } from "@ocelli/zoo";
import { entryOf, type LoadedModel, type Passport } from "../model.js";
import { formatDuration, formatInteger, plural } from "../terminal.js";
import type { Course } from "./history.js";

/** What a run is, in words: the page's head, and its list of all that it was made with. */
export function factsOf(
  config: RunConfig,
  course: Course,
  { parameters, multiplyAdds }: Cost,
): Pick<RunReport, "title" | "status" | "figures" | "facts" | "parts"> {
  const { model, data, epochs, batchSize, seed, device, image, classes } = config;
  const { history, seconds } = course;
  const speeds = history.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  const speed = speeds.reduce((a, b) => a + b, 0) / speeds.length;
  const limit = data.limit === undefined ? "" : `, ${formatInteger(data.limit)} images of each split at most`;
  const threads = device.threads === null ? "" : `, ${plural(device.threads, "thread")}`;
  const extra: [string, string | undefined][] = [
    ["accumulated", config.accumulate === undefined ? undefined : `gradients of ${config.accumulate} batches`],
    [
      "start",
      config.initFrom && `${config.initFrom.source}${config.initFrom.head === "new" ? ", new classifier" : ""}`,
    ],
    ["frozen", config.freeze?.join(", ")],
    ["validation", config.validation && `${100 * config.validation.share} % of the training images`],
    [
      "early stop",
      config.earlyStopping && `after ${plural(config.earlyStopping.patience, "epoch")} without a better one`,
    ],
    ["recomputed", config.recompute?.join(", ")],
  ];
  return {
    title: `${model.name} on ${data.name}`,
    status: statusOf(config, course),
    figures: [
      ["parameters", formatCount(parameters)],
      ["multiply-adds", formatCount(multiplyAdds)],
      ...(seconds === undefined ? [] : [["time", formatDuration(seconds)] as const]),
      ...(speeds.length === 0 ? [] : [["images a second", formatInteger(speed)] as const]),
    ],
    facts: [
      ["model", `${model.name}, ${formatInteger(parameters)} parameters`],
      ["data", `${data.name}, ${image.join("×")}, ${formatInteger(classes.length)} classes${limit}`],
      ["length", `${plural(epochs, "epoch")} in batches of ${batchSize}`],
      ["seed", `${seed}`],
      ["device", `${device.name}${threads}`],
      ...extra.filter((fact): fact is [string, string] => fact[1] !== undefined),
    ],
    parts: partsOf(config),
  };
}

function statusOf({ epochs }: RunConfig, { history, stopped }: Course): string {
  const done = history.length;
  if (stopped) return `Stopped after ${done} of ${plural(epochs, "epoch")}: no better one had come.`;
  if (done >= epochs) return `Finished after ${plural(done, "epoch")}.`;
  return done === 0 ? `No epoch of ${epochs} is finished yet.` : `${done} of ${plural(epochs, "epoch")} so far.`;
}

function partsOf(config: RunConfig): (readonly [string, Part])[] {
  const { optimizer, schedule, loss, clip, average, transform, frames, views } = config;
  const parts: (readonly [string, Part | undefined])[] = [
    ["optimizer", optimizer],
    ["schedule", schedule],
    ["loss", loss],
    ["clipping", clip],
    ["average", average],
    ["pictures", frames?.train],
    ["when tested", frames?.eval],
    ["transform", transform],
    ["views", views],
  ];
  return parts.filter((entry): entry is readonly [string, Part] => entry[1] !== undefined);
}

/** Of the model; multiply-adds are those of one image. */
export interface Cost {
  readonly parameters: number;
  readonly multiplyAdds: number;
}

export function costOf({ model: name, options }: Passport): Cost {
  const entry = entryOf(name);
  const size = sizeOfInput(options.inputSize, [entry.input[1], entry.input[2]]);
  const { parameters, macs } = summary(entry.build(options), [options.inChannels ?? entry.input[0], ...size]).totals;
  return { parameters, multiplyAdds: macs };
}

/** What there is to see of trained values: the first convolution's filters, and the spread of every layer's weights. */
export function picturesOf({ values }: LoadedModel): {
  filters?: NamedValues;
  weights: NamedValues[];
} {
  const all = Object.entries(values.params ?? {}).map(
    ([name, { shape, data }]): NamedValues => ({ name, shape, data: data as ArrayLike<number> }),
  );
  const weights = all.filter(({ shape }) => shape.length > 1);
  const filters = weights.find(({ shape }) => shape.length === 4 && (shape[2] as number) * (shape[3] as number) > 1);
  return { weights, ...(filters && { filters }) };
}
