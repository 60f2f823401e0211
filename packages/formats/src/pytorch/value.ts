import type { FileTensor } from "../file-tensor.js";

/**
 * What a PyTorch file holds: Python's dictionaries (OrderedDict too) are Maps, lists, tuples and `torch.Size` arrays, None is null,
 * bytes are Uint8Array, and integers beyond 2^53 bigint. An object may stand in several places, and even in itself.
 */
export type PyTorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | FileTensor
  | readonly PyTorchValue[]
  | PyTorchDict;

export type PyTorchDict = ReadonlyMap<PyTorchValue, PyTorchValue>;

/** Whether a value of a PyTorch file is a tensor; a storage by itself has a dtype and bytes, too, but no shape. */
export function isFileTensor(value: PyTorchValue | undefined): value is FileTensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}

/** What a value is, for messages. */
export function describeValue(value: PyTorchValue | undefined): string {
  if (value === null) return "None";
  if (value === undefined) return "nothing";
  if (isFileTensor(value)) return "a tensor";
  if (value instanceof Map) return "a dictionary";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a string" : `${value}`;
}
