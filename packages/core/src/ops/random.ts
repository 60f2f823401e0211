import { ArgumentError, DTypeError } from "../errors.js";
import { apply, defineOp } from "../op.js";
import { checkShape, formatShape, type Shape } from "../shape.js";
import type { Spec, Tensor } from "../tensor.js";

/**
 * Random bits by counter (Threefry-2x32, 20 rounds; Salmon et al. 2011): element i of stream s under key k is a function of
 * (k, s, i) alone, so every device draws the same bits in any order. Elements 2j and 2j+1 are the two words of block (j, s).
 */
export const randomBitsOp = defineOp<{ shape: Shape; stream: number }>({
  name: "randomBits",
  inputs: ["key"],
  infer: ([key], { shape, stream }) => {
    const { dtype, shape: keyShape } = key as Spec;
    if (dtype !== "uint32" || keyShape.length !== 1 || keyShape[0] !== 2) {
      throw new DTypeError(`randomBits: the key is ${dtype}${formatShape(keyShape)}; it needs uint32[2]`);
    }
    checkShape(shape, "randomBits");
    if (!(Number.isInteger(stream) && stream >= 0 && stream < 2 ** 32)) {
      throw new ArgumentError(`randomBits: stream is ${stream}; it needs an integer in 0..2^32-1`);
    }
    return { shape, dtype: "uint32" };
  },
  vjp: "nondifferentiable",
});

/** The upper 24 bits of a uint32 as a float32 in [0, 1): exact, a multiple of 2^-24. */
export const unitFloatOp = defineOp({
  name: "unitFloat",
  infer: ([bits]) => {
    const { shape, dtype } = bits as Spec;
    if (dtype !== "uint32") throw new DTypeError(`unitFloat: input is ${dtype}; it needs uint32`);
    return { shape, dtype: "float32" };
  },
  vjp: "nondifferentiable",
});

/** Random uint32 of `shape`. Different `stream`s of one key are independent. Key: uint32 `[2]`. */
export function randomBits(key: Tensor, shape: Shape, stream = 0): Tensor {
  return apply(randomBitsOp, [key], { shape: [...shape], stream });
}

/** Uniform float32 in [0, 1), multiples of 2^-24. */
export function randomUniform(key: Tensor, shape: Shape, stream = 0): Tensor {
  return apply(unitFloatOp, [randomBits(key, shape, stream)]);
}
