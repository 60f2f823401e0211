import { FormatError } from "@ocelli/core";
import type { EarlyStopping, Monitor } from "../fit/monitor.js";
import type { Named, Options } from "../named.js";

/**
 * What a run is, written once at its start as `run.json`: enough to rebuild model, data and training. Parts are {@link Named}; what a run
 * does not use is left out.
 */
export interface RunConfig {
  readonly format: "ocelli-run-1";
  readonly model: { readonly name: string; readonly options: Options };
  readonly data: RunData;
  readonly classes: readonly string[];
  /** `[C, H, W]` of the data's images, before the transform. */
  readonly image: readonly [number, number, number];
  /** What the parameters start from instead of chance. */
  readonly initFrom?: RunOrigin | undefined;

  readonly optimizer: Named;
  readonly schedule: Named;
  /** On the device, in training and evaluation: augmentation and normalisation. */
  readonly transform: Named;
  /** How picture files become images of one size. */
  readonly frames?: { readonly train: Named; readonly eval: Named } | undefined;
  /** Default: the model's own, cross-entropy as a rule. Auxiliary heads are weighted as the model's paper says in either case. */
  readonly loss?: Named | undefined;
  readonly epochs: number;
  /** Images a step. With `accumulate`, images of one of the steps whose gradients are averaged. */
  readonly batchSize: number;
  readonly seed: number;

  /** Bounds the gradients: `clipNorm`, `clipValue`. */
  readonly clip?: Named | undefined;
  /** Averages the parameters: `ema`, `swa`. */
  readonly average?: Named | undefined;
  readonly accumulate?: number | undefined;
  /** Patterns of the names of parameters that stay as they are: `features.*`. */
  readonly freeze?: readonly string[] | undefined;
  /** Paths of the modules whose activations are computed again in the backward pass. */
  readonly recompute?: readonly string[] | undefined;

  /** The share of the training images that is kept apart, class by class, to judge epochs by. */
  readonly validation?: { readonly share: number; readonly seed: number } | undefined;
  /** By what the best epoch is chosen. Default: accuracy. */
  readonly monitor?: Monitor | undefined;
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Ends with the best epoch's parameters instead of the last one's. */
  readonly restoreBest?: boolean | undefined;
  /** The crops that an evaluation averages over; during training there is one. */
  readonly views?: Named | undefined;
  /** Log gradients and activations, too. */
  readonly statistics?: boolean | undefined;
  /** Steps between two lines of the log. */
  readonly logEvery?: number | undefined;
  readonly checkpointEvery?: { readonly steps?: number | undefined; readonly minutes?: number | undefined } | undefined;

  /** What it was trained on; the same bits need the same. */
  readonly device: { readonly name: string; readonly threads: number | null };
}

export interface RunData {
  /** Of a standard set, or of the folder or list of pictures (its last path component). */
  readonly name: string;
  /** Where it lies; null: where standard sets lie. */
  readonly dir: string | null;
  /** Only so many images of each split are used. */
  readonly limit?: number | undefined;
  /** What happens with pictures that cannot be read. */
  readonly onBroken?: "skip" | "fail" | undefined;
  /** Pictures decoded at the same time. */
  readonly workers?: number | undefined;
  /** Names the training images' labels, so that a folder that has changed is noticed. */
  readonly labels?: string | undefined;
}

export interface RunOrigin {
  /** A file, a run's folder or a published name, as it was given. */
  readonly source: string;
  /** Of the file that was read. */
  readonly sha256: string;
  /** The classifier did not come from there. */
  readonly head?: "new" | undefined;
}

/** What may change between two sittings of a run: how long, where, how it is watched. All else is what training depends on. */
const free: ReadonlySet<string> = new Set([
  "format",
  "epochs",
  "device",
  "monitor",
  "earlyStopping",
  "restoreBest",
  "views",
  "statistics",
  "logEvery",
  "checkpointEvery",
] satisfies (keyof RunConfig)[]);

/** What training depends on, as text: a checkpoint carries it, so that one of another run is told apart. */
export function fingerprint(config: RunConfig): string {
  const { name, limit, onBroken, labels } = config.data;
  const kept = Object.entries({ ...config, data: { name, limit, onBroken, labels } });
  return JSON.stringify(Object.fromEntries(kept.filter(([field]) => !free.has(field))));
}

/** A field that a checkpoint and `run.json` do not agree on; a side that lacks it has undefined. */
export interface Difference {
  readonly field: string;
  readonly saved: unknown;
  readonly now: unknown;
}

/** What differs between the run that a checkpoint names and this one. Nothing for a name that is no {@link fingerprint}: who knows. */
export function differences(saved: string, config: RunConfig): Difference[] {
  const now = fields(fingerprint(config)) ?? new Map();
  const before = fields(saved);
  if (before === undefined) return [];
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((field) => JSON.stringify(before.get(field)) !== JSON.stringify(now.get(field)))
    .map((field) => ({ field, saved: before.get(field), now: now.get(field) }));
}

function fields(text: string): Map<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}

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
] as const satisfies readonly (keyof RunConfig)[];

/** @throws FormatError when the text is no run, naming the file */
export function parseRunConfig(file: string, text: string): RunConfig {
  let config: Partial<RunConfig>;
  try {
    config = JSON.parse(text) as Partial<RunConfig>;
  } catch {
    throw new FormatError(`${file}: not JSON`);
  }
  if (config?.format !== "ocelli-run-1")
    throw new FormatError(`${file}: the format is ${JSON.stringify(config?.format)}; it needs "ocelli-run-1"`);
  const missing = needed.filter((name) => config[name] === undefined);
  if (missing.length > 0) throw new FormatError(`${file}: lacks ${missing.join(", ")}`);
  return config as RunConfig;
}
