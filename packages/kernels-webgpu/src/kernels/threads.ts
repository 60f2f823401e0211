import { type Dispatch, groups } from "../kernel.js";

/** One axis of an index: `size` steps of `stride` elements. */
export interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** A WGSL function `name(i) -> u32`: where element `i` of a row-major walk over `axes` lies. */
export function walk(name: string, axes: readonly Axis[]): string {
  if (axes.length === 0) return `fn ${name}(i: u32) -> u32 { return 0u; }\n`;
  const [outermost, ...others] = axes as [Axis, ...Axis[]];
  const steps = others
    .reverse()
    .map(({ size, stride }) => `  at += rest % ${size}u * ${stride}u;\n  rest /= ${size}u;\n`);
  return `fn ${name}(i: u32) -> u32 {
  var rest = i;
  var at = 0u;
${steps.join("")}  return at + rest * ${outermost.stride}u;
}
`;
}

/** Threads of a workgroup where each works alone: small ones spread a little work over the whole device. */
export const threadsFor = (count: number): number => (count < 65536 ? 64 : 256);

export interface Each extends Pick<Dispatch, "name" | "reads" | "writes" | "declarations"> {
  /** How many. */
  readonly count: number;
  /** Statements for number `i`. */
  readonly body: string;
}

/** A dispatch of one thread for each number `i` below `count`. */
export function each({ count, body, ...rest }: Each): Dispatch {
  const size = threadsFor(count);
  return {
    ...rest,
    workgroupSize: [size, 1, 1],
    workgroups: groups(Math.ceil(count / size)),
    body: `  let i = group * ${size}u + lix;\n  if (i >= ${count}u) { return; }\n${body}`,
  };
}
