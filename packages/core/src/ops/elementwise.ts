import { type DType, isFloat } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { apply, defineOp, type Op, type VjpRule } from "../op.js";
import { broadcastShapes, formatShape, sameShape } from "../shape.js";
import { type Spec, Tensor } from "../tensor.js";
import { broadcastTo } from "./layout.js";
import { full, scalar } from "./leaf.js";

/** A tensor, or a number that takes the other operand's dtype. */
export type Operand = Tensor | number;

// --- unary ---------------------------------------------------------------------------------------------------------------------

// @__NO_SIDE_EFFECTS__
function defineUnary(name: string, vjp: VjpRule | "nondifferentiable", { integers = false } = {}): Op {
  return defineOp({
    name,
    infer: ([x]) => {
      const { shape, dtype } = x as Spec;
      if (!isFloat(dtype) && !(integers && dtype === "int32")) {
        throw new DTypeError(
          `${name}: input is ${dtype}; it needs ${integers ? "a float or int32" : "a float"}. Cast it first.`,
        );
      }
      return { shape, dtype };
    },
    vjp,
  });
}

const first = (tensors: readonly Tensor[]): Tensor => tensors[0] as Tensor;

export const negOp = defineUnary("neg", ({ dy }) => [neg(dy)], { integers: true });
export const absOp = defineUnary("abs", ({ dy, inputs }) => [mul(dy, sign(first(inputs)))], { integers: true });
export const signOp = defineUnary("sign", "nondifferentiable", { integers: true });
export const floorOp = defineUnary("floor", "nondifferentiable");
export const expOp = defineUnary("exp", ({ dy, output }) => [mul(dy, output)]);
export const logOp = defineUnary("log", ({ dy, inputs }) => [div(dy, first(inputs))]);
export const sqrtOp = defineUnary("sqrt", ({ dy, output }) => [div(dy, mul(2, output))]);
export const sinOp = defineUnary("sin", ({ dy, inputs }) => [mul(dy, cos(first(inputs)))]);
export const cosOp = defineUnary("cos", ({ dy, inputs }) => [neg(mul(dy, sin(first(inputs))))]);
export const tanhOp = defineUnary("tanh", ({ dy, output }) => [mul(dy, sub(1, mul(output, output)))]);
export const sigmoidOp = defineUnary("sigmoid", ({ dy, output }) => [mul(dy, mul(output, sub(1, output)))]);
export const erfOp = defineUnary("erf", ({ dy, inputs: [x] }) => [
  mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x as Tensor, x as Tensor))))),
]);
export const reluOp = defineUnary("relu", ({ dy, output }) => [reluGrad(dy, output)]);

/** -x. Float or int32. */
export const neg = (x: Tensor): Tensor => apply(negOp, [x]);
/** |x|. Float or int32; the gradient at 0 is 0. */
export const abs = (x: Tensor): Tensor => apply(absOp, [x]);
/** -1, 0 or 1. Its gradient is 0. */
export const sign = (x: Tensor): Tensor => apply(signOp, [x]);
/** Largest integer not above x. Its gradient is 0. */
export const floor = (x: Tensor): Tensor => apply(floorOp, [x]);
/** e^x. */
export const exp = (x: Tensor): Tensor => apply(expOp, [x]);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => apply(logOp, [x]);
/** Square root. */
export const sqrt = (x: Tensor): Tensor => apply(sqrtOp, [x]);
/** Sine, x in radians. */
export const sin = (x: Tensor): Tensor => apply(sinOp, [x]);
/** Cosine, x in radians. */
export const cos = (x: Tensor): Tensor => apply(cosOp, [x]);
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => apply(tanhOp, [x]);
/** 1 / (1 + e^-x). */
export const sigmoid = (x: Tensor): Tensor => apply(sigmoidOp, [x]);
/** Gauss error function. */
export const erf = (x: Tensor): Tensor => apply(erfOp, [x]);
/** max(x, 0); the gradient at 0 is 0. */
export const relu = (x: Tensor): Tensor => apply(reluOp, [x]);

// --- binary --------------------------------------------------------------------------------------------------------------------

