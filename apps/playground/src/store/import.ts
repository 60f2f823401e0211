import { FormatError, type HostTensor, type StateDict, StateError, sameShape } from "@ocelli/core";
import {
  type FileTensor,
  readPyTorch,
  readSafetensors,
  stateDictOf,
  stateDictPlaces,
  toHostTensor,
} from "@ocelli/formats";
import { decodeModel, initializersOf } from "@ocelli/formats/onnx";
import { Buffer, inventory, loadStateDict } from "@ocelli/layers";
import { checkpointFormat, modelTensors, type Named, nonFiniteEntry, normalize } from "@ocelli/training";
import { type ModelEntry, modelEntry, modelNames, type Preprocessing } from "@ocelli/zoo";
import { buildModel } from "../model/build.js";
import { cardOf, type FileCard } from "../model/card.js";
import { checkedModel } from "../model/checked.js";
import { asData } from "../model/named.js";
import type { ModelSpec, ZooSpec } from "../model/spec.js";
import { knownClasses } from "./class-sets.js";
import { type WeightsFormat, weightsEndings, weightsFormats } from "./endings.js";

/** What a page holds in memory beside the values made of it; the largest network of the zoo's has half a gigabyte. */
const mostBytes = 2 ** 31;

/** A file's named tensors, and what it says about them. */
export interface WeightsFile {
  readonly name: string;
  readonly format: WeightsFormat;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** What the file says of its network, or the zoo of the file. */
  readonly card: FileCard | undefined;
  /** What is odd about it, and no error; for people. */
  readonly notes: readonly string[];
}

