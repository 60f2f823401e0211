import { appendFile, readFile } from "node:fs/promises";
import { FormatError } from "@ocelli/core";
import type { DoneEvent, EpochEvent, FitEvent, LogEvent, Progress, StartEvent } from "../fit.js";
import { writeAtomic } from "./atomic-write.js";

/**
 * A line of `log.jsonl`, one JSON object each. A sitting (a run, or the part of one between two interruptions) writes
 * - `start`: its plan, and where it goes on,
 * - `step`, about twenty an epoch: means over the steps since the line before, learning rate, speed, and statistics where they are asked for,
 * - `epoch`: the epoch's summary,
 * - `done`: how it ended; a killed one has none.
 *
 * `step` counts the steps behind the line, over all sittings, and never falls from line to line: a sitting that goes on from a checkpoint
 * first removes what was logged after it. `time` is ISO 8601.
 */
export type LogLine = { readonly time: string; readonly step: number } & (
  | (Omit<StartEvent, "from"> & { readonly epoch: number; readonly batch: number })
  | (Omit<LogEvent, "type"> & { readonly type: "step" })
  | EpochEvent
  | DoneEvent
);

/** The file, written as events come: a run that fails or is killed has its last lines, too. */
export class RunLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Takes what belongs in the log; resolves when it is in the file. */
  async record(event: FitEvent): Promise<void> {
    if (event.type === "start") await this.#cut(event.from);
    const line = lineOf(event);
    if (line !== undefined) await appendFile(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** Removes what came after the checkpoint that a run goes on from: it comes again. */
  async #cut({ step, epoch }: Progress): Promise<void> {
    const lines = await readLog(this.#file);
    // A run that begins anew has no past.
    const past = step === 0 ? [] : lines.filter((line) => line.step <= step);
    const kept = past.filter((line) => line.type !== "epoch" || line.epoch <= epoch);
    // Also without a line to keep: behind one that a kill tore, the next would be no JSON.
    await writeAtomic(this.#file, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}

function lineOf(event: FitEvent): LogLine | undefined {
  const time = new Date().toISOString();
  switch (event.type) {
    case "start": {
      const { from, ...plan } = event;
      return { ...plan, time, step: from.step, epoch: from.epoch, batch: from.batch };
    }
    case "log":
      return { ...event, type: "step", time };
    case "epoch":
    case "done":
      return { ...event, time };
    default:
      return undefined;
  }
}

/** A log's lines; none where there is no file. A torn last line is left out. @throws FormatError for any other that is no JSON */
export async function readLog(file: string): Promise<LogLine[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  // Behind the last line break there is nothing, or what a killed process had begun.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line, i) => parseLine(line, `${file}: line ${i + 1}`));
}

function parseLine(text: string, where: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    throw new FormatError(`${where} is not JSON`);
  }
}
