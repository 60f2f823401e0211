/** What users bring along is checked, so that a mistake is named where it was made. Loaded only when somebody does. */
import { ArgumentError, type Node } from "@ocelli/core";
import { primitives } from "@ocelli/core/backend";
import type { OwnOps } from "./compile/ways.js";
import type { Dispatch, Kernel, Source, Target } from "./kernel.js";

const taken: ReadonlySet<string> = new Set([...Object.keys(primitives), "input", "constant", "full", "copy"]);

/** The same ops, whose kernels are checked at each use. @throws ArgumentError for what is no kernel, no expression, or has a built-in's name */
export function checkedOps(own: OwnOps): OwnOps {
  if (!(own instanceof Map))
    throw new ArgumentError("webgpu: kernels has to be a Map from ops to { kernel } or { expression }");
  return new Map(
    [...own].map(([op, way]) => {
      if (taken.has(op.name)) {
        throw new ArgumentError(
          `webgpu: an op of your own is called "${op.name}", as a built-in is; give it another name`,
        );
      }
      if ("expression" in way && typeof way.expression?.emit === "function") return [op, way] as const;
      if ("kernel" in way && typeof way.kernel?.dispatches === "function")
        return [op, { kernel: checkedKernel(way.kernel) }] as const;
      throw new ArgumentError(
        `webgpu: what is registered for ${op.name} is neither { expression: { emit, weight } } nor { kernel: { dispatches } }`,
      );
    }),
  );
}

function checkedKernel(kernel: Kernel): Kernel {
  return {
    ...kernel,
    dispatches: (site, variant) => {
      const made = kernel.dispatches(site, variant);
      check(site.node, made);
      return made;
    },
  };
}

function check(node: Node, dispatches: readonly Dispatch[]): void {
  const { op, inputs, outputs } = node;
  const fail = (what: string): never => {
    throw new ArgumentError(`webgpu: kernel of ${op.name}: ${what}`, { op: op.name });
  };
  if (!Array.isArray(dispatches) || dispatches.length === 0)
    fail(`dispatches gave ${JSON.stringify(dispatches)}; it needs a list of at least one`);
  const isCount = (count: unknown): boolean => Number.isInteger(count) && (count as number) >= 1;
  const written = new Set<Target>();
  for (const { name, reads, writes, workgroupSize, workgroups } of dispatches) {
    for (const [what, counts] of Object.entries({ workgroupSize, workgroups })) {
      if (!Array.isArray(counts) || counts.length !== 3 || !counts.every(isCount))
        fail(`${what} of ${name} is ${JSON.stringify(counts)}; it needs three integers above 0`);
    }
    for (const [list, sources, most] of [
      ["reads", reads, inputs.length],
      ["writes", writes, outputs.length],
    ] as const) {
      for (const [i, source] of (sources as readonly (Source | Target)[]).entries()) {
        const at = typeof source === "object" && "width" in source ? source.input : source;
        if (typeof at === "number" && !(Number.isInteger(at) && at >= 0 && at < most))
          fail(`${list}[${i}] of ${name} is ${at}; the op has ${most} ${list === "reads" ? "inputs" : "outputs"}`);
      }
    }
    for (const target of writes) written.add(target);
  }
  const missing = outputs.findIndex((_, i) => !written.has(i));
  if (missing >= 0) fail(`no dispatch writes output ${missing}`);
}
