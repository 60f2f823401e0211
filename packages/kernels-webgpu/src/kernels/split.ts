import { type Dispatch, groups, type Target, type Temp } from "../kernel.js";
import { lines, range, u, type Walk } from "./walk.js";

const partsOf = (walk: Walk, parts: number): Temp => ({ temp: "parts", dtype: "float32", size: parts * walk.size });

/** Where a walk whose channels are cut into `parts` writes: each part's sums lie one behind the other. */
export const targetOf = (walk: Walk, parts: number): Target => (parts === 1 ? 0 : partsOf(walk, parts));

/** The dispatch that adds the parts, in a fixed order, so that results repeat. */
export function sumOfParts(walk: Walk, parts: number): Dispatch {
  const threads = 64;
  const terms = range(parts).map((part) => `r0(at${part === 0 ? "" : ` + ${u(part * walk.size)}`})`);
  return {
    name: `${walk.name}.reduce`,
    reads: [partsOf(walk, parts)],
    writes: [0],
    workgroupSize: [threads, 1, 1],
    workgroups: groups(Math.ceil(walk.size / threads)),
    body: lines(`let at = group * ${u(threads)} + lix;`, `if (at < ${u(walk.size)}) { w0(at, ${terms.join(" + ")}); }`),
  };
}
