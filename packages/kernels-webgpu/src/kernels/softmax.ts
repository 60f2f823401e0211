import type { Kernel } from "../kernel.js";
import { type Fold, foldLines, linesOf } from "./lines.js";
import { lowest } from "./reduce.js";

// Halves cannot overflow, whatever finite numbers are subtracted; beyond -120 nothing is left of an exponential.
const below = (value: string, most: string): string => `2.0 * max(0.5 * ${value} - 0.5 * ${most}, -60.0)`;

/** The largest element and the sum of `e^(x - largest)`, in one pass. */
const exponentials: Fold = {
  fields: { most: "f32", sum: "f32" },
  zero: `${lowest.f32}, 0.0`,
  take: `      let value = r0(at);
      if (value > acc.most) {
        acc.sum *= exp(${below("acc.most", "value")});
        acc.most = value;
      }
      acc.sum += exp(${below("value", "acc.most")});`,
  merge: `  let most = max(a.most, b.most);
  return Acc(most, a.sum * exp(${below("a.most", "most")}) + b.sum * exp(${below("b.most", "most")}));`,
  subgroup: `  let most = subgroupMax(acc.most);
  return Acc(most, subgroupAdd(acc.sum * exp(${below("acc.most", "most")})));`,
};

function normalized(element: string): Kernel {
  return {
    dispatches: ({ node, inputs, attrs, limits }) =>
      foldLines({
        name: node.op.name,
        limits,
        lines: linesOf(inputs[0]!.shape, [(attrs as { axis: number }).axis]),
        fold: exponentials,
        reads: [0],
        writes: [0],
        finish: { element },
      }),
  };
}

/** e^x / sum e^x along an axis. */
export const softmax = normalized(`      w0(at, exp(${below("r0(at)", "total.most")}) / total.sum);`);

/** log of softmax. */
export const logSoftmax = normalized(
  "      w0(at, 2.0 * max(0.5 * r0(at) - 0.5 * total.most, -0x1.fffffep+126) - log(total.sum));",
);
