import { OcelliError } from "@ocelli/core";
import { channelStatistics, type Evaluation, evaluator, loader, normalize } from "@ocelli/training";
import { lossPerSampleOf } from "@ocelli/zoo";
import { type DataFlags, type DataKind, loadData, publishedKind } from "../data.js";
import { type DeviceFlags, describeDevice, openDevice } from "../device.js";
import { Failure, UsageError } from "../errors.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print, printJson } from "../io.js";
import { type ImageShape, type LoadedModel, type ModelFlags, resized } from "../model.js";
import { openModel } from "../published.js";
import { colors, formatInteger, formatLoss, formatPercent, labelled } from "../terminal.js";

export interface EvalFlags extends ModelFlags, DeviceFlags, Partial<DataFlags> {
  readonly batchSize?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly json?: boolean;
}

/** `ocelli eval RUN|WEIGHTS`: accuracy and loss on a test set. */
export async function evaluate(io: Io, path: string, flags: EvalFlags): Promise<void> {
  const opened = await openModel(io, path, flags, (model) => {
    const kind = publishedKind(dataOf(undefined, flags));
    if (kind !== undefined) checkData(model, kind);
  });
  await interruptible(io, "stopping ...", async (signal) => {
    const { pad = 0 } = opened.entry.preprocessing;
    const known = given(flags, pad) ?? opened.transform;
    const data = await loadData(io, dataOf(opened.run, flags), signal, { testOnly: known !== undefined });
    const { name, shape, classes } = data.test;
    const loaded = fitting(io, opened, { name, shape, classes: classes.length });
    const transform = known ?? normalize({ ...channelStatistics(data.train), pad });
    const device = await openDevice(flags, (line) => note(io, line));
    const state = await device.createState(loaded.values);
    try {
      const lossPerSample = lossPerSampleOf(loaded.entry);
      const run = evaluator(device, state, { model: loaded.model, transform, lossPerSample });
      const batchSize = Math.min(flags.batchSize ?? 100, data.test.count);
      const result = await run(abortable(loader(data.test, { batchSize }).epoch(0), signal));
      checkFinite(loaded.file, result);
      const { accuracy, top5, loss, count } = result;
      if (flags.json) return printJson(io, { accuracy, top5, loss, count });
      const rows: [string, string][] = [
        ["model", `${loaded.name} (${loaded.file})`],
        ["data", `${data.test.name}, ${formatInteger(count)} images`],
        ["device", describeDevice(device)],
        ["accuracy", formatPercent(accuracy)],
        ["top 5", formatPercent(top5)],
        ["loss", formatLoss(loss)],
      ];
      for (const line of labelled(rows, colors(io).dim)) print(io, line);
    } finally {
      state.dispose();
      await device.dispose();
    }
  });
}

/** The data that is named; otherwise that of the run. */
function dataOf(run: LoadedModel["run"], { data, dataDir, limit }: EvalFlags): DataFlags {
  const name = data ?? run?.data.name;
  if (name === undefined) throw new UsageError("eval needs --data, for example --data mnist");
  const dir = dataDir ?? (name === run?.data.name ? (run.data.dir ?? undefined) : undefined);
  // Unasked, the very images that the training tested on.
  return {
    data: name as DataFlags["data"],
    dataDir: dir,
    limit: limit ?? (data === undefined ? run?.data.limit : undefined),
  };
}

function checkData({ name, image, options }: Pick<LoadedModel, "name" | "image" | "options">, data: DataKind): void {
  const needed = options.numClasses;
  if (isSame(data.shape, image) && (needed === undefined || needed === data.classes)) return;
  throw new UsageError(
    `${name} was trained on ${image.join("x")} images in ${needed ?? "?"} classes; ${data.name} has ${data.shape.join("x")} in ${data.classes}`,
  );
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

/** The model for the data: of the data's size where the weights do not say theirs. @throws UsageError where the two do not go together */
function fitting(io: Io, loaded: LoadedModel, data: DataKind): LoadedModel {
  const { name, image, imageKnown, options, entry, file } = loaded;
  if (imageKnown) {
    checkData(loaded, data);
    return loaded;
  }
  const has = options.numClasses ?? entry.numClasses;
  if (has !== data.classes) throw new UsageError(`${file} has ${has} classes; ${data.name} has ${data.classes}`);
  if (isSame(data.shape, image)) return loaded;
  const shape = data.shape.join("x");
  try {
    const taken = resized(loaded, data.shape as ImageShape);
    note(
      io,
      `note: ${file} does not say which images it was trained on; it is taken for ${shape}, as ${data.name} has`,
    );
    return taken;
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    const reason = error.message.replaceAll("\n", "\n  ");
    throw new UsageError(`${name} takes ${image.join("x")} images; ${data.name} has ${shape}\n  ${reason}`);
  }
}

/** Figures of such weights would only look like some. */
function checkFinite(file: string, { loss, count, finite }: Evaluation): void {
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

async function* abortable<T>(batches: AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
  for await (const batch of batches) {
    signal.throwIfAborted();
    yield batch;
  }
}
