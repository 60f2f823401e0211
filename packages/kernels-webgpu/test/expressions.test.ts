import {
  apply,
  type DType,
  dtypes,
  fromFloat16Bits,
  fromNumbers,
  full,
  type HostTensor,
  input,
  type Node,
  type Op,
  sizeOf,
  type Tensor,
  toFloat16Bits,
  toNumbers,
} from "@ocelli/core";
import { primitives, uniformValue } from "@ocelli/core/backend";
import { evaluate } from "@ocelli/core/reference";
import { compareTensors, graphOf, samples } from "@ocelli/core/testing";
import { expect } from "vitest";
import { groups, type Kernel } from "../src/kernel.js";
import { type Expression, expressions, literal, literalUses } from "../src/wgsl/expressions.js";
import { type MathFunction, mathCode } from "../src/wgsl/math.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { prepare } from "./harness.js";

type Name = keyof typeof expressions;
const names = Object.keys(expressions) as Name[];
const table: Readonly<Record<Name, Expression>> = expressions;

// --- running -------------------------------------------------------------------------------------------------------------------

/** Computes `node` with one invocation an element. Uniform inputs become literals, as they do in the compiler. */
function elementwise(node: Node): Kernel {
  const { emit, uses } = table[node.op.name as Name];
  const used: MathFunction[] = [...(uses?.(node) ?? [])];
  const reads: number[] = [];
  const lets: string[] = [];
  const args = node.inputs.map((tensor, i) => {
    const value = uniformValue(tensor);
    if (value !== undefined) used.push(...literalUses(value, tensor.dtype));
    const text = value === undefined ? `r${reads.push(i) - 1}(gid.x)` : literal(value, tensor.dtype);
    lets.push(`let a${i} = ${text};`);
    return `a${i}`;
  });
  const count = sizeOf(node.outputs[0]!.shape);
  const body = `if (gid.x < ${count}u) {\n${lets.join("\n")}\nw0(gid.x, ${emit(args, node)});\n}`;
  const dispatch = { name: node.op.name, reads, writes: [0], body, declarations: mathCode(used) };
  return { dispatches: () => [{ ...dispatch, workgroupSize: [64, 1, 1], workgroups: groups(Math.ceil(count / 64)) }] };
}

async function run(node: Node, inputs: readonly HostTensor[], kernel = elementwise(node)): Promise<HostTensor> {
  const prepared = await prepare(node, kernel, undefined, inputs);
  await prepared.run();
  const [result] = await prepared.read();
  prepared.destroy();
  return result!;
}

type Values = readonly number[];

/** A node of an op on rows of numbers; a row that is one number is the same everywhere. */
function nodeOn(op: Op, rows: readonly (Values | number)[], types: readonly DType[], attrs?: unknown): Node {
  const shape = [rows.reduce<number>((most, row) => (typeof row === "number" ? most : row.length), 0)];
  const tensors = rows.map((row, i) =>
    typeof row === "number" ? full(shape, row, types[i]) : input(`x${i}`, { shape, dtype: types[i]! }),
  );
  return apply(op as Op<unknown>, tensors, attrs).node;
}

/** An op on rows of `types`. */
async function on(name: Name, rows: readonly (Values | number)[], types: readonly DType[], attrs?: unknown) {
  const hosts = rows.map((row, i) => fromNumbers([row].flat() as number[], [[row].flat().length], types[i]!));
  return [...toNumbers(await run(nodeOn(primitives[name] as Op, rows, types, attrs), hosts))];
}

/** An op on float32 rows. */
const compute = (name: Name, ...rows: readonly (Values | number)[]): Promise<number[]> =>
  on(
    name,
    rows,
    rows.map(() => "float32"),
  );

const casted = (values: Values, from: DType, to: DType): Promise<number[]> =>
  on("cast", [values], [from], { dtype: to });

// --- samples -------------------------------------------------------------------------------------------------------------------

