import { resolve } from "node:path";
import type { Device } from "@ocelli/core";
import { channelStatistics } from "@ocelli/training";
import { type Checkpoint, type LoadedDataset, type RunConfig, RunDirectory } from "@ocelli/training/node";
import type { Recipe } from "@ocelli/zoo";
import { type DataFlags, loadData } from "../data.js";
import { type DeviceFlags, type DeviceName, describeDevice, deviceNames, openDevice } from "../device.js";
import { UsageError } from "../errors.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print } from "../io.js";
import { buildFor, entryOf, passportOf, transformFor } from "../model.js";
import { describePlan, type Plan, planTraining, type RecipeFlags } from "../recipe.js";
import { defaultRunFolder } from "../run-folder.js";
import { colors, formatInteger, labelled, plural } from "../terminal.js";
import { reportDone, resumeCommand, trainRun } from "../training.js";

export interface TrainFlags extends RecipeFlags, DeviceFlags, Partial<DataFlags> {
  readonly seed?: number;
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
  const { data } = flags;
  const { recipe } = entryOf(model);
  await interruptible(io, stopping, async (signal) => {
    const loaded = await loadData(io, { ...flags, data }, signal);
    const draft = draftRun(model, { ...flags, data }, loaded);
    const device = await openDevice(flags, (line) => note(io, line));
    try {
      const run = await createRun(flags.out ?? defaultRunFolder(model, data, draft.config.seed), draft.config, device);
      describe(io, { run, data: loaded, device, parameters: draft.parameters, recipe, json: flags.json });
      await finish(io, run, { flags, loaded, device, signal });
    } finally {
      await device.dispose();
    }
  });
}

/** Everything about a new run except the device that it turns out to run on. */
export function draftRun(
  model: string,
  flags: RecipeFlags & DataFlags & { readonly seed?: number },
  { train: images }: LoadedDataset,
): { config: Omit<RunConfig, "device">; parameters: number } {
  const { data, dataDir, limit, seed = 0 } = flags;
  const entry = entryOf(model);
  const image = images.shape;
  const built = buildFor(model, { name: data, image, classes: images.classes.length });
  const plan = planTraining(entry.recipe, flags, images.count);
  if (plan.batchSize > images.count) {
    throw new UsageError(`--batch-size ${plan.batchSize}: there are only ${plural(images.count, "training image")}`);
  }
  const transform = transformFor(entry, channelStatistics(images));
  const parameters = [...built.model.parameters().values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const config = {
    format: "ocelli-run-1" as const,
    model: { name: model, options: { ...built.options } },
    data: {
      name: data,
      dir: dataDir === undefined ? null : resolve(dataDir),
      ...(limit === undefined ? {} : { limit }),
    },
    classes: images.classes,
    image,
    optimizer: { name: plan.optimizer.name, options: plan.optimizer.options },
    schedule: { name: plan.schedule.name, options: plan.schedule.options },
    transform: { name: transform.name, options: transform.options },
    epochs: plan.epochs,
    batchSize: plan.batchSize,
    seed,
  };
  return { config, parameters };
}

export function createRun(path: string, config: Omit<RunConfig, "device">, { info }: Device): Promise<RunDirectory> {
  return RunDirectory.create(path, { ...config, device: { name: info.name, threads: info.threads ?? null } });
}

/** Options that a run keeps from its start. */
const fixed = [
  "data",
  "limit",
  "batchSize",
  "optimizer",
  "lr",
  "momentum",
  "weightDecay",
  "schedule",
  "stepSize",
  "gamma",
  "seed",
  "out",
] as const satisfies readonly (keyof TrainFlags)[];

async function resumeRun(io: Io, model: string | undefined, path: string, flags: TrainFlags): Promise<void> {
  const run = await RunDirectory.open(path);
  const { config } = run;
  const { model: trains } = passportOf(run);
  const given = fixed
    .filter((name) => flags[name] !== undefined)
    .map((name) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`);
  if (given.length > 0) throw new UsageError(`${given.join(", ")}: a resumed run keeps what it was started with`);
  if (model !== undefined && model !== trains) throw new UsageError(`the run ${path} trains ${trains}, not ${model}`);
  const saved = (await run.has("last")) ? await run.load("last") : undefined;
  const done = saved?.progress.epoch ?? 0;
  if (flags.epochs !== undefined && flags.epochs < done)
    throw new UsageError(`--epochs ${flags.epochs}: the run ${path} has ${done} epochs already`);
  await interruptible(io, stopping, async (signal) => {
    const { name, dir, limit } = config.data;
    const data = await loadData(
      io,
      { data: name as DataFlags["data"], dataDir: flags.dataDir ?? dir ?? undefined, limit },
      signal,
    );
    const device = await openDevice(resumedDevice(flags, config), (line) => note(io, line));
    try {
      warnIfMoved(io, config, device);
      // A run that was extended once has more epochs behind it than run.json asks for.
      const epochs = Math.max(flags.epochs ?? config.epochs, done);
      describe(io, { run, data, device, epochs, json: flags.json });
      await finish(io, run, { flags, loaded: data, device, signal, saved, epochs });
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
  readonly loaded: LoadedDataset;
  readonly device: Device;
  readonly signal: AbortSignal;
  readonly saved?: Checkpoint | undefined;
  /** Default: what the run says. */
  readonly epochs?: number;
}

async function finish(io: Io, run: RunDirectory, { flags, loaded, ...work }: Work): Promise<void> {
  const { epochs: asked, json = false } = flags;
  const extra = asked !== undefined && asked !== run.config.epochs ? ["--epochs", `${asked}`] : [];
  const command = resumeCommand(io, run, extra);
  const result = await trainRun(io, { run, data: loaded, json, resumeCommand: command, ...work });
  reportDone(io, run, result, json);
}

interface Described {
  readonly run: RunDirectory;
  readonly data: LoadedDataset;
  readonly device: Device;
  readonly parameters?: number;
  /** Default: what the run says. */
  readonly epochs?: number;
  /** The model's own: the line tells how far the run is from it. */
  readonly recipe?: Recipe;
  readonly json?: boolean | undefined;
}

/** Says what is about to happen. */
export function describe(io: Io, { run, data, device, parameters, epochs, recipe, json }: Described): void {
  if (json) return;
  const { config } = run;
  const { dim } = colors(io);
  const images = `${formatInteger(data.train.count)} training and ${plural(data.test.count, "test image")}`;
  const lines = labelled(
    [
      [
        "model",
        parameters === undefined ? config.model.name : `${config.model.name}, ${formatInteger(parameters)} parameters`,
      ],
      ["data", `${config.data.name}, ${images} (${config.image.join("x")}, ${config.classes.length} classes)`],
      ["recipe", describePlan({ ...planOf(config), epochs: epochs ?? config.epochs }, config.seed, recipe)],
      ["device", describeDevice(device)],
      ["run", run.path],
    ],
    dim,
  );
  for (const line of lines) print(io, line);
  print(io);
}

function planOf({ epochs, batchSize, optimizer, schedule }: RunConfig): Plan {
  return {
    epochs,
    batchSize,
    optimizer: { ...optimizer } as Plan["optimizer"],
    schedule: { ...schedule } as Plan["schedule"],
  };
}
