import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  FormatError,
  formatShape,
  type HostTensor,
  input,
  OcelliError,
  ShapeError,
  type StateDict,
  StateError,
  sameShape,
} from "@ocelli/core";
import { readSafetensors, toHostTensor } from "@ocelli/formats";
import { loadStateDict, logitsOf, traceModule } from "@ocelli/layers";
import { makeTransform, nonFiniteEntry, normalize, type Transform } from "@ocelli/training";
import { type RunConfig, RunDirectory } from "@ocelli/training/node";
import { type ModelEntry, type ModelOptions, modelEntry, modelNames, type ZooModel } from "@ocelli/zoo";
import { UsageError } from "./errors.js";

export type ImageShape = readonly [channels: number, height: number, width: number];

/** A model, its values, and what images it takes. */
export interface LoadedModel {
  readonly name: string;
  readonly options: ModelOptions;
  readonly entry: ModelEntry;
  readonly model: ZooModel;
  /** Parameters and buffers. */
  readonly values: StateDict;
  /** Undefined: the file does not say how its images were normalised. */
  readonly transform: Transform | undefined;
  /** Of an image before the transform. */
  readonly image: ImageShape;
  /** Undefined: the file does not name them. */
  readonly classes: readonly string[] | undefined;
  /** The file that the values are from. */
  readonly file: string;
  readonly run: RunConfig | undefined;
}

export interface ModelFlags {
  /** Of the zoo: for weights that do not say. */
  readonly model?: string | undefined;
  readonly checkpoint?: "last" | "best" | undefined;
}

/** What an exported file says about itself, in the metadata entry `ocelli`. */
export interface Passport {
  readonly model: string;
  readonly options: ModelOptions;
  readonly classes: readonly string[];
  readonly image: ImageShape;
  readonly transform: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
}

/** The zoo's entry. @throws UsageError with near matches for an unknown name */
export function entryOf(name: string): ModelEntry {
  try {
    return modelEntry(name);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n  \`ocelli list\` shows all ${modelNames.length}.`);
  }
}

/** Opens a run folder, a checkpoint inside one, or a file of weights. */
export async function loadModel(path: string, flags: ModelFlags = {}): Promise<LoadedModel> {
  if ((await stat(path)).isDirectory()) return fromRun(await RunDirectory.open(path), flags);
  const kind = /^(last|best)\.safetensors$/.exec(basename(path))?.[1] as "last" | "best" | undefined;
  const inRun =
    kind !== undefined && (await stat(join(dirname(path), "run.json")).catch(() => undefined)) !== undefined;
  if (inRun) return fromRun(await RunDirectory.open(dirname(path)), { ...flags, checkpoint: kind });
  if (!path.toLowerCase().endsWith(".safetensors")) {
    const onnx = path.toLowerCase().endsWith(".onnx")
      ? " An ONNX file runs in any ONNX runtime; here, name what it was exported from."
      : "";
    throw new UsageError(`${path} is neither a run folder nor a .safetensors file.${onnx}`);
  }
  return fromWeights(path, flags);
}

async function fromRun(directory: RunDirectory, { model: wanted, checkpoint }: ModelFlags): Promise<LoadedModel> {
  const { config, path } = directory;
  const passport = passportOf(directory);
  const { model } = passport;
  if (wanted !== undefined && wanted !== model)
    throw new UsageError(`--model ${wanted}: the run ${path} is of ${model}`);
  const kind = checkpoint ?? ((await directory.has("best")) ? "best" : "last");
  const { values } = await directory.load(kind);
  const file = directory.checkpointPath(kind);
  return { ...assemble(file, passport, { ...values.params, ...values.buffers }), file, run: config };
}

async function fromWeights(path: string, { model: wanted }: ModelFlags): Promise<LoadedModel> {
  const { tensors, metadata } = readSafetensors(await readFile(path), { name: path });
  const flat: Record<string, HostTensor> = {};
  for (const [name, tensor] of tensors) flat[name] = toHostTensor(tensor, `${path}: ${name}`);
  const bad = nonFiniteEntry({ weights: flat })?.replace("weights/", "");
  if (bad !== undefined) throw new FormatError(`${path}: ${bad} holds values that are not finite (NaN or infinity)`);
  const passport = metadata.ocelli === undefined ? undefined : parsePassport(path, metadata.ocelli);
  if (passport !== undefined) {
    if (wanted !== undefined && wanted !== passport.model)
      throw new UsageError(`--model ${wanted}: ${path} is of ${passport.model}`);
    return { ...assemble(path, passport, flat), file: path, run: undefined };
  }
  if (wanted === undefined) {
    throw new UsageError(
      `${path} does not say which model it belongs to. Name it with --model, for example --model ${modelNames[0]}.`,
    );
  }
  const entry = entryOf(wanted);
  const options: ModelOptions = { numClasses: entry.numClasses, inChannels: entry.input[0] };
  const model = entry.build(options);
  const transform = publishedTransform(entry);
  const values = fitted(path, model, flat);
  return {
    name: wanted,
    options,
    entry,
    model,
    values,
    transform,
    image: imageOf(entry),
    classes: undefined,
    file: path,
    run: undefined,
  };
}

