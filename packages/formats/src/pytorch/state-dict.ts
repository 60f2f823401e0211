import { formatError } from "../bytes.js";
import type { FileTensor } from "../file-tensor.js";
import type { ReadOptions } from "../safetensors/read.js";
import { describeValue, isFileTensor, type PyTorchDict, type PyTorchValue } from "./value.js";

/** Where training scripts put a model's state, in the order in which it is looked for. */
const places = ["state_dict", "model_state_dict", "model", "net", "params", "ema"] as const;

/** What `torch.compile` puts before a compiled module's own name, wherever the module stands. */
const compiled = /(^|\.)_orig_mod\./g;
/** What `DataParallel` puts before every name. */
const parallel = "module.";

/**
 * The state dict in what a PyTorch file holds, by names as the bare model has them. It is the top level if that holds tensors;
 * otherwise the first of its entries `state_dict`, `model_state_dict`, `model`, `net`, `params` and `ema` that does. Entries
 * that are no tensors are left out. `module.` goes where every name has it, `_orig_mod.` everywhere.
 * @throws FormatError where none of these holds tensors by name, or two names become one
 */
export function stateDictOf(
  value: PyTorchValue,
  { name: file = "pytorch" }: ReadOptions = {},
): Map<string, FileTensor> {
  if (!(value instanceof Map)) {
    throw formatError(file, `holds ${describeValue(value)}; a dictionary of tensors by name is needed (a state_dict)`);
  }
  const top: PyTorchDict = value;
  const found = [top, ...places.map((place) => top.get(place))].map(tensorsOf).find((tensors) => tensors.size > 0);
  if (found === undefined) {
    const keys = [...top].slice(0, 8).map(([key, item]) => `${shownKey(key)} (${describeValue(item)})`);
    const more = top.size > keys.length ? ` and ${top.size - keys.length} more` : "";
    throw formatError(
      file,
      `holds no state_dict: tensors by name were looked for at the top and in ${places.join(", ")}; there is ${keys.join(", ") || "nothing"}${more}`,
    );
  }
  return renamed(found, file);
}

function tensorsOf(value: PyTorchValue | undefined): Map<string, FileTensor> {
  const tensors = new Map<string, FileTensor>();
  if (!(value instanceof Map)) return tensors;
  for (const [key, item] of value as PyTorchDict) {
    if (typeof key === "string" && isFileTensor(item)) tensors.set(key, item);
  }
  return tensors;
}

function renamed(tensors: ReadonlyMap<string, FileTensor>, file: string): Map<string, FileTensor> {
  let names = [...tensors.keys()].map((name) => name.replace(compiled, "$1"));
  while (names.every((name) => name.startsWith(parallel))) names = names.map((name) => name.slice(parallel.length));
  const out = new Map<string, FileTensor>();
  for (const [i, tensor] of [...tensors.values()].entries()) {
    const name = names[i] as string;
    if (out.has(name)) throw formatError(file, `two entries are named ${JSON.stringify(name)} without their prefixes`);
    out.set(name, tensor);
  }
  return out;
}

function shownKey(key: PyTorchValue): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 80)) : describeValue(key);
}
