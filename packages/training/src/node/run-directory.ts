import { mkdir, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError, FormatError } from "@ocelli/core";
import { type Checkpoint, latestCheckpoint } from "../checkpoint.js";
import type { CheckpointSink, FitEvent } from "../fit.js";
import { sweep, writeAtomic } from "./atomic-write.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Difference, differences, fingerprint, parseRunConfig, type RunConfig } from "./run-config.js";
import { takeLock } from "./run-lock.js";
import { type LogLine, RunLog, readLog } from "./run-log.js";

export type { RunConfig, RunData, RunOrigin } from "./run-config.js";
export type { LogLine } from "./run-log.js";

/**
 * A folder that holds a run. Each file is replaced in one move, so that a kill at any moment leaves the old one or the new one.
 * - `run.json`: what the run is ({@link RunConfig})
 * - `last.safetensors`, `best.safetensors`: where it stands, and its best epoch
 * - `log.jsonl`: how it went ({@link LogLine})
 * - `run.lock`: there while a process trains it
 */
export class RunDirectory implements CheckpointSink {
  readonly path: string;
  readonly config: RunConfig;
  readonly #log: RunLog;

  private constructor(path: string, config: RunConfig) {
    this.path = path;
    this.config = config;
    this.#log = new RunLog(join(path, logName));
  }

  /** Starts a run in a folder, made if need be. @throws ArgumentError when the folder holds a run already, or other files */
  static async create(path: string, config: RunConfig): Promise<RunDirectory> {
    await mkdir(path, { recursive: true });
    await checkForeign(path);
    const run = new RunDirectory(path, config);
    // Another process may be in the first epoch of a run, with nothing to show yet.
    const release = await run.lock();
    try {
      // A run that failed before its first checkpoint left nothing worth keeping.
      if ((await exists(join(path, "run.json"))) && ((await run.has("last")) || (await run.has("best")))) {
        throw new ArgumentError(
          `run: ${path} holds a run already. Resume it (--resume ${path}) or choose another folder (--out).`,
        );
      }
      await writeAtomic(join(path, "run.json"), `${JSON.stringify(config, null, 2)}\n`);
      return run;
    } finally {
      await release();
    }
  }

  /** Opens a run. @throws ArgumentError when there is none; FormatError when run.json is damaged */
  static async open(path: string): Promise<RunDirectory> {
    const file = join(path, "run.json");
    const text = await readFile(file, "utf8").catch(() => {
      throw new ArgumentError(`run: ${path} is not a run: it has no readable run.json. \`ocelli train\` makes runs.`);
    });
    const directory = new RunDirectory(path, parseRunConfig(file, text));
    await Promise.all(
      ["run.json", "last.safetensors", "best.safetensors", logName].map((name) => sweep(join(path, name))),
    );
    return directory;
  }

  checkpointPath(kind: "last" | "best"): string {
    return join(this.path, `${kind}.safetensors`);
  }

  /**
   * Keeps other processes from training this run until what it returns is called. Reading needs no lock.
   * @throws ArgumentError while another process trains it
   */
  lock(): Promise<() => Promise<void>> {
    return takeLock(join(this.path, lockName));
  }

  async save(kind: "last" | "best", values: Checkpoint["values"], progress: Checkpoint["progress"]): Promise<void> {
    await writeCheckpoint(this.checkpointPath(kind), { values, progress, run: fingerprint(this.config) });
  }

  /** @throws ArgumentError when the run has not saved one yet; FormatError when run.json is another one by now */
  async load(kind: "last" | "best" = "last"): Promise<Checkpoint> {
    const path = this.checkpointPath(kind);
    if (!(await exists(path)))
      throw new ArgumentError(`run: ${this.path} has no ${kind}.safetensors yet: it ended before its first checkpoint`);
    const checkpoint = await readCheckpoint(path);
    const different = checkpoint.run === undefined ? [] : differences(checkpoint.run, this.config);
    if (different.length > 0) {
      throw new FormatError(
        `${join(this.path, "run.json")}: not what ${kind}.safetensors was trained with: ${different.map(describeDifference).join("; ")}. Put it back as it was, or start a new run.`,
        { different: different.map(({ field }) => field) },
      );
    }
    return checkpoint;
  }

  /** Where the run goes on (see `latestCheckpoint`); undefined before its first checkpoint. */
  async latest(): Promise<Checkpoint | undefined> {
    const found = await Promise.all(
      // Of files of one moment the best comes first: both are read.
      (["best", "last"] as const).map(async (kind) => ({ kind, at: await writtenAt(this.checkpointPath(kind)) })),
    );
    const kept = found.flatMap(({ kind, at }) => (at === undefined ? [] : [{ kind, at }])).sort((a, b) => b.at - a.at);
    return latestCheckpoint(
      kept.map(({ kind }) => kind),
      (kind) => this.load(kind),
    );
  }

  has(kind: "last" | "best"): Promise<boolean> {
    return exists(this.checkpointPath(kind));
  }

  /**
   * Removes the run, its lock too, unless it has a checkpoint with a step behind it: for a training that failed at once. Other files stay,
   * and the folder with them.
   */
  async discard(): Promise<void> {
    if ((await this.has("best")) || ((await this.has("last")) && (await this.load()).progress.step > 0)) return;
    for (const name of ["last.safetensors", logName, "run.json", lockName])
      await rm(join(this.path, name), { force: true });
    const left = await readdir(this.path);
    if (left.length === 0) await rmdir(this.path);
  }

  /** Writes what belongs there to the log: `fit({ ..., on: (event) => run.record(event) })`. */
  record(event: FitEvent): Promise<void> {
    return this.#log.record(event);
  }

  /** The log, without a line that a kill cut off. @throws FormatError when it is damaged otherwise */
  readLog(): Promise<LogLine[]> {
    return readLog(join(this.path, logName));
  }
}

const logName = "log.jsonl";
const lockName = "run.lock";

/** @throws ArgumentError for a folder of other things: a run is not written among them */
async function checkForeign(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes("run.json")) return;
  // What a run that ended early left, or one that begins right now writes; and what systems hide in folders.
  const own = /^(run\.json|run\.lock|log\.jsonl|(last|best)\.safetensors)|^\./;
  const foreign = names.filter((name) => !own.test(name)).sort();
  if (foreign.length === 0) return;
  throw new ArgumentError(
    `run: ${path} holds other files (${foreign[0]}${foreign.length > 1 ? ", ..." : ""}) and no run. Choose a new or empty folder (--out).`,
    { path },
  );
}

/** `seed is 9, was 0` */
function describeDifference({ field, saved, now }: Difference): string {
  const shown = (value: unknown): string => {
    const text = JSON.stringify(value) ?? "not given";
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
  };
  return `${field} is ${shown(now)}, was ${shown(saved)}`;
}

/** Milliseconds since 1970; undefined: there is no such file. */
const writtenAt = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.mtimeMs;

const exists = async (path: string): Promise<boolean> => (await writtenAt(path)) !== undefined;