/** Values in the model's order and dtypes. @throws StateError that names the file and lists what does not fit */
function fitted(path: string, model: ZooModel, flat: Readonly<Record<string, HostTensor>>): StateDict {
  try {
    return loadStateDict(model, flat);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    throw new StateError(`${path}: ${error.message.replace(/^loadStateDict: /, "")}`, error.fields);
  }
}

function assemble(
  path: string,
  passport: Passport,
  flat: Readonly<Record<string, HostTensor>>,
): Omit<LoadedModel, "file" | "run"> {
  const { model: name, options, classes, image, transform } = passport;
  const entry = entryOf(name);
  const model = entry.build(options);
  const values = fitted(path, model, flat);
  return {
    name,
    options,
    entry,
    model,
    values,
    classes,
    image,
    transform: makeTransform(transform.name, transform.options),
  };
}

function parsePassport(path: string, text: string): Passport {
  let passport: unknown;
  try {
    passport = JSON.parse(text);
  } catch {
    throw new FormatError(`${path}: the metadata's entry "ocelli" is not JSON`);
  }
  return checkedPassport(`${path}: the metadata's entry "ocelli"`, passport);
}

/** Files come from anywhere: every field is looked at before it is used. */
function checkedPassport(where: string, given: unknown): Passport {
  const { model, options, classes, image, transform } = (given ?? {}) as Partial<Record<keyof Passport, unknown>>;
  const positive = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const good: Readonly<Record<keyof Passport, boolean>> = {
    model: typeof model === "string",
    options: isObject(options) && Object.values(options).every(positive),
    classes: Array.isArray(classes) && classes.every((name) => typeof name === "string"),
    image: Array.isArray(image) && image.length === 3 && image.every(positive),
    transform: isObject(transform) && typeof transform.name === "string" && isObject(transform.options),
  };
  const bad = Object.entries(good).flatMap(([name, fine]) => (fine ? [] : [name]));
  if (bad.length > 0) throw new FormatError(`${where}: not what ocelli writes in ${bad.join(", ")}`, { bad });
  return { model, options, classes, image, transform } as Passport;
}

/** What a run says about its model. @throws FormatError for a run.json that somebody changed */
export function passportOf({ config, path }: RunDirectory): Passport {
  const { model, classes, image, transform } = config;
  return checkedPassport(join(path, "run.json"), {
    model: model?.name,
    options: model?.options,
    classes,
    image,
    transform,
  });
}

/** Images as they come, before the entry's own border. */
export function imageOf({ input, preprocessing: { pad = 0 } }: ModelEntry): ImageShape {
  return [input[0], input[1] - 2 * pad, input[2] - 2 * pad];
}

/** The transform that the model was published with; undefined where it depends on the data. */
function publishedTransform({ preprocessing: { mean, std, pad = 0 } }: ModelEntry): Transform | undefined {
  return mean === undefined || std === undefined ? undefined : normalize({ mean, std, pad });
}

/** The entry's transform, normalising by the data's statistics where it has no numbers of its own. */
export function transformFor(
  entry: ModelEntry,
  statistics: { readonly mean: readonly number[]; readonly std: readonly number[] },
): Transform {
  const { pad = 0 } = entry.preprocessing;
  // A constant channel has no spread to divide by.
  const std = statistics.std.map((value) => (value > 0 ? value : 1));
  return publishedTransform(entry) ?? normalize({ mean: statistics.mean, std, pad });
}

/** Builds the model for some data. @throws UsageError where the two do not go together */
export function buildFor(
  name: string,
  data: { readonly name: string; readonly image: ImageShape; readonly classes: number },
): { model: ZooModel; options: ModelOptions } {
  const entry = entryOf(name);
  const options: ModelOptions = { numClasses: data.classes, inChannels: data.image[0] };
  try {
    const model = entry.build(options);
    checkInput(model, entry, data.image, data.classes);
    return { model, options };
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    const shape = (dims: readonly number[]): string => dims.join("x");
    throw new UsageError(
      `${name} takes ${shape(imageOf(entry))} images; ${data.name} has ${shape(data.image)} in ${data.classes} classes\n  ${error.message.replaceAll("\n", "\n  ")}`,
    );
  }
}

/** Traces the model on images of this shape. @throws ShapeError, ArgumentError of the layer that does not take them */
function checkInput(
  model: ZooModel,
  { preprocessing: { pad = 0 } }: ModelEntry,
  [channels, height, width]: ImageShape,
  classes: number,
): void {
  const x = input("images", { shape: [2, channels, height + 2 * pad, width + 2 * pad], dtype: "float32" });
  const { shape } = logitsOf(traceModule(model, x, { training: true }).output);
  if (!sameShape(shape, [2, classes])) {
    throw new ShapeError(`for 2 images the model gives ${formatShape(shape)}; [2, ${classes}] is needed`, { shape });
  }
}
