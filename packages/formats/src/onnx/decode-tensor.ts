import { isFieldSet } from "@bufbuild/protobuf";
import type { Shape } from "@ocelli/core";
import { decodeUtf8, formatError, toLittleEndian } from "../bytes.js";
import { type ElementType, elementTypeOf, rawBytes } from "./element-type.js";
import type { OnnxTensor } from "./model.js";
import {
  type StringStringEntryProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from "./onnx_pb.js";

/** Reads a tensor and checks that its data fills its shape. @throws FormatError */
export function decodeTensor(message: TensorProto, file: string, where: string): OnnxTensor {
  const { name } = message;
  const place = `${where}: tensor ${JSON.stringify(name)}`;
  const dtype = decodeElementType(message.dataType, file, place);
  const shape = decodeDims(message.dims, file, place);
  if (message.segment !== undefined)
    throw formatError(file, `${place} is one segment of a larger one; this is not read`);
  const none = new Uint8Array(0);
  if (message.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    return { name, dtype, shape, bytes: none, external: decodeEntries(message.externalData, file, place) };
  }
  const count = shape.reduce((size, dim) => size * dim, 1);
  if (dtype === "string") {
    const strings = message.stringData.map((text) => decodeText(text, file, place));
    if (strings.length !== count)
      throw formatError(file, `${place} has ${strings.length} strings; its shape needs ${count}`);
    return { name, dtype, shape, bytes: none, strings };
  }
  const bytes = isFieldSet(message, TensorProtoSchema.field.rawData) ? message.rawData : typedData(message, dtype);
  const needed = rawBytes(dtype, count);
  if (bytes.length !== needed) {
    throw formatError(file, `${place} has ${bytes.length} bytes; ${dtype}[${shape.join(", ")}] needs ${needed}`);
  }
  return { name, dtype, shape, bytes };
}

/** The bytes of elements that stand in one of the fields for numbers, where ONNX puts them if not into `raw_data`. */
function typedData(message: TensorProto, dtype: Exclude<ElementType, "string">): Uint8Array {
  switch (dtype) {
    case "float32":
    case "complex64":
      return toLittleEndian(Float32Array.from(message.floatData));
    case "float64":
    case "complex128":
      return toLittleEndian(Float64Array.from(message.doubleData));
    case "int64":
      return toLittleEndian(BigInt64Array.from(message.int64Data));
    case "uint64":
      return toLittleEndian(BigUint64Array.from(message.uint64Data));
    case "uint32":
      return toLittleEndian(Uint32Array.from(message.uint64Data, Number));
    case "int32":
      return toLittleEndian(Int32Array.from(message.int32Data));
    case "int16":
    case "uint16":
    case "float16":
    case "bfloat16":
      return toLittleEndian(Uint16Array.from(message.int32Data));
    default:
      // Types of 8 bits, and of 4 bits two to a byte.
      return Uint8Array.from(message.int32Data);
  }
}

export function decodeElementType(number: number, file: string, where: string): ElementType {
  const dtype = elementTypeOf(number);
  if (dtype === undefined) throw formatError(file, `${where}: element type ${number} is not one of ONNX's`, { number });
  return dtype;
}

function decodeDims(dims: readonly bigint[], file: string, where: string): Shape {
  const shape = dims.map(Number);
  // Times 16: the count of bytes must be exact too.
  const size = shape.reduce((product, dim) => product * dim, 16);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !Number.isSafeInteger(size)) {
    throw formatError(
      file,
      `${where}: shape [${shape.slice(0, 16).join(", ")}] is not one of non-negative countable sizes`,
    );
  }
  return shape;
}

export function decodeText(bytes: Uint8Array, file: string, where: string): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw formatError(file, `${where}: a string is not UTF-8`);
  return text;
}

export function decodeEntries(
  entries: readonly StringStringEntryProto[],
  file: string,
  where: string,
): Record<string, string> {
  return decodeRecord(
    entries.map(({ key, value }) => [key, value] as const),
    file,
    where,
  );
}

/** An object with these keys. @throws FormatError when one occurs twice */
export function decodeRecord<T>(
  entries: readonly (readonly [string, T])[],
  file: string,
  where: string,
): Record<string, T> {
  const names = new Set<string>();
  for (const [name] of entries) {
    if (names.has(name)) throw formatError(file, `${where}: the key ${JSON.stringify(name)} occurs twice`);
    names.add(name);
  }
  // Defines each key on the object itself, `__proto__` too.
  return Object.fromEntries(entries);
}
