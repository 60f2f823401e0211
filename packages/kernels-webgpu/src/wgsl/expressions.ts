/** WGSL of the elementwise primitives, one element at a time. */
import { type DType, fromFloat16Bits, isFloat, type Node, toFloat16Bits } from "@ocelli/core";
import { uniformValue } from "@ocelli/core/backend";
import {
  cosFn,
  erfFn,
  expFn,
  fromBits,
  isFiniteFn,
  logFn,
  type MathFunction,
  powFn,
  sigmoidFn,
  sinFn,
  tanhFn,
  toHalf,
} from "./math.js";
import { scalarOf } from "./storage.js";

export interface Expression {
  /**
   * WGSL of one element's value from those of the inputs (each is an identifier or literal, safe to repeat). Where all inputs are
   * literals, at least one should be named by a `let`: WGSL rejects constant expressions that overflow.
   */
  readonly emit: (args: readonly string[], node: Node) => string;
  /** Library functions that the text calls. */
  readonly uses?: (node: Node) => readonly MathFunction[];
  /** Rough cost in additions: decides whether computing twice beats storing. */
  readonly weight: number;
}

const dtypeOf = (node: Node): DType => node.outputs[0]!.dtype;

/** `text` (of the arithmetic type) brought to what `dtype` can hold: a value that is not stored must be the one that would be. */
export function rounded(dtype: DType, text: string): string {
  if (dtype === "float16") return `${toHalf.name}(${text})`;
  return dtype === "uint8" ? `(${text} & 255u)` : text;
}

/** What the text of {@link rounded} calls. */
export const roundedUses = (dtype: DType): readonly MathFunction[] => (dtype === "float16" ? [toHalf] : []);

// --- literals ------------------------------------------------------------------------------------------------------------------

const scratch = new DataView(new ArrayBuffer(4));

/** The float32 (rounded to half precision for float16) that a literal stands for. */
function floatOf(value: number, dtype: DType): number {
  return dtype === "float16" ? fromFloat16Bits(toFloat16Bits(value)) : Math.fround(value);
}

/** Whether WGSL can write it: it rejects NaN and infinities, and Dawn takes -0 for 0. */
const isPlain = (value: number): boolean => Number.isFinite(value) && !Object.is(value, -0);

/** Negative ones in parentheses, as `--` is a token. */
const signed = (text: string): string => (text.startsWith("-") ? `(${text})` : text);

/** WGSL of a number as the arithmetic type of `dtype`: exactly the value that a tensor of that dtype would hold. */
export function literal(value: number, dtype: DType): string {
  const scalar = scalarOf[dtype];
  if (scalar === "bool") return value !== 0 ? "true" : "false";
  if (scalar === "u32") return `${dtype === "uint8" ? value & 255 : value >>> 0}u`;
  if (scalar === "i32") {
    const whole = value | 0;
    // The sign is no part of a WGSL literal, and 2147483648i does not exist.
    return whole === -(2 ** 31) ? "i32(-2147483648)" : signed(`${whole}i`);
  }
  const float = floatOf(value, dtype);
  if (!isPlain(float)) {
    scratch.setFloat32(0, float);
    return `${fromBits.name}(0x${scratch.getUint32(0).toString(16)}u)`;
  }
  // The shortest text of the double, which is the float32: it reads back as that.
  return signed(`${float}f`);
}

/** What the text of {@link literal} calls. */
export function literalUses(value: number, dtype: DType): readonly MathFunction[] {
  return isFloat(dtype) && !isPlain(floatOf(value, dtype)) ? [fromBits] : [];
}

// --- expressions ---------------------------------------------------------------------------------------------------------------

type Emit = (args: readonly string[], node: Node) => string;

interface Options {
  readonly uses?: (node: Node) => readonly MathFunction[];
  readonly weight?: number;
}

/** Results that every dtype of the inputs can hold, or bools: nothing to round. */
const exact = (emit: Emit, { uses, weight = 1 }: Options = {}): Expression => ({
  emit,
  weight,
  ...(uses && { uses }),
});

/** Results that are rounded to the output's dtype. */
const inexact = (emit: Emit, { uses = () => [], weight = 1 }: Options = {}): Expression => ({
  emit: (args, node) => rounded(dtypeOf(node), emit(args, node)),
  uses: (node) => [...uses(node), ...roundedUses(dtypeOf(node))],
  weight,
});

/** A call of one function of the library. */
const calling = (fn: MathFunction, weight: number): Expression =>
  inexact((args) => `${fn.name}(${args.join(", ")})`, { uses: () => [fn], weight });

