/** How each op is computed on this device. */
import { defineOp, type Node, type Op, type Tensor } from "@ocelli/core";
import { type PrimitiveName, primitives } from "@ocelli/core/backend";
import type { Kernel } from "../kernel.js";
import { internal, table } from "../kernels/index.js";
import { views } from "../wgsl/body.js";
import type { Expression } from "../wgsl/expressions.js";

/** What becomes of an op: nothing to compute, another order of elements, arithmetic on each element, a kernel, or other ops. */
export type Way =
  | "leaf"
  | "view"
  | { readonly expression: Expression }
  | { readonly kernel: Kernel }
  | { readonly lower: (inputs: readonly Tensor[], attrs: never) => readonly Tensor[] };

/** Ways of a user's own ops. */
export type OwnOps = ReadonlyMap<Op, { readonly expression: Expression } | { readonly kernel: Kernel }>;

/** The value itself: gives a leaf that is an output memory of its own. */
export const copyOp = defineOp({ name: "copy", infer: ([x]) => x as Tensor, vjp: "nondifferentiable" });

const leaves: ReadonlySet<string> = new Set(["input", "constant", "full"]);

/** Looks up how ops are computed. */
export class Ways {
  readonly #ways = new Map<Op, Way>();
  readonly #own: OwnOps;

  constructor(own: OwnOps) {
    for (const [name, op] of Object.entries(primitives) as [PrimitiveName, Op][]) {
      const entry = table[name];
      if (entry !== "decompose") this.#ways.set(op, views.has(name) ? "view" : (entry as Way));
    }
    this.#ways.set(copyOp as Op, { expression: { emit: ([x]) => x as string, weight: 0 } });
    for (const [op, way] of internal) this.#ways.set(op, way);
    for (const [op, way] of own) this.#ways.set(op, way);
    this.#own = own;
  }

  /** Whether a user brought the op along. */
  isOwn(op: Op): boolean {
    return this.#own.has(op);
  }

  supports(op: Op): boolean {
    return this.#ways.has(op);
  }

  of({ op }: Node): Way {
    return leaves.has(op.name) ? "leaf" : (this.#ways.get(op) as Way);
  }

  expression(node: Node): Expression | undefined {
    const way = this.of(node);
    return typeof way === "object" && "expression" in way ? way.expression : undefined;
  }

  kernel(node: Node): Kernel | undefined {
    const way = this.of(node);
    return typeof way === "object" && "kernel" in way ? way.kernel : undefined;
  }
}
