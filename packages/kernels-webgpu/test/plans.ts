/** Plans without a device: what would be dispatched. */
import type { HostTensor, Traceable } from "@ocelli/core";
import { trace } from "@ocelli/core/backend";
import { finish } from "../../core/src/trace.js";
import { type CompileOptions, compile } from "../src/compile/compile.js";
import type { Plan } from "../src/compile/plan.js";
import { Ways } from "../src/compile/ways.js";
import type { Limits } from "../src/kernel.js";

/** WebGPU's default limits. */
export const defaults: Limits = { invocations: 256, workgroupBytes: 16384, buffers: 8, subgroups: undefined };

export interface PlanOptions extends Partial<CompileOptions> {
  readonly frozen?: Readonly<Record<string, HostTensor>>;
}

export function planOf(program: Traceable, { frozen = {}, ...options }: PlanOptions = {}): Plan {
  const ways = options.ways ?? new Ways(new Map());
  const graph = finish(trace(program, frozen), (op) => ways.supports(op));
  const choose: CompileOptions["choose"] = (site, kernel) => kernel.variants?.(site)[0];
  return compile(graph, { ways, limits: defaults, f16: false, largest: 128 * 2 ** 20, choose, ...options });
}

export const namesOf = ({ steps }: Pick<Plan, "steps">): string[] => steps.map(({ name }) => name);
