import {
  type Batch,
  type Evaluation,
  evaluator,
  type LabelledImages,
  loader,
  makeLoss,
  meanProbabilities,
  measureStatistics,
  normalize,
  scoreProbabilities,
  type Transform,
  type Views,
} from "@ocelli/training";
import { lossPerSampleOf } from "@ocelli/zoo";
import { type DataFlags, type LoadedData, loadData } from "../data.js";
import { type DeviceFlags, describeDevice, openDevice } from "../device.js";
import { Failure, UsageError } from "../errors.js";
import {
  checkPublished,
  fitting,
  framesFor,
  noteChanged,
  noteClasses,
  requestOf,
  shapeFor,
} from "../evaluation/data.js";
import {
  checkFeatureFlags,
  type FeatureFlags,
  type FeatureJob,
  type FeatureScore,
  scoreNeighbours,
  scoreProbe,
} from "../evaluation/features.js";
import { confusionRecord, printConfusion } from "../evaluation/results.js";
import { checkCrops, checkViewFlags, describeViews, type ViewFlags, viewsFor } from "../evaluation/views.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print, printJson } from "../io.js";
import type { LoadedModel, ModelFlags } from "../model.js";
import { Bar } from "../progress.js";
import { openModel } from "../published.js";
import { colors, formatInteger, formatLoss, formatPercent, labelled } from "../terminal.js";

export interface EvalFlags extends ModelFlags, DeviceFlags, Partial<DataFlags>, ViewFlags, FeatureFlags {
  readonly batchSize?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly confusion?: boolean;
  readonly json?: boolean;
}

/** `ocelli eval [RUN|WEIGHTS...]`: accuracy and loss on a test set; of several, as an ensemble. */
export async function evaluate(io: Io, paths: readonly string[], flags: EvalFlags): Promise<void> {
  checkViewFlags(flags);
  checkFeatureFlags(paths, flags);
  const byFeatures = flags.knn !== undefined || flags.probe === true;
  if (paths.length === 0 && !byFeatures)
    throw new UsageError("eval needs a run or weights (only --knn and --probe do without, on the pixels)");
  const opened: LoadedModel[] = [];
  for (const path of paths) opened.push(await openModel(io, path, flags, (model) => checkPublished(model, flags)));
  await interruptible(io, "stopping ...", async (signal) => {
    const known = opened.every((model) => transformOf(model, flags) !== undefined);
    const [first] = opened;
    const data = await loadData(io, requestOf(first?.run, flags), signal, {
      testOnly: known && !byFeatures,
      frames: first && framesFor(first, viewsFor(flags, first)),
    });
    if (first !== undefined) noteChanged(io, first, data, flags);
    const members: Member[] = [];
    for (const model of opened) members.push(await memberOf(io, model, data, flags, signal));
    const device = await openDevice(flags, (line) => note(io, line));
    const bar = new Bar(io, io.stderr);
    const onProgress = (what: string, done: number, total: number): void => {
      const shown = `${formatInteger(done)} of ${formatInteger(total)}`;
      if (io.stderr.isTTY) bar.show(what, done, total, [shown]);
    };
    try {
      const batchSize = Math.min(flags.batchSize ?? 100, data.test.count);
      const job = { device, data, batchSize, signal, onProgress };
      const found = byFeatures ? await byFeature(members[0], job, flags) : await byLogits(members, job);
      bar.close();
      show(io, found, data.test.classes, flags);
    } finally {
      bar.close();
      await device.dispose();
    }
  });
}

/** A model on the data that is to be seen. */
interface Member {
  readonly loaded: LoadedModel;
  readonly transform: Transform;
  readonly views: Views | undefined;
}

type Job = Omit<FeatureJob, "network"> & { readonly data: LoadedData };

/** What there is to tell. */
interface Found {
  readonly result: Pick<Evaluation, "confusion" | "classes">;
  readonly record: object;
  readonly rows: readonly Row[];
}

type Row = readonly [label: string, value: string];

function show(io: Io, { result, record, rows }: Found, classes: readonly string[], flags: EvalFlags): void {
  if (flags.json) {
    printJson(io, { ...record, ...(flags.confusion && confusionRecord(result, classes)) });
    return;
  }
  for (const line of labelled(rows, colors(io).dim)) print(io, line);
  if (flags.confusion) printConfusion(io, result, classes);
}

async function byLogits(members: readonly Member[], job: Job): Promise<Found> {
  const single: Evaluation[] = [];
  for (const [i, member] of members.entries()) {
    const what = members.length === 1 ? "testing" : `testing ${i + 1} of ${members.length}`;
    single.push(await evaluateMember(member, job, { what, samples: members.length > 1 }));
  }
  const result = members.length === 1 ? (single[0] as Evaluation) : together(single);
  const { accuracy, top5, loss, count } = result;
  const views = members[0]?.views;
  const each = members.map(({ loaded }, i) => ({ loaded, scores: single[i] as Evaluation }));
  const record = {
    ...{ accuracy, top5, loss, count },
    ...(views && { views: { name: views.name, options: views.options } }),
    ...(members.length > 1 && {
      members: each.map(({ loaded: { file }, scores }) => {
        const { accuracy, top5, loss } = scores;
        return { file, accuracy, top5, loss };
      }),
    }),
  };
  const named = each.map(({ loaded, scores }) => `${titleOf(loaded)}  ${formatPercent(scores.accuracy)}`);
  const rows: Row[] = [
    members.length === 1
      ? ["model", titleOf((members[0] as Member).loaded)]
      : ["models", [...named, "together: the mean of their probabilities"].join("\n")],
    ["data", `${job.data.test.name}, ${formatInteger(count)} images`],
    ...(views === undefined ? [] : [["views", describeViews(views)] as const]),
    ["device", describeDevice(job.device)],
    ...scoreRows(result),
  ];
  return { result, record, rows };
}

