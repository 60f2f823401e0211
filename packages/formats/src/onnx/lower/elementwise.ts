import type { DType } from "@ocelli/core";
import { float } from "../attributes.js";
import type { Value } from "../builder.js";
import { elementTypes } from "../element-type.js";
import { type Emitter, elementwise, inputOf, type Lowering } from "./lowering.js";

export type ElementName = keyof typeof elementTypes;

/** `Cast` to an element type. */
export function castTo(b: Emitter, value: Value, dtype: ElementName): Value {
  return b.node("Cast", [value], { to: elementTypes[dtype] });
}

type Substitutes = Partial<Record<DType, ElementName>>;

// What stock kernels lack: arithmetic and comparison of small and unsigned integers. 64 bits hold all of them, and casting back
// drops the upper bits, which is what wrapping around means.
const unsignedAs64: Substitutes = { uint32: "int64" };
const comparedAs: Substitutes = { uint32: "int64", uint8: "int32" };
const chosenAs: Substitutes = { uint32: "int64", bool: "uint8" };

/** Computes in another element type where the operator's kernels lack the dtype. */
function substituted(
  b: Emitter,
  dtype: DType,
  inputs: readonly Value[],
  substitutes: Substitutes,
  op: (inputs: readonly Value[]) => Value,
): { readonly value: Value; readonly as: ElementName } {
  const as = substitutes[dtype] ?? dtype;
  return { value: op(as === dtype ? inputs : inputs.map((value) => castTo(b, value, as))), as };
}

const unary = (op: string): Lowering => elementwise((b, _, inputs) => b.node(op, inputs));

function binary(op: string, substitutes: Substitutes = unsignedAs64): Lowering {
  return elementwise((b, node, inputs) => {
    const { dtype } = inputOf(node, 0);
    const { value, as } = substituted(b, dtype, inputs, substitutes, (values) => b.node(op, values));
    return as === dtype ? value : castTo(b, value, dtype);
  });
}

function comparison(op: string, substitutes: Substitutes = comparedAs): Lowering {
  return elementwise((b, node, inputs) => {
    return substituted(b, inputOf(node, 0).dtype, inputs, substitutes, (values) => b.node(op, values)).value;
  });
}

/** The largest finite numbers. */
const largest = { float32: 3.4028234663852886e38, float16: 65504 };

// NaN is at most nothing. ONNX's own `IsInf` takes no float16 before opset 20.
const finite = elementwise((b, node, [x]) => {
  const dtype = inputOf(node, 0).dtype as keyof typeof largest;
  return b.node("LessOrEqual", [b.node("Abs", [x as Value]), b.scalar(largest[dtype], dtype)]);
});

/** 1 where y > 0, else 0, as a float: one pass, where comparing and casting would be two. */
export function stepOf(b: Emitter, y: Value): Value {
  // The largest float32 times any normal number above 0 is at least 1.
  return b.node("HardSigmoid", [y], { alpha: float(largest.float32), beta: float(0) });
}

// Where a product of floats is wanted, 0 * dy stands for "no gradient". A y below 2.9e-39 (denormal) counts in part.
const reluGrad = elementwise((b, _, [dy, y]) => b.node("Mul", [dy as Value, stepOf(b, y as Value)]));

const select = elementwise((b, node, [condition, x, y]) => {
  const { dtype } = inputOf(node, 1);
  const { value, as } = substituted(b, dtype, [x as Value, y as Value], chosenAs, (values) =>
    b.node("Where", [condition as Value, ...values]),
  );
  return as === dtype ? value : castTo(b, value, dtype);
});

const cast = elementwise((b, node, [x]) => castTo(b, x as Value, (node.attrs as { dtype: DType }).dtype));

export const elementwiseLowerings = {
  neg: unary("Neg"),
  abs: unary("Abs"),
  sign: unary("Sign"),
  floor: unary("Floor"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  erf: unary("Erf"),
  relu: unary("Relu"),
  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div: binary("Div"),
  pow: binary("Pow"),
  maximum: binary("Max", {}),
  minimum: binary("Min", {}),
  reluGrad,
  equal: comparison("Equal"),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  isFinite: finite,
  select,
  cast,
};
