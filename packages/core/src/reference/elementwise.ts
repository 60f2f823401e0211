import { type DType, isInteger } from "../dtype.js";
import { erf } from "./erf.js";
import { outputOf, type ReferenceKernel, wrap, zeros } from "./kernel.js";

const unary =
  (compute: (x: number) => number): ReferenceKernel =>
  (node, [x]) => {
    const { dtype } = outputOf(node);
    return x!.map(isInteger(dtype) ? (value) => wrap(compute(value), dtype) : compute);
  };

type Binary = (a: number, b: number) => number;

/** `forIntegers` stands in where doubles are not exact; results of integers wrap. */
const binary =
  (compute: Binary, forIntegers: Binary = compute): ReferenceKernel =>
  (node, [a, b]) => {
    const out = zeros(outputOf(node));
    const { dtype } = outputOf(node);
    const integers = isInteger(dtype);
    const apply = integers ? forIntegers : compute;
    for (let i = 0; i < out.length; i++) out[i] = apply(a![i]!, b![i]!);
    return integers ? out.map((value) => wrap(value, dtype)) : out;
  };

/** As C and every device have it: 1 to any power is 1, NaN and infinity included. */
const power = (a: number, b: number): number => (a === 1 ? 1 : a ** b);

function convert(value: number, from: DType, to: DType): number {
  if (to === "bool") return value !== 0 ? 1 : 0;
  return to === "float32" || to === "float16" || from === to ? value : wrap(Math.trunc(value), to);
}

export const elementwise = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  erf: unary(erf),
  relu: unary((x) => Math.max(x, 0)),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  // Products of 32-bit integers do not fit a double; imul keeps the low bits.
  mul: binary((a, b) => a * b, Math.imul),
  div: binary((a, b) => a / b),
  pow: binary(power),
  maximum: binary((a, b) => Math.max(a, b)),
  minimum: binary((a, b) => Math.min(a, b)),
  reluGrad: binary((dy, y) => (y > 0 ? dy : 0)),
  equal: binary((a, b) => Number(a === b)),
  less: binary((a, b) => Number(a < b)),
  lessEqual: binary((a, b) => Number(a <= b)),
  isFinite: (_, [x]) => x!.map((value) => Number(Number.isFinite(value))),
  select: (_, [condition, a, b]) => condition!.map((chosen, i) => (chosen !== 0 ? a![i]! : b![i]!)),
  cast: (node, [x]) => {
    const [from, to] = [node.inputs[0]!.dtype, outputOf(node).dtype];
    return x!.map((value) => convert(value, from, to));
  },
} satisfies Record<string, ReferenceKernel>;
