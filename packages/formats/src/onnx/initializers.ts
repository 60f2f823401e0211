import { FormatError } from "@ocelli/core";
import type { FileDType, FileTensor } from "../file-tensor.js";
import type { ElementType } from "./element-type.js";
import type { OnnxModel } from "./model.js";

const fileDTypes: Readonly<Partial<Record<ElementType, FileDType>>> = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  uint16: "U16",
  int16: "I16",
  uint32: "U32",
  int32: "I32",
  uint64: "U64",
  int64: "I64",
  float16: "F16",
  bfloat16: "BF16",
  float32: "F32",
  float64: "F64",
  float8e5m2: "F8_E5M2",
  float8e4m3fn: "F8_E4M3",
};

export interface OnnxInitializers {
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Names of those that are no numbers a weights file holds (strings, complex numbers, 4 bits). */
  readonly leftOut: readonly string[];
}

/**
 * A model's constants by name, as files of weights hold theirs. Their bytes are the model's own.
 * @param name what errors call the model
 * @throws FormatError when a name occurs twice, or the data lies in another file
 */
export function initializersOf({ graph }: OnnxModel, { name }: { readonly name: string }): OnnxInitializers {
  const tensors = new Map<string, FileTensor>();
  const leftOut: string[] = [];
  for (const { name: key, dtype: element, shape, bytes, external } of graph.initializers) {
    const what = `${name}: initializer ${JSON.stringify(key)}`;
    if (external !== undefined) {
      throw new FormatError(`${what}: its data lies in another file; save the model with its data inside`);
    }
    const dtype = fileDTypes[element];
    if (dtype === undefined) leftOut.push(key);
    else if (tensors.has(key)) throw new FormatError(`${what} occurs twice`);
    else tensors.set(key, { dtype, shape, bytes });
  }
  return { tensors, leftOut };
}