/** The finite samples of an op, one case for each node of the op at the end of a sample's graph. */
function casesOf(name: Name) {
  return samples[name]
    .filter(({ tags, inputs }) => !tags.includes("nonfinite") && inputs.every(({ shape }) => sizeOf(shape) > 0))
    .flatMap((sample) => {
      const feeds = new Map(sample.inputs.map((host, i) => [`x${i}`, host]));
      return graphOf(sample).outputs.map((output) => {
        const operands = output.node.inputs as readonly Tensor[];
        const values = evaluate(operands, feeds);
        const rows = operands.map((operand, i) => uniformValue(operand) ?? [...values[i]!]);
        return { ...sample, output, rows, expected: evaluate([output], feeds)[0]! };
      });
    });
}

/** What of a node goes into its text. Cases that agree in it run as one, as compiling takes longest. */
function signature({ output, rows }: ReturnType<typeof casesOf>[number]): string {
  const inputs = output.node.inputs.map(({ dtype }, i) => [dtype, typeof rows[i] === "number" && rows[i]]);
  return JSON.stringify([output.dtype, inputs]);
}

describe("computes the samples of", () => {
  it.each(names)("%s", async (name) => {
    const all = casesOf(name);
    for (const key of new Set(all.map(signature))) {
      const cases = all.filter((one) => signature(one) === key);
      const { node } = cases[0]!.output;
      const types = node.inputs.map(({ dtype }) => dtype);
      const rows = types.map((_, i) => {
        const parts = cases.map((one) => one.rows[i]!);
        return typeof parts[0] === "number" ? parts[0] : parts.flat();
      });
      const result = await on(name, rows, types, node.attrs);
      let start = 0;
      for (const { name: sample, output, expected, scale, tolerance } of cases) {
        const end = start + expected.length;
        const actual = fromNumbers(result.slice(start, end), output.shape, output.dtype);
        const { error, reason } = compareTensors(actual, expected, output, scale);
        expect(error, `${sample}: ${reason}`).toBeLessThanOrEqual(tolerance);
        start = end;
      }
    }
  });
});

// --- the whole range -----------------------------------------------------------------------------------------------------------

const view = new DataView(new ArrayBuffer(4));
function floatOf(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

let state = 1;
/** Uniform in 0..2^32-1, the same in every run. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state;
}

/** Zero, and of every exponent and both signs some mantissas, the first and the last among them. */
function floats({ mantissas = 48, first = 1 } = {}): number[] {
  const out = [0];
  for (let exponent = first; exponent < 255; exponent++) {
    for (let i = 0; i < mantissas; i++) {
      const bits = exponent * 2 ** 23 + (i === 0 ? 0 : i === 1 ? 2 ** 23 - 1 : random() >>> 9);
      out.push(floatOf(bits), floatOf(2 ** 31 + bits));
    }
  }
  return out;
}

const between = (low: number, high: number, count = 8192): number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(low + ((high - low) * i) / (count - 1)));

const positive = (values: number[]): number[] => values.filter((x) => x > 0);
const largest = floatOf(0x7f7fffff);
const smallestNormal = 2 ** -126;

/** Largest relative error; results that are not normal may be 0, and what overflows infinite or the largest. Throws for NaN and such. */
function worst(
  inputs: readonly (readonly number[])[],
  actual: readonly number[],
  wanted: (...xs: number[]) => number,
): number {
  let most = 0;
  for (const [i, got] of actual.entries()) {
    const xs = inputs.map((row) => row[i]!);
    const want = wanted(...xs);
    const text = `at ${xs.join(", ")}: ${got} instead of ${want}`;
    // One unit of the last place below the largest, infinity is as near.
    if (Math.abs(want) > largest * (1 - 1e-6) && Math.abs(got) >= largest * (1 - 1e-6)) {
      if (Math.sign(got) !== Math.sign(want)) throw new Error(text);
      continue;
    }
    if (!Number.isFinite(got)) throw new Error(text);
    const error = Math.max(0, Math.abs(got - want) - smallestNormal) / Math.max(Math.abs(want), smallestNormal);
    if (error > 1e-5) throw new Error(text);
    most = Math.max(most, error);
  }
  return most;
}