interface Contents {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** Looks at name and size, before anything is read. @throws FormatError */
export function checkWeightsFile({ name, size }: { readonly name: string; readonly size: number }): WeightsFormat {
  const format = weightsFormats[name.slice(name.lastIndexOf(".") + 1).toLowerCase()];
  if (format === undefined)
    throw new FormatError(`${name}: networks are in files that end in ${weightsEndings.join(", ")}`);
  if (size > mostBytes)
    throw new FormatError(
      `${name} has ${(size / 1e9).toFixed(1)} GB; the playground reads files of up to ${(mostBytes / 1e9).toFixed(1)} GB`,
    );
  if (size === 0) throw new FormatError(`${name} is empty`);
  return format;
}

/**
 * Reads the weights in a file: all of a safetensors file (of a checkpoint the model's own), the state_dict of a PyTorch file, the constants
 * of an ONNX file.
 * @throws FormatError, DTypeError for what the file holds
 */
export async function readWeights(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<WeightsFile> {
  const format = checkWeightsFile({ name, size: bytes.length });
  const { tensors, metadata, notes } = readers[format](bytes, name);
  const card = cardOf(metadata, name) ?? (await publishedCard(await sha256Of(bytes)));
  return { name, format, tensors, card, notes };
}

const readers: Readonly<Record<WeightsFormat, (bytes: Uint8Array, name: string) => Contents>> = {
  safetensors: (bytes, name) => {
    const { tensors, metadata } = readSafetensors(bytes, { name });
    if (metadata.format !== checkpointFormat) return { tensors, metadata, notes: [] };
    return {
      tensors: modelTensors(tensors, name),
      metadata,
      notes: ["It is a checkpoint: its network is taken, without the optimizer's state."],
    };
  },
  pytorch: (bytes, name) => {
    const value = readPyTorch(bytes, { name });
    const [read, ...others] = stateDictPlaces(value).map((place) => (place === "" ? "the top level" : `"${place}"`));
    const notes =
      others.length === 0 ? [] : [`The weights are those of ${read}; ${others.join(", ")} hold tensors too.`];
    return { tensors: stateDictOf(value, { name }), metadata: {}, notes };
  },
  onnx: (bytes, name) => {
    const model = decodeModel(bytes, { name });
    return {
      tensors: initializersOf(model, { name }).tensors,
      metadata: model.metadata,
      notes: ["Of an ONNX file the constants are read; the network is the playground's own."],
    };
  },
};

async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What the zoo knows of a published file, by its checksum in hex. */
export async function publishedCard(sha256: string): Promise<FileCard | undefined> {
  for (const name of modelNames) {
    const weights = modelEntry(name).weights?.find((one) => sha256.startsWith(one.sha256));
    if (weights === undefined) continue;
    const spec = checkedModel({ kind: "zoo", name, ...weights.options });
    const classes = await knownClasses(weights.classes);
    const transform = transformOf(weights.preprocessing);
    const { top1 } = weights.published;
    return {
      title: `${name}, ${weights.name}`,
      spec,
      ...(classes.length === buildModel(spec).numClasses && { classes }),
      ...(transform !== undefined && { transform }),
      ...(top1 !== undefined && { accuracy: 1 - top1 / 100 }),
    };
  }
  return undefined;
}

/** Undefined where it depends on the data. */
function transformOf({ mean, std, pad }: Preprocessing): Named | undefined {
  if (mean === undefined || std === undefined) return undefined;
  return asData(normalize({ mean, std, ...(pad !== undefined && { pad }) }));
}

/** The chosen network with as many classes as the file's last layer has: somebody may have trained it on other data. */
export function specFor({ tensors }: WeightsFile, spec: ModelSpec): ModelSpec {
  if (spec.kind === "layers" || spec.numClasses !== undefined) return spec;
  const { entry } = buildModel(spec);
  const classes = tensorsOf(tensors, entry).get(`${entry?.head}.weight`)?.shape[0];
  return classes === undefined || classes === 0 || classes === entry?.numClasses
    ? spec
    : { ...spec, numClasses: classes };
}

/** The model's own names for a file's. @throws FormatError when two become one */
function tensorsOf(
  tensors: ReadonlyMap<string, FileTensor>,
  entry: ModelEntry | undefined,
): ReadonlyMap<string, FileTensor> {
  const rename = entry?.rename;
  if (rename === undefined) return tensors;
  const renamed = new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
  if (renamed.size !== tensors.size) throw new FormatError("two tensors of the file are one of the network's");
  return renamed;
}

/** The file's values in a network. @throws StateError that lists what does not fit; FormatError, DTypeError for what is in the tensors */
export function valuesFor(file: WeightsFile, spec: ModelSpec): StateDict {
  const { model, entry } = buildModel(spec);
  const { slots } = inventory(model);
  // An ONNX file holds other constants, too.
  const wanted = [...tensorsOf(file.tensors, entry)].filter(([name]) => file.format !== "onnx" || slots.has(name));
  const flat: Record<string, HostTensor> = Object.create(null);
  for (const [name, tensor] of wanted) flat[name] = toHostTensor(tensor, `${file.name}: ${name}`);
  const values = fitted(file.name, () => loadStateDict(model, flat));
  const bad = nonFiniteEntry(values);
  if (bad !== undefined)
    throw new FormatError(`${file.name}: ${bad} holds values that are not finite (NaN or infinity)`);
  return values;
}

function fitted(name: string, load: () => StateDict): StateDict {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    throw new StateError(`${name}: ${error.message.replace(/^loadStateDict: /, "")}`, error.fields);
  }
}

/** Models of the zoo whose state has just the file's names and shapes. */
export function fittingModels(file: WeightsFile): ZooSpec[] {
  return modelNames.flatMap((name) => {
    const entry = modelEntry(name);
    // Cheaper than to build all of them.
    if (![...file.tensors.keys()].some((key) => (entry.rename?.(key) ?? key) === `${entry.head}.weight`)) return [];
    const spec = specFor(file, { kind: "zoo", name }) as ZooSpec;
    return fits(file, spec) ? [spec] : [];
  });
}

function fits({ tensors, format }: WeightsFile, spec: ModelSpec): boolean {
  const { model, entry } = buildModel(spec);
  const { slots } = inventory(model);
  const renamed = tensorsOf(tensors, entry);
  if (format !== "onnx" && [...renamed.keys()].some((key) => !slots.has(key))) return false;
  return [...slots].every(([key, slot]) => {
    const given = renamed.get(key);
    return given === undefined ? slot instanceof Buffer && slot.optional : sameShape(given.shape, slot.shape);
  });
}
