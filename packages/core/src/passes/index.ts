import type { Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { decompose } from "./decompose.js";
import { fold } from "./fold.js";
import { share } from "./share.js";

export { decompose } from "./decompose.js";
export { fold, uniformValue } from "./fold.js";
export { rewrite } from "./rewrite.js";
export { share } from "./share.js";

/**
 * The passes that every device wants, in order: definitions of what it lacks, folding, sharing. Dead code needs no pass: what no
 * output reaches is not in the graph.
 */
export function optimize(
  outputs: readonly Tensor[],
  { supports }: { readonly supports: (op: Op) => boolean },
): Tensor[] {
  return share(fold(decompose(outputs, supports)));
}