const erf = (x: number): number => evaluate([apply(primitives.erf as Op, [full([], x)])])[0]![0]!;

const operators = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

/** A few units of the last place (2^-24 is 6e-8): what adapters with looser division keep, too. */
const few = 5e-7;

const sweeps: readonly [Name, (x: number) => number, number[]][] = [
  ["exp", Math.exp, [...floats(), ...between(-87.3, 88.72)]],
  ["log", Math.log, positive([...floats({ first: 0 }), ...between(0.5, 2)])],
  ["sqrt", Math.sqrt, [0, ...positive(floats())]],
  ["sin", Math.sin, [...floats(), ...between(-20, 20), ...between(-2e4, 2e4)]],
  ["cos", Math.cos, [...floats(), ...between(-20, 20), ...between(-2e4, 2e4)]],
  ["tanh", Math.tanh, [...floats(), ...between(-11, 11)]],
  ["sigmoid", (x) => 1 / (1 + Math.exp(-x)), [...floats(), ...between(-110, 110)]],
  ["erf", erf, [...floats({ mantissas: 8 }), ...between(-5, 5, 2048)]],
  ["floor", Math.floor, [...floats(), ...between(-4, 4)]],
  ["neg", (x) => -x, floats()],
  ["abs", Math.abs, floats()],
  ["sign", Math.sign, floats()],
  ["relu", (x) => Math.max(x, 0), floats()],
];

describe("keeps float32's accuracy over its whole range in", () => {
  it.each(sweeps)("%s", async (name, wanted, inputs) => {
    expect(worst([inputs], await compute(name, inputs), wanted)).toBeLessThan(few);
  });

  it("never leaves the range of tanh, erf, sigmoid, sin and cos", async () => {
    for (const name of ["tanh", "erf", "sigmoid", "sin", "cos"] as const) {
      const result = await compute(name, [...floats(), ...between(-12, 12)]);
      expect(result.reduce((most, y) => Math.max(most, Math.abs(y)))).toBeLessThanOrEqual(1);
    }
  });

  it("sin and cos where the argument is all but a multiple of pi/2", async () => {
    // The nearest of all float32 (found by continued fractions, exponent by exponent), and those next to the first multiples.
    const inputs = [
      16367173 * 2 ** 72,
      10741887 * 2 ** 11,
      16573937 * 2 ** -16,
      10057457 * 2 ** 62,
      11617958 * 2 ** 17,
    ];
    for (let k = 1; k < 8000; k++) inputs.push((k * Math.PI) / 2);
    const rounded = inputs.map(Math.fround);
    expect(worst([rounded], await compute("sin", rounded), Math.sin)).toBeLessThan(few);
    expect(worst([rounded], await compute("cos", rounded), Math.cos)).toBeLessThan(few);
  });

  it("pow, of positive bases", async () => {
    const a: number[] = [];
    const b: number[] = [];
    for (const base of [...positive(floats({ mantissas: 16 })), ...between(0.5, 2, 16384)]) {
      // Exponents that lead to every magnitude of results, and plain ones.
      const most = 150 / Math.abs(Math.log2(base) || 1);
      a.push(base, base);
      b.push(Math.fround((random() / 2 ** 31 - 1) * most), Math.fround((random() / 2 ** 31 - 1) * 10));
    }
    expect(worst([a, b], await compute("pow", a, b), Math.pow)).toBeLessThan(1e-6);
  });

  it("pow, of zeros, ones, negative and extreme bases", async () => {
    const bases = [0, -0, 1, -1, 2, -2, 0.5, -0.5, 1e-30, -1e-30, 3e38, -3e38, 1 + 2 ** -23, 1 - 2 ** -24, 2e-38];
    const exponents = [0, -0, 1, -1, 2, -2, 3, -3, 0.5, 1e-30, 1e30, -1e30, 16777215, 16777216, -33554434, 1e9];
    const pairs = bases.flatMap((a) => exponents.map((b) => [Math.fround(a), Math.fround(b)] as const));
    const inDomain = pairs.filter(([a, b]) => !Number.isNaN(a ** b));
    const rows = [inDomain.map(([a]) => a), inDomain.map(([, b]) => b)] as const;
    expect(worst(rows, await compute("pow", ...rows), Math.pow)).toBeLessThan(1e-6);
  });

  it.each([0, 1, 2, 3, -1, -2, 0.5, -0.5, 0.75, -0.75, 2.5])("pow, to the %s", async (exponent) => {
    const bases = floats().filter((x) => x > 0 || (x < 0 && Number.isInteger(exponent)));
    const wanted = (x: number) => x ** exponent;
    expect(worst([bases], await compute("pow", bases, exponent), wanted)).toBeLessThan(few);
  });

  it.each(["add", "sub", "mul", "div", "maximum", "minimum"] as const)("%s", async (name) => {
    const [a, b] = [floats(), floats()];
    // Random partners; a quotient is defined where the divisor and its reciprocal are normal.
    for (let i = b.length - 1; i > 0; i--) {
      const j = random() % (i + 1);
      [b[i], b[j]] = [b[j]!, b[i]!];
    }
    const fit = b.map((y) => (name === "div" && !(Math.abs(y) >= smallestNormal && Math.abs(y) <= 2 ** 126) ? 3 : y));
    const wanted = { ...operators, maximum: Math.max, minimum: Math.min }[name];
    expect(worst([a, fit], await compute(name, a, fit), wanted)).toBeLessThan(few);
  });
});

