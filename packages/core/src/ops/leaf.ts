import { type DType, isInteger } from "../dtype.js";
import { DTypeError } from "../errors.js";
import type { HostTensor } from "../host.js";
import { apply, defineOp } from "../op.js";
import { checkShape, type Shape, sizeOf } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";

/** A named value that is given at run time. */
export const inputOp = defineOp<Spec & { name: string }>({
  name: "input",
  infer: (_, { shape, dtype }) => ({ shape, dtype }),
  vjp: "nondifferentiable",
});

/** Data that is part of the graph itself. */
export const constantOp = defineOp<{ value: HostTensor }>({
  name: "constant",
  infer: (_, { value }) => ({ shape: value.shape, dtype: value.dtype }),
  vjp: "nondifferentiable",
});

/** One number everywhere. */
export const fullOp = defineOp<Spec & { value: number }>({
  name: "full",
  infer: (_, { shape, dtype, value }) => {
    checkShape(shape, "full");
    if (isInteger(dtype) && !Number.isInteger(value))
      throw new DTypeError(`full: ${value} is no ${dtype}. Cast the other operand to a float first.`);
    return { shape, dtype };
  },
  vjp: "nondifferentiable",
});

/** A value given at run time under `name`. */
export function input(name: string, spec: Spec): Tensor {
  checkShape(spec.shape, `input ${name}`);
  return apply(inputOp, [], { name, shape: [...spec.shape], dtype: spec.dtype });
}

/** Host data as a tensor. It becomes part of the graph's structure: for data that changes, use {@link input}. */
export function constant(value: HostTensor): Tensor {
  checkShape(value.shape, "constant");
  if (value.data.length > 0 && value.data.every((v) => v === value.data[0]) && value.dtype !== "float16") {
    return full(value.shape, value.data[0] as number, value.dtype);
  }
  return apply(constantOp, [], { value });
}

/** A tensor of `shape` filled with `value`. */
export function full(shape: Shape, value: number, dtype: DType = "float32"): Tensor {
  return apply(fullOp, [], { shape: [...shape], value, dtype });
}

/** A tensor without dimensions. */
export function scalar(value: number, dtype: DType = "float32"): Tensor {
  return full([], value, dtype);
}

/** `0, 1, ..., count - 1` as int32 (or `dtype`), shape `[count]`. */
export function arange(count: number, dtype: "int32" | "float32" = "int32"): Tensor {
  const data = dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = i;
  return sizeOf([count]) === 1
    ? full([1], 0, dtype)
    : apply(constantOp, [], { value: { dtype, shape: [count], data } });
}
