import type { Device } from "@ocelli/core";
import { freshProgress, type LabelledImages } from "@ocelli/training";
import { type Checkpoint, type RunConfig, RunDirectory } from "@ocelli/training/node";
import type { Recipe } from "@ocelli/zoo";
import { augmentationNames } from "../augmentation.js";
import { type DataFlags, loadData } from "../data.js";
import { type DeviceFlags, type DeviceName, describeDevice, deviceNames, openDevice } from "../device.js";
import { checkDraft, type Draft, type DraftFlags, draftRun, framesFor, recipeFor } from "../draft.js";
import { UsageError } from "../errors.js";
import { cachingFeatures, movingFrames } from "../frozen.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print } from "../io.js";
import { passportOf } from "../model.js";
import { describePlan } from "../recipe-text.js";
import { loadRunData } from "../run-data.js";
import { defaultRunFolder } from "../run-folder.js";
import { colors, formatInteger, labelled, plural, spelled } from "../terminal.js";
import { reportDone, resumeCommand, type TrainingData, trainRun } from "../training.js";
import { openOrigin } from "../transfer.js";

export interface TrainFlags extends Omit<DraftFlags, "data">, DeviceFlags, Partial<Pick<DataFlags, "data">> {
  readonly initFrom?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly json?: boolean;
}

const stopping = "stopping after the steps in flight ...";

export async function train(io: Io, model: string | undefined, flags: TrainFlags): Promise<void> {
  if (flags.resume !== undefined) return resumeRun(io, model, flags.resume, flags);
  if (model === undefined)
    throw new UsageError("train needs a model, for example lenet5_modern. `ocelli list` shows all.");
  if (flags.data === undefined)
    throw new UsageError("train needs --data, for example --data digits, which is built in.");
  const given = { ...flags, data: flags.data };
  checkDraft(model, given);
  if (flags.head !== undefined && flags.initFrom === undefined)
    throw new UsageError("--head new is for --init-from: without it the whole network is new");
  await interruptible(io, stopping, async (signal) => {
    const origin = flags.initFrom === undefined ? undefined : await openOrigin(io, flags.initFrom, model);
    const data = await loadData(io, given, signal, { frames: framesFor(model, given, origin) });
    const draft = await draftRun(io, model, given, data, { origin, signal });
    const device = await openDevice(flags, (line) => note(io, line));
    try {
      const folder = flags.out ?? defaultRunFolder(model, draft.config.data.name, draft.config.seed);
      const { run, saved } = await createRun(folder, draft, device);
      const recipe = recipeFor(model, flags);
      describe(io, { run, data, device, ...draft, recipe, json: flags.json });
      await finish(io, run, { flags, data, device, signal, saved, created: true });
    } finally {
      await device.dispose();
    }
  });
}

/** Makes the run's folder. What it starts from is its first checkpoint, so that it can be resumed without the origin. */
export async function createRun(
  path: string,
  { config, values }: Draft,
  { info }: Device,
): Promise<{ readonly run: RunDirectory; readonly saved: Checkpoint | undefined }> {
  const device = { name: info.name, threads: info.threads ?? null };
  const run = await RunDirectory.create(path, { ...config, device });
  if (values === undefined) return { run, saved: undefined };
  await run.save("last", values, freshProgress);
  return { run, saved: { values, progress: freshProgress } };
}

/** Options that a run may change when it is resumed; all others it keeps from its start. */
const free: readonly (keyof TrainFlags)[] = ["resume", "epochs", "dataDir", "device", "threads", "json"];

async function resumeRun(io: Io, model: string | undefined, path: string, flags: TrainFlags): Promise<void> {
  const run = await RunDirectory.open(path);
  const { config } = run;
  const { model: trains } = passportOf(run);
  const given = (Object.keys(flags) as (keyof TrainFlags)[])
    .filter((name) => flags[name] !== undefined && !free.includes(name))
    .map(spelled)
    .sort();
  if (given.length > 0) throw new UsageError(`${given.join(", ")}: a resumed run keeps what it was started with`);
  if (model !== undefined && model !== trains) throw new UsageError(`the run ${path} trains ${trains}, not ${model}`);
  const saved = await run.latest();
  const done = saved?.progress.epoch ?? 0;
  if (flags.epochs !== undefined && flags.epochs < done)
    throw new UsageError(`--epochs ${flags.epochs}: the run ${path} has ${done} epochs already`);
  await interruptible(io, stopping, async (signal) => {
    const data = await loadRunData(io, config, flags, signal);
    const device = await openDevice(resumedDevice(flags, config), (line) => note(io, line));
    try {
      warnIfMoved(io, config, device);
      // A run that was extended once has more epochs behind it than run.json asks for.
      const epochs = Math.max(flags.epochs ?? config.epochs, done);
      describe(io, { run, data, device, epochs, json: flags.json });
      await finish(io, run, { flags, data, device, signal, saved, epochs });
    } finally {
      await device.dispose();
    }
  });
}

