/**
 * What a kernel is: WGSL for one op, in terms of functions that read its inputs and write its outputs. The functions are made by the
 * compiler, which may put other ops' arithmetic into them (fusion); a kernel never names a buffer.
 */
import type { Attrs, DType, Node, Spec } from "@ocelli/core";

/** What kernels may use of the device. */
export interface Limits {
  /** Invocations of a workgroup: at least 256. */
  readonly invocations: number;
  /** Bytes of workgroup memory: at least 16384. */
  readonly workgroupBytes: number;
  /** Storage buffers of one dispatch: at least 8. */
  readonly buffers: number;
  /** Whether `subgroupAdd` and its kin may be used, and between which sizes subgroups lie. */
  readonly subgroups?: { readonly min: number; readonly max: number } | undefined;
}

/** A processor that plays the card: it runs the subgroups of a workgroup one after the other, and pays for each barrier. */
export const isProcessor = ({ subgroups }: Limits): boolean => subgroups?.max === 4;

/** Where a kernel is to be used. */
export interface Site {
  readonly node: Node;
  readonly inputs: readonly Spec[];
  readonly outputs: readonly Spec[];
  readonly attrs: Attrs;
  readonly limits: Limits;
  /** Whether `inputs[i]` lies in memory as it is, so that four neighbours can be read at once. */
  readonly vectorizable: (input: number) => boolean;
}

/** Memory that lives from one dispatch of a kernel to a later one. */
export interface Temp {
  readonly temp: string;
  readonly dtype: DType;
  readonly size: number;
}

/** What `r0`, `r1` ... read: an input by its number, or temporary memory. With `width: 4`, the function reads vec4s: `r0(i)` is elements 4i to 4i+3. */
export type Source = number | Temp | { readonly input: number | Temp; readonly width: 4 };

/** What `w0`, `w1` ... write: an output by its number, or temporary memory. */
export type Target = number | Temp;

/**
 * One dispatch. Its WGSL may use:
 * - `rK(i: u32) -> T`: element i (row-major) of `reads[K]`, as f32, i32, u32 (uint8 too) or bool by the dtype (float16 as f32);
 * - `wK(i: u32, v: T)`: stores element i of `writes[K]`. Each element is written exactly once, by whichever invocation;
 * - `lid`, `wid`, `gid` (vec3u), `lix` (u32, index in the workgroup), `group` (u32, number of the workgroup, counted over x then y).
 *   With `subgroups: true` also `sgSize` and `sgLane` (u32).
 */
export interface Dispatch {
  /** Of the op or of the part: `conv2d`, `conv2dWeightGrad.reduce`. */
  readonly name: string;
  readonly reads: readonly Source[];
  readonly writes: readonly Target[];
  readonly workgroupSize: readonly [number, number, number];
  /** Each at most 65535; {@link groups} spreads many over x and y. */
  readonly workgroups: readonly [number, number, number];
  /** Module scope: workgroup variables, constants, functions. Names must not start with `r`, `w` or `b` and a digit. */
  readonly declarations?: string;
  /** Statements of the entry point. */
  readonly body: string;
  readonly subgroups?: boolean;
  /** Multiply-adds, for the profile. */
  readonly macs?: number;
}

/** How an op runs. `V` is a plain JSON value. */
export interface Kernel<V = unknown> {
  /**
   * For each input, whether what computes it may be computed anew at each read (`true`: it is read about once an element); left out or
   * false, the input lies in memory.
   */
  inlines?(node: Node): readonly boolean[];
  /** Ways to run it, the best guess first. A device that may measure takes the fastest. Left out: one way. */
  variants?(site: Site): readonly V[];
  dispatches(site: Site, variant: V): readonly Dispatch[];
}

/** Workgroups for `count` of them, when one dimension would not hold them: `group` counts on through y. */
export function groups(count: number): [number, number, number] {
  const most = 65535;
  if (count <= most) return [count, 1, 1];
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}