function inferSame(name: string, [a, b]: readonly Spec[], kinds: (dtype: DType) => boolean, needed: string): Spec {
  const { shape, dtype } = a as Spec;
  const other = b as Spec;
  if (dtype !== other.dtype) {
    throw new DTypeError(`${name}: operands are ${dtype} and ${other.dtype}; they need one dtype. Cast one of them.`);
  }
  if (!kinds(dtype)) throw new DTypeError(`${name}: operands are ${dtype}; they need ${needed}`);
  if (!sameShape(shape, other.shape)) {
    throw new ShapeError(
      `${name}: primitives take equal shapes; got ${formatShape(shape)} and ${formatShape(other.shape)}`,
    );
  }
  return { shape, dtype };
}

const isNumeric = (dtype: DType): boolean => dtype !== "bool";
const isArithmetic = (dtype: DType): boolean => isFloat(dtype) || dtype === "int32" || dtype === "uint32";

// @__NO_SIDE_EFFECTS__
function defineBinary(
  name: string,
  vjp: VjpRule | "nondifferentiable",
  kinds: (dtype: DType) => boolean = isArithmetic,
): Op {
  const needed = kinds === isFloat ? "a float dtype" : "a float, int32 or uint32 dtype";
  return defineOp({ name, inputs: ["a", "b"], infer: (inputs) => inferSame(name, inputs, kinds, needed), vjp });
}

export const addOp = defineBinary("add", ({ dy }) => [dy, dy]);
export const subOp = defineBinary("sub", ({ dy }) => [dy, neg(dy)]);
export const mulOp = defineBinary("mul", ({ dy, inputs: [a, b] }) => [mul(dy, b as Tensor), mul(dy, a as Tensor)]);
export const divOp = defineBinary(
  "div",
  ({ dy, inputs: [, b], output }) => [div(dy, b as Tensor), neg(div(mul(dy, output), b as Tensor))],
  isFloat,
);
export const powOp = defineBinary(
  "pow",
  ({ dy, inputs, output }) => {
    const [a, b] = inputs as [Tensor, Tensor];
    // log of a base that is not positive has no real value; the exponent's gradient is 0 there, as in PyTorch for 0.
    const positive = greater(a, 0);
    const logA = select(positive, log(select(positive, a, 1)), 0);
    return [mul(dy, mul(b, pow(a, sub(b, 1)))), mul(dy, mul(output, logA))];
  },
  isFloat,
);
export const maximumOp = defineBinary("maximum", ({ dy, inputs }) => extremumGrad(dy, inputs, greater));
export const minimumOp = defineBinary("minimum", ({ dy, inputs }) => extremumGrad(dy, inputs, less));
/** dy where y > 0, else 0: the gradient of ReLU, from its output. */
export const reluGradOp = defineBinary(
  "reluGrad",
  ({ dy, inputs }) => [reluGrad(dy, inputs[1] as Tensor), null],
  isFloat,
);

/** Ties share the gradient evenly, as in PyTorch. */
function extremumGrad(dy: Tensor, inputs: readonly Tensor[], wins: (a: Tensor, b: Tensor) => Tensor): Tensor[] {
  const [a, b] = inputs as [Tensor, Tensor];
  const half = select(equal(a, b), mul(dy, 0.5), 0);
  return [select(wins(a, b), dy, half), select(wins(b, a), dy, half)];
}

/** Makes two operands equal in shape and dtype. */
function broadcast(a: Operand, b: Operand, name: string): [Tensor, Tensor] {
  for (const operand of [a, b]) {
    if (typeof operand === "number" || operand instanceof Tensor) continue;
    throw new ArgumentError(
      `${name}: an operand is neither a number nor a tensor of a graph; host data becomes one by constant(hostTensor(...))`,
    );
  }
  if (typeof a === "number" && typeof b === "number") return [scalar(a), scalar(b)];
  if (typeof a === "number") return [full((b as Tensor).shape, a, (b as Tensor).dtype), b as Tensor];
  if (typeof b === "number") return [a, full(a.shape, b, a.dtype)];
  const shape = broadcastShapes(a.shape, b.shape, name);
  return [broadcastTo(a, shape), broadcastTo(b, shape)];
}

const binary = (op: Op, a: Operand, b: Operand): Tensor => apply(op, broadcast(a, b, op.name));