const operator = (symbol: string): Emit => {
  return ([a, b]) => `(${a} ${symbol} ${b})`;
};

/** x to a power that is known: exact where multiplying is. */
function knownPower(x: string, exponent: number | undefined): string | undefined {
  switch (exponent) {
    case 0:
      return "1f";
    case 1:
      return x;
    case 2:
      return `(${x} * ${x})`;
    case 3:
      return `(${x} * ${x} * ${x})`;
    case -1:
      return `(1f / ${x})`;
    case -2:
      // Not 1 / x^2, which overflows sooner.
      return `((1f / ${x}) * (1f / ${x}))`;
    case 0.5:
      return `sqrt(${x})`;
    case -0.5:
      return `inverseSqrt(${x})`;
    case 0.75:
      return `(sqrt(${x}) * sqrt(sqrt(${x})))`;
    case -0.75:
      return `(inverseSqrt(${x}) * sqrt(inverseSqrt(${x})))`;
    default:
      return undefined;
  }
}

const exponentOf = (node: Node): number | undefined => uniformValue(node.inputs[1]!);

/** Whether any bit but the sign is set: hardware may take subnormals for 0, and comparing NaN is undefined. */
const isNonzero = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) != 0u)`;

/** Conversion between arithmetic types. Those of integers wrap, those of floats truncate. */
function converted(x: string, from: DType, to: DType): string {
  const [source, target] = [scalarOf[from], scalarOf[to]];
  if (target === "bool")
    return source === "bool" ? x : source === "f32" ? isNonzero(x) : `(${x} != ${literal(0, from)})`;
  if (source === "bool") return `select(${literal(0, to)}, ${literal(1, to)}, ${x})`;
  if (source === target) return x;
  // u32(-1f) is 0; by way of i32, bytes wrap.
  if (source === "f32" && to === "uint8") return `u32(i32(${x}))`;
  return `${target}(${x})`;
}

/** Whether every value of `from` is one of `to`. */
const widens = (from: DType, to: DType): boolean =>
  from === "bool" || from === to || (from === "uint8" && to !== "bool");

const cast: Expression = {
  emit: ([x], node) => {
    const [from, to] = [node.inputs[0]!.dtype, dtypeOf(node)];
    const text = converted(x!, from, to);
    return widens(from, to) ? text : rounded(to, text);
  },
  uses: (node) => (widens(node.inputs[0]!.dtype, dtypeOf(node)) ? [] : roundedUses(dtypeOf(node))),
  weight: 1,
};

/** How each elementwise primitive is computed. */
export const expressions = {
  neg: exact(([x]) => `(-${x})`),
  abs: exact(([x]) => `abs(${x})`),
  sign: exact(([x]) => `sign(${x})`),
  floor: exact(([x]) => `floor(${x})`),
  exp: calling(expFn, 8),
  log: calling(logFn, 8),
  sqrt: inexact(([x]) => `sqrt(${x})`, { weight: 4 }),
  sin: calling(sinFn, 16),
  cos: calling(cosFn, 16),
  tanh: calling(tanhFn, 8),
  sigmoid: calling(sigmoidFn, 12),
  erf: calling(erfFn, 16),
  // Not max, which drops NaN on most hardware: a network that has diverged should show it.
  relu: exact(([x]) => `select(${x}, 0f, ${x} < 0f)`),
  add: inexact(operator("+")),
  sub: inexact(operator("-")),
  mul: inexact(operator("*")),
  div: inexact(operator("/"), { weight: 4 }),
  pow: inexact(([a, b], node) => knownPower(a!, exponentOf(node)) ?? `${powFn.name}(${a}, ${b})`, {
    uses: (node) => (knownPower("", exponentOf(node)) === undefined ? [powFn] : []),
    weight: 16,
  }),
  maximum: exact(([a, b]) => `max(${a}, ${b})`),
  minimum: exact(([a, b]) => `min(${a}, ${b})`),
  reluGrad: exact(([dy, y]) => `select(0f, ${dy}, ${y} > 0f)`),
  equal: exact(operator("==")),
  less: exact(operator("<")),
  lessEqual: exact(operator("<=")),
  isFinite: exact(([x]) => `${isFiniteFn.name}(${x})`, { uses: () => [isFiniteFn] }),
  select: exact(([condition, a, b]) => `select(${b}, ${a}, ${condition})`),
  cast,
  // The upper 24 bits, times 2^-24: exact.
  unitFloat: exact(([bits]) => `(f32(${bits} >> 8u) * 5.9604644775390625e-8f)`),
} satisfies Record<string, Expression>;
