import { ArgumentError, DTypeError, FormatError, type HostTensor, type Shape, ShapeError, sizeOf } from "@ocelli/core";
import { toLittleEndian } from "../bytes.js";
import { elementsToHost } from "../elements.js";
import { isFileElement } from "./element-type.js";
import type { OnnxTensor } from "./model.js";

/** A host tensor as ONNX holds it. The bytes view the tensor's memory: do not change it before the model is encoded. */
export function tensorFromHost(host: HostTensor, name = ""): OnnxTensor {
  return { name, dtype: host.dtype, shape: host.shape, bytes: toLittleEndian(host.data) };
}

/**
 * 64-bit integers, ONNX's type for shapes, axes and indices.
 * @throws ArgumentError for a number that is no safe integer, ShapeError when the shape does not hold the values
 */
export function int64Tensor(values: readonly number[] | BigInt64Array, shape?: Shape, name = ""): OnnxTensor {
  const dims = shape ?? [values.length];
  if (sizeOf(dims) !== values.length) {
    throw new ShapeError(
      `int64: shape [${dims.join(", ")}] holds ${sizeOf(dims)} elements; there are ${values.length}`,
    );
  }
  const data = values instanceof BigInt64Array ? values : BigInt64Array.from(values, toBigInt);
  return { name, dtype: "int64", shape: dims, bytes: toLittleEndian(data) };
}

function toBigInt(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new ArgumentError(`int64: ${value} is not a safe integer`, { value });
  return BigInt(value);
}

/**
 * A constant of a model in the dtype of a graph: bfloat16 and float64 become float32; int8, int16, uint16 and int64 become
 * int32, uint64 uint32. The result owns its memory.
 * @param where stands first in errors: the file's name
 * @throws DTypeError for strings, complex numbers and the floats and integers of 8 and 4 bits that a graph does not have
 * @throws FormatError for data outside of the model, and for a 64-bit integer that does not fit 32 bits
 */
export function tensorToHost(tensor: OnnxTensor, where = "onnx"): HostTensor {
  const place = `${where}: tensor ${JSON.stringify(tensor.name)}`;
  if (!isFileElement(tensor.dtype)) {
    throw new DTypeError(`${place}: ${tensor.dtype} has no dtype in a graph`, { dtype: tensor.dtype });
  }
  if (tensor.external !== undefined) {
    const { location = "elsewhere" } = tensor.external;
    throw new FormatError(`${place}: its data lies in another file (${location}); save the model with its data inside`);
  }
  return elementsToHost(tensor.dtype, tensor.shape, tensor.bytes, place);
}
