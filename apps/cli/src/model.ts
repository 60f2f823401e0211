import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  FormatError,
  formatShape,
  type HostTensor,
  input,
  nearMatches,
  OcelliError,
  ShapeError,
  type StateDict,
  StateError,
  sameShape,
} from "@ocelli/core";
import { type FileTensor, toHostTensor } from "@ocelli/formats";
import { Buffer, flattenStateDict, inventory, loadStateDict, logitsOf, traceModule } from "@ocelli/layers";
import {
  averagedValues,
  type ChannelStatistics,
  makeTransform,
  type Named,
  normalize,
  type Transform,
} from "@ocelli/training";
import { type RunConfig, RunDirectory } from "@ocelli/training/node";
import {
  checkTrainingSize,
  createModel,
  type ModelEntry,
  type ModelName,
  type ModelOptions,
  modelEntry,
  modelNames,
  type Preprocessing,
  sizeOfInput,
  type WeightsEntry,
  type ZooModel,
} from "@ocelli/zoo";
import { classNames } from "./classes.js";
import { UsageError } from "./errors.js";
import {
  oddities,
  readWeights,
  renameTensors,
  type WeightsFile,
  weightsEndings,
  weightsFormat,
} from "./weights-file.js";

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
  /** False: the file does not say, and `image` is the model's own. */
  readonly imageKnown: boolean;
  /** Pictures: the shorter side is brought to this, and the middle cut out. Undefined: they fill the image as they are. */
  readonly resize: number | undefined;
  /** Undefined: the file does not name them. */
  readonly classes: readonly string[] | undefined;
  /** The file that the values are from. */
  readonly file: string;
  readonly run: RunConfig | undefined;
}

/** How a model is opened. */
interface LoadFlags extends ModelFlags {
  /** What the zoo says about the file. */
  readonly weights?: WeightsEntry | undefined;
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
  /** Left out where it is not known, as the transform is. */
  readonly image?: ImageShape;
  readonly resize?: number;
  readonly transform?: Named;
}

const allModels = `\`ocelli list\` shows all ${modelNames.length}.`;

/** The zoo's entry. @throws UsageError with near matches for an unknown name */
export function entryOf(name: string): ModelEntry {
  if ((modelNames as readonly string[]).includes(name)) return modelEntry(name);
  const near = nearMatches(name, modelNames);
  const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  const isPath = hint === "" && existsSync(name);
  const problem = isPath ? `${name} is a file or a folder; a model's name is needed here.` : `"${name}" is unknown.`;
  throw new UsageError(`model: ${problem}${hint}\n  ${allModels}`);
}

/** Opens a run folder, a checkpoint inside one, or a file of weights. `warn` gets a line where something is odd but no error. */
export async function loadModel(
  path: string,
  flags: LoadFlags = {},
  warn: (line: string) => void = () => undefined,
): Promise<LoadedModel> {
  if ((await stat(path)).isDirectory()) return fromRun(await RunDirectory.open(path), flags);
  const checkpoint = checkpointOfRun(path);
  if (checkpoint !== undefined) return fromRun(await RunDirectory.open(dirname(path)), { ...flags, checkpoint });
  if (weightsFormat(path) === undefined) {
    throw new UsageError(`${path} is neither a run folder nor a file of weights (${weightsEndings})`);
  }
  return fromWeights(path, flags, warn);
}

/** Which checkpoint a file is of the run whose folder it lies in; undefined for other files. */
export function checkpointOfRun(path: string): "last" | "best" | undefined {
  const kind = /^(last|best)\.safetensors$/.exec(basename(path))?.[1] as "last" | "best" | undefined;
  return existsSync(join(dirname(path), "run.json")) ? kind : undefined;
}

async function fromRun(directory: RunDirectory, { model: wanted, checkpoint }: ModelFlags): Promise<LoadedModel> {
  const { config, path } = directory;
  const passport = passportOf(directory);
  const { model } = passport;
  if (wanted !== undefined && wanted !== model)
    throw new UsageError(`--model ${wanted}: the run ${path} is of ${model}`);
  const kind = checkpoint ?? ((await directory.has("best")) ? "best" : "last");
  const { values: saved } = await directory.load(kind);
  // What the epochs of such a run were judged by.
  const values = saved.ema === undefined ? saved : averagedValues(saved);
  const file = directory.checkpointPath(kind);
  return { ...assemble(file, passport, () => ({ ...values.params, ...values.buffers })), file, run: config };
}

