import { DeviceError, sizeOf } from "@ocelli/core";
import type { Value } from "../builder.js";
import { castTo } from "./elementwise.js";
import { type Emitter, elementwise, lowering, outputOf, reshaped } from "./lowering.js";

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** The lowest opset with bitwise operators: graphs that draw random bits need it, all others are written at the default. */
export const bitwiseOpset = 18;

// Kernels add no unsigned integers; in 64 bits the sum of two is exact, and the cast back drops the carry.
function addWords(b: Emitter, x: Value, y: Value): Value {
  return castTo(b, b.node("Add", [castTo(b, x, "int64"), castTo(b, y, "int64")]), "uint32");
}

function rotated(b: Emitter, x: Value, turn: number): Value {
  const left = b.node("BitShift", [x, b.scalar(turn, "uint32")], { direction: "LEFT" });
  const right = b.node("BitShift", [x, b.scalar(32 - turn, "uint32")], { direction: "RIGHT" });
  return b.node("BitwiseOr", [left, right]);
}

const xor = (b: Emitter, x: Value, y: Value): Value => b.node("BitwiseXor", [x, y]);

/** Threefry-2x32 with 20 rounds on vectors of words. */
function threefry(b: Emitter, [k0, k1]: readonly [Value, Value], counters: readonly [Value, Value]): [Value, Value] {
  const keys = [k0, k1, xor(b, xor(b, k0, k1), b.scalar(parity, "uint32"))] as const;
  let x0 = addWords(b, counters[0], k0);
  let x1 = addWords(b, counters[1], k1);
  for (let round = 0; round < 20; round++) {
    x0 = addWords(b, x0, x1);
    x1 = xor(b, rotated(b, x1, rotations[round % 8] as number), x0);
    if (round % 4 !== 3) continue;
    const step = (round + 1) / 4;
    x0 = addWords(b, x0, keys[step % 3] as Value);
    x1 = addWords(b, x1, addWords(b, keys[(step + 1) % 3] as Value, b.scalar(step, "uint32")));
  }
  return [x0, x1];
}

const randomBits = lowering((b, node, [key]) => {
  if (b.opset() < bitwiseOpset) {
    throw new DeviceError(
      `randomBits: needs ONNX operators of opset ${bitwiseOpset}; the model is written in ${b.opset()}`,
    );
  }
  const { stream } = node.attrs as { stream: number };
  const { shape } = outputOf(node);
  const [count, blocks] = [sizeOf(shape), Math.ceil(sizeOf(shape) / 2)];
  const data = Uint32Array.from({ length: blocks }, (_, i) => i);
  const word = (i: number): Value => b.node("Gather", [key as Value, b.int64([i])]);
  const counter = b.initializer({ dtype: "uint32", shape: [blocks], data });
  const words = threefry(b, [word(0), word(1)], [counter, b.scalar(stream, "uint32")]);
  const pairs = b.node(
    "Concat",
    words.map((value) => reshaped(b, value, [blocks, 1])),
    { axis: 1 },
  );
  const flat = reshaped(b, pairs, [2 * blocks]);
  if (count % 2 === 0) return [reshaped(b, flat, shape)];
  return [reshaped(b, b.node("Slice", [flat, b.int64([0]), b.int64([count])]), shape)];
});

/** The upper 24 bits, times 2^-24. */
const unitFloat = elementwise((b, _, [bits]) => {
  const upper = b.node("BitShift", [bits as Value, b.scalar(8, "uint32")], { direction: "RIGHT" });
  return b.node("Mul", [castTo(b, upper, "float32"), b.scalar(2 ** -24, "float32")]);
});

export const randomLowerings = { randomBits, unitFloat };
