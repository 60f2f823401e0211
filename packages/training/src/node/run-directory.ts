import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError, FormatError, hashBytes } from "@ocelli/core";
import type { Checkpoint } from "../checkpoint.js";
import type { CheckpointSink } from "../fit.js";
import type { Named } from "../named.js";
import { sweep, writeAtomic } from "./atomic-write.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";

/** What a run is, written once at its start: enough to rebuild model, data and training. */
export interface RunConfig {
  readonly format: "ocelli-run-1";
  readonly model: { readonly name: string; readonly options: Readonly<Record<string, number | readonly number[]>> };
  /** `limit`: only so many images of each split were used. */
  readonly data: { readonly name: string; readonly dir: string | null; readonly limit?: number };
  readonly classes: readonly string[];
  /** `[C, H, W]` of the data's images, before the transform. */
  readonly image: readonly [number, number, number];
  readonly optimizer: Named;
  readonly schedule: Named;
  readonly transform: Named;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  /** What it was trained on; the same bits need the same. */
  readonly device: { readonly name: string; readonly threads: number | null };
}

/**
 * A folder that holds a run: `run.json`, `last.safetensors`, `best.safetensors`, `log.jsonl`. Each file is replaced in one move.
 */
export class RunDirectory implements CheckpointSink {
  readonly path: string;
  readonly config: RunConfig;

  private constructor(path: string, config: RunConfig) {
    this.path = path;
    this.config = config;
  }

  /** Starts a run in a folder, made if need be. @throws ArgumentError when the folder holds a run already */
  static async create(path: string, config: RunConfig): Promise<RunDirectory> {
    await mkdir(path, { recursive: true });
    // A run that failed before its first checkpoint left nothing worth keeping.
    const traces = ["last.safetensors", "best.safetensors", "log.jsonl"].map((name) => exists(join(path, name)));
    if ((await exists(join(path, "run.json"))) && (await Promise.all(traces)).some((there) => there)) {
      throw new ArgumentError(
        `run: ${path} holds a run already. Resume it (--resume ${path}) or choose another folder (--out).`,
      );
    }
    await writeAtomic(join(path, "run.json"), `${JSON.stringify(config, null, 2)}\n`);
    return new RunDirectory(path, config);
  }

  /** Opens a run. @throws ArgumentError when there is none; FormatError when run.json is damaged */
  static async open(path: string): Promise<RunDirectory> {
    const file = join(path, "run.json");
    const text = await readFile(file, "utf8").catch(() => {
      throw new ArgumentError(`run: ${path} is not a run: it has no readable run.json. \`ocelli train\` makes runs.`);
    });
    const directory = new RunDirectory(path, parseConfig(file, text));
    await Promise.all(["run.json", "last.safetensors", "best.safetensors"].map((name) => sweep(join(path, name))));
    return directory;
  }

  checkpointPath(kind: "last" | "best"): string {
    return join(this.path, `${kind}.safetensors`);
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
    if (checkpoint.run !== undefined && checkpoint.run !== fingerprint(this.config)) {
      throw new FormatError(
        `${join(this.path, "run.json")}: its model, data, recipe or seed is not the one that ${kind}.safetensors was trained with. Put it back as it was, or start a new run.`,
      );
    }
    return checkpoint;
  }

  has(kind: "last" | "best"): Promise<boolean> {
    return exists(this.checkpointPath(kind));
  }

  /** Adds one line to the log. */
  async log(record: Readonly<Record<string, unknown>>): Promise<void> {
    await appendFile(join(this.path, "log.jsonl"), `${JSON.stringify(record)}\n`);
  }
}

/** Names what training depends on. How long, where, and where the data lies may change. */
function fingerprint({ epochs, device, data, format, ...rest }: RunConfig): string {
  const kept = { ...rest, data: data.name, limit: data.limit };
  return hashBytes(new TextEncoder().encode(JSON.stringify(kept)));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function parseConfig(file: string, text: string): RunConfig {
  let config: Partial<RunConfig>;
  try {
    config = JSON.parse(text) as Partial<RunConfig>;
  } catch {
    throw new FormatError(`${file}: not JSON`);
  }
  if (config?.format !== "ocelli-run-1")
    throw new FormatError(`${file}: the format is ${JSON.stringify(config?.format)}; it needs "ocelli-run-1"`);
  const needed = [
    "model",
    "data",
    "classes",
    "image",
    "optimizer",
    "schedule",
    "transform",
    "epochs",
    "batchSize",
    "seed",
    "device",
  ] as const;
  const missing = needed.filter((name) => config[name] === undefined);
  if (missing.length > 0) throw new FormatError(`${file}: lacks ${missing.join(", ")}`);
  return config as RunConfig;
}