// --- dtypes --------------------------------------------------------------------------------------------------------------------

describe("literals", () => {
  /** What the device makes of literals, written where each stands. */
  async function through(values: readonly number[], dtype: DType): Promise<number[]> {
    const declarations = mathCode(values.flatMap((value) => literalUses(value, dtype)));
    const body = values.map((value, i) => `w0(${i}u, ${literal(value, dtype)});`).join("\n");
    const dispatch = { name: "literals", reads: [], writes: [0], declarations, body };
    const kernel: Kernel = { dispatches: () => [{ ...dispatch, workgroupSize: [1, 1, 1], workgroups: [1, 1, 1] }] };
    return [...toNumbers(await run(full([values.length], 0, dtype).node, [], kernel))];
  }

  it("are the very float32", async () => {
    const extremes = [0, -0, largest, -largest, 2 ** -126, 2 ** -149, -(2 ** -149), 2 ** -126 - 2 ** -149, 1e21, 5e-7];
    const values = [...extremes, 1e-40, 1 / 3, 0.1, -1, 16777217, ...floats({ mantissas: 1, first: 0 })];
    expect(await through(values, "float32")).toEqual(values.map(Math.fround));
  });

  it("may be infinite or NaN, or round to infinity", async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const values = [nan, infinity, -infinity, 1e39, -1e300];
    expect(await through(values, "float32")).toEqual([nan, infinity, -infinity, infinity, -infinity]);
  });

  it("are rounded to half precision", async () => {
    const values = [0.1, 1 / 3, 65504, 65519, 65520, -1e6, 1e-7, 2049, 2051, 6e-8, -0];
    expect(await through(values, "float16")).toEqual(values.map((value) => fromFloat16Bits(toFloat16Bits(value))));
  });

  it("are any integer, or bool", async () => {
    const signed = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31) + 1, -(2 ** 31)];
    expect(await through(signed, "int32")).toEqual(signed);
    expect(await through([0, 1, 2 ** 31, 2 ** 32 - 1], "uint32")).toEqual([0, 1, 2 ** 31, 2 ** 32 - 1]);
    expect(await through([0, 255, 256, -1], "uint8")).toEqual([0, 255, 0, 255]);
    expect(await through([0, 1, 5], "bool")).toEqual([0, 1, 1]);
  });

  it("can be operands of every sign", async () => {
    expect(await compute("sub", [1, 2], -3)).toEqual([4, 5]);
    expect(await compute("sub", -3, [1, 2])).toEqual([-4, -5]);
    expect(await compute("pow", -2, [3, 2])).toEqual([-8, 4]);
  });
});

