import { channelStatistics, evaluator, loader, normalize } from "@ocelli/training";
import { lossPerSampleOf } from "@ocelli/zoo";
import { type DataFlags, loadData } from "../data.js";
import { type DeviceFlags, describeDevice, openDevice } from "../device.js";
import { UsageError } from "../errors.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print, printJson } from "../io.js";
import type { LoadedModel, ModelFlags } from "../model.js";
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
  const loaded = await openModel(io, path, flags);
  await interruptible(io, "stopping ...", async (signal) => {
    const data = await loadData(io, dataOf(loaded, flags), signal);
    checkData(loaded, data.test.name, data.test.shape, data.test.classes.length);
    const { pad = 0 } = loaded.entry.preprocessing;
    const transform = given(flags, pad) ?? loaded.transform ?? normalize({ ...channelStatistics(data.train), pad });
    const device = await openDevice(flags, (line) => note(io, line));
    const state = await device.createState(loaded.values);
    try {
      const lossPerSample = lossPerSampleOf(loaded.entry);
      const run = evaluator(device, state, { model: loaded.model, transform, lossPerSample });
      const batchSize = Math.min(flags.batchSize ?? 100, data.test.count);
      const { accuracy, top5, loss, count } = await run(abortable(loader(data.test, { batchSize }).epoch(0), signal));
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
function dataOf({ run }: LoadedModel, { data, dataDir, limit }: EvalFlags): DataFlags {
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

function checkData(
  { name, image, options }: LoadedModel,
  data: string,
  shape: readonly number[],
  classes: number,
): void {
  const needed = options.numClasses;
  if (shape.join() === image.join() && (needed === undefined || needed === classes)) return;
  throw new UsageError(
    `${name} was trained on ${image.join("x")} images in ${needed ?? "?"} classes; ${data} has ${shape.join("x")} in ${classes}`,
  );
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
