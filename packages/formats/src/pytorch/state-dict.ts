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
  const [place] = stateDictPlaces(top);
  const known = place === "" || places.some((name) => name === place);
  const found = known ? tensorsOf(place === "" ? top : top.get(place as string)) : undefined;
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

/**
 * Where a PyTorch file holds tensors by name: `""` for its top level, otherwise the entry's name. The first is what
 * {@link stateDictOf} takes (if it is of those that it looks in); the others could have been meant, like a network's moving average.
 */
export function stateDictPlaces(value: PyTorchValue): string[] {
  if (!(value instanceof Map)) return [];
  const top: PyTorchDict = value;
  const others = [...top.keys()].filter((key) => typeof key === "string" && !places.some((place) => place === key));
  const holds = (item: PyTorchValue | undefined): boolean => tensorsOf(item).size > 0;
  const entries = [...places, ...(others as string[])].filter((place) => holds(top.get(place)));
  return holds(top) ? ["", ...entries] : entries;
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