async function fromWeights(
  path: string,
  { model: wanted, weights: described }: LoadFlags,
  warn: (line: string) => void,
): Promise<LoadedModel> {
  const weights = await readWeights(path);
  const { tensors, metadata } = weights;
  for (const line of oddities(path, weights)) warn(line);
  const passport = metadata.ocelli === undefined ? undefined : parsePassport(path, metadata.ocelli);
  if (passport !== undefined) {
    if (wanted !== undefined && wanted !== passport.model)
      throw new UsageError(`--model ${wanted}: ${path} is of ${passport.model}`);
    const values = (model: ZooModel) => valuesFor(model, path, weights);
    return { ...assemble(path, passport, values), file: path, run: undefined };
  }
  if (wanted === undefined) {
    const fitting = fittingModels(weights).slice(0, 5);
    const hint = fitting.length > 0 ? `: its tensors fit ${fitting.join(" or ")}.` : ".";
    throw new UsageError(`${path} does not say which model it belongs to. Name it with --model${hint}\n  ${allModels}`);
  }
  const entry = entryOf(wanted);
  const renamed = renameTensors(tensors, renaming(entry), path);
  const options: ModelOptions = { ...optionsOf(entry, renamed), ...described?.options };
  const model = entry.build(options);
  const published = described ?? entry.weights?.[0];
  const preprocessing = published?.preprocessing ?? entry.preprocessing;
  return {
    name: wanted,
    options,
    entry,
    model,
    values: fitted(path, model, valuesFor(model, path, { ...weights, tensors: renamed })),
    transform: publishedTransform(preprocessing),
    image: imageOf(entry, options),
    imageKnown: described !== undefined,
    resize: preprocessing.resize,
    classes: await classNames(published?.classes ?? "imagenet", options.numClasses),
    file: path,
    run: undefined,
  };
}

function optionsOf({ head, numClasses, input }: ModelEntry, tensors: ReadonlyMap<string, FileTensor>): ModelOptions {
  // As many as the file's last layer has: of a model that somebody trained on, say.
  return { numClasses: tensors.get(`${head}.weight`)?.shape[0] || numClasses, inChannels: input[0] };
}

/** The model's own name for each of a file's. */
export const renaming =
  (entry: ModelEntry) =>
  (name: string): string =>
    entry.rename?.(name) ?? name;

/** Models of the zoo whose state has just these names and shapes. */
function fittingModels({ tensors, format }: WeightsFile): string[] {
  return modelNames.filter((name) => {
    const entry = modelEntry(name);
    const rename = renaming(entry);
    const renamed = new Map([...tensors].map(([key, tensor]) => [rename(key), tensor]));
    // Cheaper than to build all of them.
    if (!renamed.has(`${entry.head}.weight`)) return false;
    const { slots } = inventory(entry.build(optionsOf(entry, renamed)));
    // An ONNX file holds other constants too.
    if (format !== "onnx" && [...renamed.keys()].some((key) => !slots.has(key))) return false;
    return [...slots].every(([key, slot]) => {
      const given = renamed.get(key);
      return given === undefined ? slot instanceof Buffer && slot.optional : sameShape(given.shape, slot.shape);
    });
  });
}

