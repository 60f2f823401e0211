import type { PrimitiveName } from "../../ops/index.js";
import { conv } from "./conv.js";
import { elementwise } from "./elementwise.js";
import { layout } from "./layout.js";
import { norm } from "./norm.js";
import { pool } from "./pool.js";
import { random } from "./random.js";
import { reduce } from "./reduce.js";
import type { OpSample } from "./sample.js";

export * from "./sample.js";

/** Samples of every primitive: the gradient check, the conformance of devices and fixtures from elsewhere all use these. */
export const samples: Readonly<Record<PrimitiveName, readonly OpSample[]>> = {
  ...elementwise,
  ...layout,
  ...reduce,
  ...conv,
  ...pool,
  ...norm,
  ...random,
};

/** All samples in order, each with its op. */
export function allSamples(): { readonly op: PrimitiveName; readonly sample: OpSample }[] {
  return (Object.keys(samples) as PrimitiveName[]).flatMap((op) => samples[op].map((sample) => ({ op, sample })));
}
