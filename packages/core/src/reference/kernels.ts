import type { KernelTable } from "../ops/index.js";
import { conv } from "./conv.js";
import { elementwise } from "./elementwise.js";
import type { ReferenceKernel } from "./kernel.js";
import { layout } from "./layout.js";
import { matmul } from "./matmul.js";
import { norm } from "./norm.js";
import { pool } from "./pool.js";
import { random } from "./random.js";
import { reduce } from "./reduce.js";
import { gridSample2d } from "./sample.js";

/** A loop for every primitive; nothing is taken from its definition by others, so that the two check each other. */
export const kernels = {
  ...elementwise,
  ...layout,
  ...reduce,
  ...conv,
  ...pool,
  ...norm,
  ...random,
  matmul,
  gridSample2d,
} satisfies KernelTable<ReferenceKernel>;