/** A file's tensors as values. An ONNX file holds other constants too: of those only what the model has a name for. */
function valuesFor(model: ZooModel, path: string, { format, tensors }: WeightsFile): Record<string, HostTensor> {
  const { slots } = inventory(model);
  const wanted = [...tensors].filter(([name]) => format !== "onnx" || slots.has(name));
  return Object.fromEntries(wanted.map(([name, tensor]) => [name, toHostTensor(tensor, `${path}: ${name}`)]));
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
  flat: (model: ZooModel) => Readonly<Record<string, HostTensor>>,
): Omit<LoadedModel, "file" | "run"> {
  const { model: name, options, classes, image, resize, transform } = passport;
  const entry = entryOf(name);
  const model = entry.build(options);
  const values = fitted(path, model, flat(model));
  return {
    name,
    options,
    entry,
    model,
    values,
    classes,
    image: image ?? imageOf(entry, options),
    imageKnown: image !== undefined,
    resize,
    transform: transform && makeTransform(transform),
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

/** Along one side of an image: pictures are brought to the size that a file names. */
const mostPixels = 16_384;

/** Files come from anywhere: every field is looked at before it is used. */
function checkedPassport(where: string, given: unknown): Passport {
  const { model, options, classes, image, resize, transform } = (given ?? {}) as Partial<
    Record<keyof Passport, unknown>
  >;
  const positive = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
  const isSide = (value: unknown): boolean => positive(value) && (value as number) <= mostPixels;
  // The size of images may be one number or two. Others than these options could ask for networks of any size.
  const isOption = (name: string, value: unknown): boolean =>
    name === "inputSize" && Array.isArray(value)
      ? value.length === 2 && value.every(positive)
      : ["numClasses", "inChannels", "inputSize"].includes(name) && positive(value);
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const good: Readonly<Record<keyof Passport, boolean>> = {
    model: typeof model === "string",
    options: isObject(options) && Object.entries(options).every(([name, value]) => isOption(name, value)),
    classes: Array.isArray(classes) && classes.every((name) => typeof name === "string"),
    image: image === undefined || (Array.isArray(image) && image.length === 3 && image.every(isSide)),
    resize: resize === undefined || isSide(resize),
    transform:
      transform === undefined ||
      (isObject(transform) && typeof transform.name === "string" && isObject(transform.options)),
  };
  const bad = Object.entries(good).flatMap(([name, fine]) => (fine ? [] : [name]));
  if (bad.length > 0) throw new FormatError(`${where}: not what ocelli writes in ${bad.join(", ")}`, { bad });
  const known = Object.entries({ image, resize, transform }).filter(([, value]) => value !== undefined);
  return { model, options, classes, ...Object.fromEntries(known) } as Passport;
}

/** What a run says about its model. @throws FormatError for a run.json that somebody changed */
export function passportOf({ config, path }: RunDirectory): Passport {
  const { model, classes, image, transform, frames } = config;
  return checkedPassport(join(path, "run.json"), {
    model: model?.name,
    options: model?.options,
    classes,
    image,
    // Pictures are evaluated as the run's own were.
    resize: frames?.eval.name === "center" ? frames.eval.options.resize : undefined,
    transform,
  });
}

/** Images as they come, before the entry's own border. */
export function imageOf(
  { input, preprocessing: { pad = 0 } }: ModelEntry,
  { inputSize }: ModelOptions = {},
): ImageShape {
  const [height, width] = sizeOfInput(inputSize, [input[1], input[2]]);
  return [input[0], height - 2 * pad, width - 2 * pad];
}

/** The transform that weights or a model were published with; undefined where it depends on the data. */
function publishedTransform({ mean, std, pad = 0 }: Preprocessing): Transform | undefined {
  return mean === undefined || std === undefined ? undefined : normalize({ mean, std, pad });
}

/** The numbers that the entry itself normalises by, if it has some for so many channels. */
export function ownStatistics({ preprocessing }: ModelEntry, channels: number): ChannelStatistics | undefined {
  const { mean, std } = preprocessing;
  return mean?.length === channels && std !== undefined ? { mean, std } : undefined;
}

/** The entry's transform, normalising by the data's statistics where it has no numbers of its own, or those of other channels. */
export function transformFor(entry: ModelEntry, statistics: ChannelStatistics): Transform {
  const { pad = 0 } = entry.preprocessing;
  const { mean, std } = ownStatistics(entry, statistics.mean.length) ?? statistics;
  // A constant channel has no spread to divide by.
  return normalize({ mean, std: std.map((value) => (value > 0 ? value : 1)), pad });
}

/** Builds the model for some data. @throws UsageError where the two do not go together */
export function buildFor(
  name: string,
  data: { readonly name: string; readonly image: ImageShape; readonly classes: number },
): { model: ZooModel; options: ModelOptions } {
  const entry = entryOf(name);
  const options = optionsFor(entry, data.image, data.classes);
  try {
    checkTrainingSize(name as ModelName, { inputSize: [entry.input[1], entry.input[2]], ...options });
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

/** The same weights in a model for images of another size. @throws ShapeError, ArgumentError, StateError where it does not take them */
export function resized(loaded: LoadedModel, image: ImageShape): LoadedModel {
  const { name, entry, file, values } = loaded;
  const options = { ...loaded.options, ...optionsFor(entry, image, loaded.options.numClasses ?? entry.numClasses) };
  const model = createModel(name as ModelName, options);
  return { ...loaded, options, model, image, values: fitted(file, model, flattenStateDict(loaded.model, values)) };
}

/** What the data asks of the model; the size of the images only where it is not the model's own. */
function optionsFor(
  { input: own, preprocessing: { pad = 0 } }: ModelEntry,
  [inChannels, height, width]: ImageShape,
  numClasses: number,
): ModelOptions {
  const [h, w] = [height + 2 * pad, width + 2 * pad];
  const inputSize = h === own[1] && w === own[2] ? {} : { inputSize: h === w ? h : ([h, w] as const) };
  return { numClasses, inChannels, ...inputSize };
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
