import { sizeOf } from "../shape.js";
import { hostRandomBits } from "../threefry.js";
import { outputOf, type ReferenceKernel } from "./kernel.js";

export const random = {
  randomBits: (node, [key]) => {
    const { stream } = node.attrs as { stream: number };
    return Float64Array.from(hostRandomBits([key![0]!, key![1]!], sizeOf(outputOf(node).shape), stream));
  },
  unitFloat: (_, [bits]) => bits!.map((word) => Math.floor(word / 256) * 2 ** -24),
} satisfies Record<string, ReferenceKernel>;
