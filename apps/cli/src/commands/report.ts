import { join } from "node:path";
import type { EvaluationRecord, Fact } from "@ocelli/inspect/report";
import { loader } from "@ocelli/training";
import { type RunConfig, RunDirectory, writeAtomic } from "@ocelli/training/node";
import { type DeviceFlags, openDevice } from "../device.js";
import { noteChanged } from "../evaluation/data.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print, printJson } from "../io.js";
import { type LoadedModel, loadModel, passportOf } from "../model.js";
import { checkOutput } from "../output.js";
import { Bar } from "../progress.js";
import { testModel } from "../report/evaluation.js";
import { costOf, factsOf, picturesOf } from "../report/facts.js";
import { type Course, courseOf } from "../report/history.js";
import { encodePng } from "../report/png.js";
import { loadRunData } from "../run-data.js";
import { colors, formatLoss, formatPercent, labelled } from "../terminal.js";

export interface ReportFlags extends DeviceFlags {
  readonly output?: string;
  readonly checkpoint?: "last" | "best";
  readonly dataDir?: string;
  readonly batchSize?: number;
  readonly mistakes?: number;
  /** False: `--no-eval`. */
  readonly eval?: boolean;
  readonly json?: boolean;
}

/** `ocelli report RUN`: a run as one page. */
export async function report(io: Io, path: string, flags: ReportFlags): Promise<void> {
  const run = await RunDirectory.open(path);
  const { config } = run;
  const file = flags.output ?? join(path, "report.html");
  await checkOutput(file);
  const opened = await openCheckpoint(io, run, flags);
  const course = await readCourse(run);
  const cost = costOf(passportOf(run));
  const evaluation = opened && flags.eval !== false ? await evaluated(io, opened, flags) : undefined;
  // The plotting library is loaded when something is drawn.
  const { reportHtml } = await import("@ocelli/inspect/report");
  const shown = { ...factsOf(config, course, cost), ...course, evaluation, ...(opened && picturesOf(opened.loaded)) };
  await writeAtomic(file, await reportHtml(shown, { encodePng }));
  if (flags.json) {
    const { numbersOf } = await import("../report/numbers.js");
    printJson(io, { report: file, ...numbersOf({ config, course, cost, evaluation }) });
  } else printShort(io, file, evaluation);
}

interface Opened {
  readonly loaded: LoadedModel;
  readonly kind: "last" | "best";
}

/** The checkpoint that is asked for, otherwise the best there is; undefined, with a note, where there is none yet. */
async function openCheckpoint(io: Io, run: RunDirectory, { checkpoint }: ReportFlags): Promise<Opened | undefined> {
  const kind = checkpoint ?? ((await run.has("best")) ? "best" : "last");
  if (checkpoint !== undefined || (await run.has(kind)))
    return { loaded: await loadModel(run.path, { checkpoint: kind }), kind };
  note(io, `note: ${run.path} has no checkpoint yet: the page shows its log alone`);
  return undefined;
}

async function readCourse(run: RunDirectory): Promise<Course> {
  const saved = await run.latest();
  return courseOf(await run.readLog(), saved?.progress.history ?? []);
}

/** What the checkpoint makes of the run's own test images. */
async function evaluated(io: Io, { loaded, kind }: Opened, flags: ReportFlags): Promise<EvaluationRecord> {
  return interruptible(io, "stopping ...", async (signal) => {
    const data = await loadRunData(io, loaded.run as RunConfig, flags, signal);
    noteChanged(io, loaded, data);
    const { test } = data;
    const device = await openDevice(flags, (line) => note(io, line));
    const bar = new Bar(io, io.stderr);
    const onProgress = (images: number): void => {
      if (io.stderr.isTTY) bar.show("testing", images, test.count, [`${images} of ${test.count} images`]);
    };
    try {
      const batches = loader(test, { batchSize: Math.min(flags.batchSize ?? 100, test.count) });
      const result = await testModel({
        device,
        loaded,
        test: batches,
        mistakes: flags.mistakes ?? 24,
        signal,
        onProgress,
      });
      return { name: `${test.name}, ${kind} checkpoint`, ...result };
    } finally {
      bar.close();
      await device.dispose();
    }
  });
}

function printShort(io: Io, file: string, evaluation: EvaluationRecord | undefined): void {
  const scores: Fact[] =
    evaluation === undefined
      ? []
      : [
          ["data", evaluation.name],
          ["accuracy", formatPercent(evaluation.top1)],
          ["loss", formatLoss(evaluation.loss)],
        ];
  for (const line of labelled([...scores, ["report", file]], colors(io).dim)) print(io, line);
}