const titleOf = ({ name, file }: LoadedModel): string => `${name} (${file})`;

/** A vote of neighbours has neither a top 5 nor a loss. */
function scoreRows({ accuracy, top5, loss }: Pick<FeatureScore, "accuracy" | "top5" | "loss">): Row[] {
  return [
    ["accuracy", formatPercent(accuracy)],
    ...(top5 === undefined ? [] : [["top 5", formatPercent(top5)] as const]),
    ...(loss === undefined ? [] : [["loss", formatLoss(loss)] as const]),
  ];
}

async function evaluateMember(
  { loaded, transform, views }: Member,
  { device, data, batchSize, signal, onProgress }: Job,
  { what, samples }: { readonly what: string; readonly samples: boolean },
): Promise<Evaluation> {
  const { run: config, entry, model } = loaded;
  const state = await device.createState(loaded.values);
  try {
    const base = config?.loss && makeLoss(config.loss).perSample;
    const lossPerSample = lossPerSampleOf(entry, base);
    const run = evaluator(device, state, { model, transform, views, lossPerSample, samples });
    const onBatch = (done: number): void => onProgress(what, done, data.test.count);
    const result = await run(batchesOf(data.test, batchSize, signal, onBatch));
    checkFinite(loaded.file, result);
    return result;
  } finally {
    state.dispose();
  }
}

/** The evaluation of the members' mean probabilities. */
function together(single: readonly Evaluation[]): Evaluation {
  const all = single.map(({ samples, count, classes }) => ({
    dtype: "float32" as const,
    shape: [count, classes],
    data: samples?.probabilities as Float32Array,
  }));
  return scoreProbabilities(meanProbabilities(all), single[0]?.samples?.labels as Int32Array);
}

async function byFeature(member: Member | undefined, job: Job, flags: EvalFlags): Promise<Found> {
  const { device, data } = job;
  const { knn: k, metric = "l2", features } = flags;
  const layer = features ?? member?.loaded.entry.head;
  // What the last layer is given is what it tells the classes by.
  const take = features === undefined ? "input" : "output";
  const network = member && ({ ...member.loaded, transform: member.transform, layer, take } as const);
  const result =
    k === undefined ? await scoreProbe({ ...job, network }) : await scoreNeighbours({ ...job, network }, { k, metric });
  const { accuracy, top5, loss, count, dimensions } = result;
  const taken = network === undefined ? "pixels" : `${take} of ${layer}`;
  const record = {
    ...(k === undefined ? { method: "probe" } : { method: "knn", k, metric }),
    ...{ features: taken, dimensions, train: data.train.count },
    ...{ accuracy, ...(top5 !== undefined && { top5, loss }), count },
  };
  const classifier = k === undefined ? "linear probe" : `${k} nearest neighbour${k === 1 ? "" : "s"}, ${metric}`;
  const rows: Row[] = [
    ...(member === undefined ? [] : [["model", titleOf(member.loaded)] as const]),
    ["classifier", classifier],
    ["features", `${taken}, ${formatInteger(dimensions)} numbers an image`],
    [
      "data",
      `${data.test.name}, ${formatInteger(count)} images by ${formatInteger(data.train.count)} of ${data.train.name}`,
    ],
    ["device", describeDevice(device)],
    ...scoreRows(result),
  ];
  return { result, record, rows };
}

/** @throws UsageError where the model and the data do not go together */
async function memberOf(
  io: Io,
  opened: LoadedModel,
  { train, test }: LoadedData,
  flags: EvalFlags,
  signal: AbortSignal,
): Promise<Member> {
  const views = viewsFor(flags, opened);
  const { pad = 0 } = opened.entry.preprocessing;
  checkCrops(views, test.name, test.shape);
  const shape = shapeFor(opened, views, test);
  const loaded = fitting(io, opened, { name: test.name, shape, classes: test.classes.length });
  noteClasses(io, loaded, test);
  const transform = transformOf(opened, flags) ?? normalize({ ...(await measureStatistics(train, { signal })), pad });
  return { loaded, transform, views };
}

function transformOf(opened: LoadedModel, flags: EvalFlags): Transform | undefined {
  return given(flags, opened.entry.preprocessing.pad ?? 0) ?? opened.transform;
}

/** Figures of such weights would only look like some. */
export function checkFinite(file: string, { loss, count, finite }: Evaluation): void {
  if (finite < count)
    throw new Failure(`${file}: its weights give NaN or infinity for ${count - finite} of ${count} images`);
  if (!Number.isFinite(loss)) throw new Failure(`${file}: the loss is ${loss}`);
}

/** Normalisation from --mean and --std. */
export function given(
  { mean, std }: Pick<EvalFlags, "mean" | "std">,
  pad: number,
): ReturnType<typeof normalize> | undefined {
  if (mean === undefined && std === undefined) return undefined;
  if (mean === undefined || std === undefined) throw new UsageError("--mean and --std go together");
  return normalize({ mean, std, pad });
}

async function* batchesOf(
  data: LabelledImages,
  batchSize: number,
  signal: AbortSignal,
  onBatch: (done: number) => void,
): AsyncGenerator<Batch> {
  for await (const batch of loader(data, { batchSize }).epoch(0)) {
    signal.throwIfAborted();
    yield batch;
    onBatch(Math.min((batch.index + 1) * batchSize, data.count));
  }
}