function resumedDevice(flags: DeviceFlags, { device }: RunConfig): DeviceFlags {
  const name = deviceNames.find((known) => known === device.name);
  const threads = flags.threads ?? device.threads ?? undefined;
  return {
    device: flags.device ?? (name as DeviceName | undefined) ?? "auto",
    ...(threads === undefined ? {} : { threads }),
  };
}

function warnIfMoved(io: Io, config: RunConfig, { info }: Device): void {
  // A graphics card has no threads to count.
  const called = (name: string, threads: number | null = null): string =>
    threads === null ? name : `${name} with ${threads} threads`;
  const now = called(info.name, info.threads);
  const before = called(config.device.name, config.device.threads);
  if (now !== before)
    note(io, `note: the run began on ${before} and continues on ${now}: its numbers will differ in the last digits`);
}

interface Work {
  readonly flags: TrainFlags;
  readonly data: TrainingData;
  readonly device: Device;
  readonly signal: AbortSignal;
  readonly saved?: Checkpoint | undefined;
  /** Default: what the run says. */
  readonly epochs?: number;
  readonly created?: boolean;
}

async function finish(io: Io, run: RunDirectory, { flags, ...work }: Work): Promise<void> {
  const { epochs: asked, json = false } = flags;
  const extra = asked !== undefined && asked !== run.config.epochs ? ["--epochs", `${asked}`] : [];
  const command = resumeCommand(io, run, extra);
  const prepare = cachingFeatures(io, run.config, { json, resumeCommand: command });
  const result = await trainRun(io, { run, json, resumeCommand: command, prepare, ...work });
  reportDone(io, run, result, json);
}

interface Described {
  readonly run: RunDirectory;
  readonly data: TrainingData;
  readonly device: Device;
  readonly parameters?: number;
  /** How the activations were made to fit. */
  readonly memory?: string | undefined;
  /** Default: what the run says. */
  readonly epochs?: number;
  /** What the run began from: a line tells how far it is from it. */
  readonly recipe?: Recipe;
  readonly json?: boolean | undefined;
}

/** Says what is about to happen. */
export function describe(io: Io, { run, data, device, parameters, memory, epochs, recipe, json }: Described): void {
  if (json) return;
  const { config } = run;
  const { model, freeze, recompute } = config;
  const plan = { ...config, epochs: epochs ?? config.epochs };
  const augmented = [...frameNames(config), ...augmentationNames(config.transform)];
  const pairs: [label: string, text: string | undefined][] = [
    ["model", parameters === undefined ? model.name : `${model.name}, ${formatInteger(parameters)} parameters`],
    ["start", describeStart(config)],
    ["frozen", freeze?.join(" ")],
    ["data", describeData(config, data)],
    ["augment", augmented.length === 0 ? undefined : augmented.join(", ")],
    ["recipe", describePlan(plan, config.seed, recipe)],
    ["memory", memory ?? (recompute === undefined ? undefined : `recomputed: ${recompute.join(" ")}`)],
    ["device", describeDevice(device)],
    ["run", run.path],
  ];
  const known = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  for (const line of labelled(known, colors(io).dim)) print(io, line);
  print(io);
}

/** What cuts training images out of picture files, where it is not what cuts test images. */
function frameNames(config: RunConfig): string[] {
  if (config.frames === undefined || !movingFrames(config)) return [];
  const { name, options } = config.frames.train;
  const sides = new Set([options.size].flat());
  return [`${name} ${[...sides].join("x")}`];
}

function describeStart({ initFrom }: RunConfig): string | undefined {
  if (initFrom === undefined) return undefined;
  return initFrom.head === "new" ? `${initFrom.source}, with a new classifier` : initFrom.source;
}

function describeData(
  { data: { name }, image, classes }: RunConfig,
  { train, validation, test }: TrainingData,
): string {
  const part = ({ count }: LabelledImages, kind: string): string => `${formatInteger(count)} ${kind}`;
  const training = part(train, "training");
  const images =
    test === validation
      ? `${training} and ${plural(test.count, "validation image")} (no test part: they are the test images too)`
      : `${[training, ...(validation ? [part(validation, "validation")] : [])].join(", ")} and ${plural(test.count, "test image")}`;
  return `${name}, ${images} (${image.join("x")}, ${classes.length} classes)`;
}