describe("dtypes", () => {
  it("casts floats by truncation, and anything but 0 to true", async () => {
    const values = [0, -0, 0.99, -0.99, 1.5, -2.99, 127, 255.9, 2147483520];
    expect(await casted(values, "float32", "int32")).toEqual([0, 0, 0, 0, 1, -2, 127, 255, 2147483520]);
    expect(await casted([0.5, 3.9, 4294967040], "float32", "uint32")).toEqual([0, 3, 4294967040]);
    expect(await casted([0.5, 255.9, 256, 300.7, -1.5], "float32", "uint8")).toEqual([0, 255, 0, 44, 255]);
    expect(await casted([0, -0, 1e-45, -1e-30, 3e38], "float32", "bool")).toEqual([0, 0, 1, 1, 1]);
  });

  it("wraps integers", async () => {
    expect(await casted([-1, 256, 511, -(2 ** 31)], "int32", "uint8")).toEqual([255, 0, 255, 0]);
    expect(await casted([-1, -(2 ** 31)], "int32", "uint32")).toEqual([2 ** 32 - 1, 2 ** 31]);
    expect(await casted([2 ** 32 - 1, 2 ** 31, 7], "uint32", "int32")).toEqual([-1, -(2 ** 31), 7]);
    for (const name of ["neg", "abs"] as const) {
      expect(await on(name, [[-(2 ** 31), -5]], ["int32"])).toEqual([-(2 ** 31), 5]);
    }
  });

  it("converts bools to 0 and 1", async () => {
    for (const to of dtypes.filter((dtype) => dtype !== "bool"))
      expect(await casted([0, 1], "bool", to)).toEqual([0, 1]);
  });

  it("tells finite from not by bits", async () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, largest, -largest, 1e-40, 0];
    expect(await compute("isFinite", values)).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });

  it("makes unit floats of the upper 24 bits", async () => {
    const bits = [0, 255, 256, 2 ** 31, 2 ** 32 - 1];
    expect(await on("unitFloat", [bits], ["uint32"])).toEqual(bits.map((b) => (b >>> 8) * 2 ** -24));
  });

  it("rounds to half precision what is not stored as such", async () => {
    const halves = Array.from({ length: 0x7bff }, (_, i) => fromFloat16Bits(i));
    // Each half, the middle between it and the next (a tie), and the float32 on both sides of that.
    const values = halves.flatMap((half, i) => {
      const middle = (half + fromFloat16Bits(i + 1)) / 2;
      return [half, middle, -middle, middle * (1 - 2 ** -23), middle * (1 + 2 ** -23)];
    });
    values.push(65504, 65519.9, 65520, -65520, 1e6, -3e38, Number.NaN, Number.POSITIVE_INFINITY);
    const inputs = values.map(Math.fround);
    const rounding = elementwise(nodeOn(primitives.cast as Op, [inputs], ["float32"], { dtype: "float16" }));
    // The kernel of the cast writes into the output of a float32 node.
    const node = nodeOn(primitives.neg as Op, [inputs], ["float32"]);
    const result = toNumbers(await run(node, [fromNumbers(inputs, [inputs.length], "float32")], rounding));
    const wrong = inputs.filter((x, i) => !Object.is(result[i], fromFloat16Bits(toFloat16Bits(x))));
    expect(wrong).toEqual([]);
  });
});
