import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { FormatError } from "@ocelli/core";
import {
  type FileDType,
  type FileTensor,
  fromHostTensor,
  readPyTorch,
  readSafetensors,
  stateDictOf,
  stateDictPlaces,
  toHostTensor,
} from "@ocelli/formats";
import { decodeModel, initializersOf } from "@ocelli/formats/onnx";
import { checkpointFormat, modelTensors } from "@ocelli/training";
import { UsageError } from "./errors.js";
import { listed } from "./terminal.js";

export type WeightsFormat = "safetensors" | "pytorch" | "onnx";

const formats: Readonly<Record<string, WeightsFormat>> = {
  ".safetensors": "safetensors",
  ".pth": "pytorch",
  ".pt": "pytorch",
  ".th": "pytorch",
  ".onnx": "onnx",
};

/** Endings of files that hold weights, for messages. */
export const weightsEndings = ".safetensors, .pth, .pt, .th or .onnx";

/** By the file's name. */
export function weightsFormat(path: string): WeightsFormat | undefined {
  return formats[extname(path).toLowerCase()];
}

/** Named tensors, and what the file says about them. */
export interface WeightsFile {
  readonly format: WeightsFormat;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors of an ONNX file that are no numbers a weights file holds (strings, complex numbers, 4 bits). */
  readonly leftOut: readonly string[];
  /** A PyTorch file's dictionaries of tensors, the one that was read first; "" is the top level. */
  readonly places: readonly string[];
}

/**
 * Reads the weights in a file: all of a safetensors file (of a training's checkpoint the model's own, by PyTorch's names), the
 * state_dict of a PyTorch file, the initializers of an ONNX file.
 * @throws UsageError for another ending; FormatError, DTypeError for what the file holds
 */
export async function readWeights(path: string): Promise<WeightsFile> {
  const format = weightsFormat(path);
  if (format === undefined) throw new UsageError(`${path}: weights are in files that end in ${weightsEndings}`);
  return { format, ...readers[format](await readFile(path), path) };
}

const readers: Readonly<Record<WeightsFormat, (bytes: Uint8Array, name: string) => Omit<WeightsFile, "format">>> = {
  safetensors: (bytes, name) => {
    const { tensors, metadata } = readSafetensors(bytes, { name });
    const read = metadata.format === checkpointFormat ? checkpointOf(tensors, metadata, name) : { tensors, metadata };
    return { ...read, leftOut: [], places: [] };
  },
  pytorch: (bytes, name) => {
    const value = readPyTorch(bytes, { name });
    return { tensors: stateDictOf(value, { name }), metadata: {}, leftOut: [], places: stateDictPlaces(value) };
  },
  onnx: (bytes, name) => {
    const model = decodeModel(bytes, { name });
    return { ...initializersOf(model, { name }), metadata: model.metadata, places: [] };
  },
};

/** A checkpoint's model, and which it is, where whoever wrote the file said so; where its training stood is no matter of weights. */
function checkpointOf(
  tensors: ReadonlyMap<string, FileTensor>,
  { ocelli }: Readonly<Record<string, string>>,
  path: string,
): Pick<WeightsFile, "tensors" | "metadata"> {
  return { tensors: ofModel(tensors, path), metadata: ocelli === undefined ? {} : { ocelli } };
}

/** What a checkpoint holds of the model itself, as PyTorch's files have it. */
function ofModel(tensors: ReadonlyMap<string, FileTensor>, path: string): Map<string, FileTensor> {
  // PyTorch counts in int64.
  const asFile = (tensor: FileTensor): FileTensor =>
    tensor.dtype === "I32" ? fromHostTensor(toHostTensor(tensor), { dtype: "I64" }) : tensor;
  return new Map([...modelTensors(tensors, path)].map(([name, tensor]) => [name, asFile(tensor)]));
}

/** Lines for people: what is odd about a file's weights, and no error. */
export function oddities(path: string, { tensors, places }: WeightsFile): string[] {
  const notes: string[] = [];
  const [read, ...others] = places.map((place) => (place === "" ? "the top level" : JSON.stringify(place)));
  if (others.length > 0) {
    const more = `${listed(others)} ${others.length === 1 ? "holds" : "hold"} tensors too`;
    notes.push(`note: ${path}: the weights are those of ${read}; ${more}. To use another, save it alone.`);
  }
  // A network with such weights gives nonsense, but a look at it may be just what is wanted.
  const bad = nonFiniteTensor(tensors);
  if (bad !== undefined) notes.push(`note: ${path}: ${bad} holds values that are not finite (NaN or infinity)`);
  return notes;
}

/** The same tensors by other names. @throws FormatError when two get the same */
export function renameTensors(
  tensors: ReadonlyMap<string, FileTensor>,
  rename: (name: string) => string,
  path: string,
): Map<string, FileTensor> {
  const out = new Map<string, FileTensor>();
  for (const [name, tensor] of tensors) {
    const renamed = rename(name);
    if (out.has(renamed)) throw new FormatError(`${path}: two tensors are named ${JSON.stringify(renamed)}`);
    out.set(renamed, tensor);
  }
  return out;
}

/** Bits of the exponent in the highest 16 bits of a float: all set in NaN and infinity. */
const exponents: Readonly<Partial<Record<FileDType, number>>> = { F64: 0x7ff0, F32: 0x7f80, BF16: 0x7f80, F16: 0x7c00 };
const widths: Readonly<Partial<Record<FileDType, number>>> = { F64: 8, F32: 4, BF16: 2, F16: 2 };

/** Name of the first tensor that holds NaN or infinity. */
function nonFiniteTensor(tensors: ReadonlyMap<string, FileTensor>): string | undefined {
  for (const [name, { dtype, bytes }] of tensors) {
    const [mask, width] = [exponents[dtype], widths[dtype]];
    if (mask === undefined || width === undefined) continue;
    for (let at = width - 2; at < bytes.length; at += width) {
      if ((((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) & mask) === mask) return name;
    }
  }
  return undefined;
}