/** a + b, broadcasting. */
export const add = (a: Operand, b: Operand): Tensor => binary(addOp, a, b);
/** a - b, broadcasting. */
export const sub = (a: Operand, b: Operand): Tensor => binary(subOp, a, b);
/** a * b, broadcasting. */
export const mul = (a: Operand, b: Operand): Tensor => binary(mulOp, a, b);
/** a / b, broadcasting. Floats. */
export const div = (a: Operand, b: Operand): Tensor => binary(divOp, a, b);
/** a ** b, broadcasting. Floats. */
export const pow = (a: Operand, b: Operand): Tensor => binary(powOp, a, b);
/** The larger of a and b, broadcasting; ties share the gradient. */
export const maximum = (a: Operand, b: Operand): Tensor => binary(maximumOp, a, b);
/** The smaller of a and b, broadcasting; ties share the gradient. */
export const minimum = (a: Operand, b: Operand): Tensor => binary(minimumOp, a, b);
/** dy where y > 0, else 0. */
export const reluGrad = (dy: Tensor, y: Tensor): Tensor => binary(reluGradOp, dy, y);

// --- comparing, choosing, converting -------------------------------------------------------------------------------------------

// @__NO_SIDE_EFFECTS__
function defineComparison(name: string, kinds: (dtype: DType) => boolean): Op {
  return defineOp({
    name,
    inputs: ["a", "b"],
    infer: (inputs) => ({ ...inferSame(name, inputs, kinds, "a numeric dtype"), dtype: "bool" as const }),
    vjp: "nondifferentiable",
  });
}

export const equalOp = defineComparison("equal", () => true);
export const lessOp = defineComparison("less", isNumeric);
export const lessEqualOp = defineComparison("lessEqual", isNumeric);

/** a == b as bool, broadcasting. */
export const equal = (a: Operand, b: Operand): Tensor => binary(equalOp, a, b);
/** a < b as bool, broadcasting. */
export const less = (a: Operand, b: Operand): Tensor => binary(lessOp, a, b);
/** a <= b as bool, broadcasting. */
export const lessEqual = (a: Operand, b: Operand): Tensor => binary(lessEqualOp, a, b);
/** a > b as bool, broadcasting. */
export const greater = (a: Operand, b: Operand): Tensor => less(b, a);
/** a >= b as bool, broadcasting. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => lessEqual(b, a);
/** not x, for bool. */
export const logicalNot = (x: Tensor): Tensor => equal(x, 0);

export const isFiniteOp = defineOp({
  name: "isFinite",
  infer: ([x]) => {
    const { shape, dtype } = x as Spec;
    if (!isFloat(dtype)) throw new DTypeError(`isFinite: input is ${dtype}; it needs a float`);
    return { shape, dtype: "bool" };
  },
  vjp: "nondifferentiable",
});

/** False where x is NaN or infinite, else true. Floats. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: named as everyone names it; the global one takes no tensor
export const isFinite = (x: Tensor): Tensor => apply(isFiniteOp, [x]);

export const selectOp = defineOp({
  name: "select",
  inputs: ["condition", "a", "b"],
  infer: ([condition, a, b]) => {
    const c = condition as Spec;
    if (c.dtype !== "bool") throw new DTypeError(`select: the condition is ${c.dtype}; it needs bool`);
    const same = inferSame("select", [a as Spec, b as Spec], () => true, "");
    if (!sameShape(c.shape, same.shape)) {
      throw new ShapeError(`select: condition ${formatShape(c.shape)} and branches ${formatShape(same.shape)} differ`);
    }
    return same;
  },
  vjp: ({ dy, inputs: [condition] }) => [null, select(condition as Tensor, dy, 0), select(condition as Tensor, 0, dy)],
});

/** `condition ? a : b`, element by element, broadcasting. A branch not taken never leaks its NaN. */
export function select(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [x, y] = broadcast(a, b, "select");
  const shape = broadcastShapes(condition.shape, x.shape, "select");
  return apply(selectOp, [broadcastTo(condition, shape), broadcastTo(x, shape), broadcastTo(y, shape)]);
}

export const castOp = defineOp<{ dtype: DType }>({
  name: "cast",
  infer: ([x], { dtype }) => ({ shape: (x as Spec).shape, dtype }),
  vjp: ({ dy, inputs }) => {
    const { dtype } = first(inputs);
    return [isFloat(dtype) ? cast(dy, dtype) : null];
  },
});

/**
 * Converts element by element. Floats become integers by truncation towards 0 (values out of range are undefined), bools become 0
 * and 1, and numbers become `x != 0`.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply(castOp, [x], { dtype });
}
