import type { Dispatch } from "../kernel.js";

export interface Binding {
  readonly name: string;
  /** `array<f32, 12>` */
  readonly type: string;
  readonly access: "read" | "read_write";
}

export interface ShaderParts extends Pick<Dispatch, "workgroupSize" | "declarations" | "body" | "subgroups"> {
  readonly bindings: readonly Binding[];
  /** Reading and writing functions, and what they call. */
  readonly functions: string;
  readonly f16: boolean;
}

/** The text of a compute shader with the entry point `main`. */
export function shader({
  bindings,
  functions,
  workgroupSize,
  declarations,
  body,
  subgroups,
  f16,
}: ShaderParts): string {
  const enables = [...(f16 ? ["enable f16;"] : []), ...(subgroups ? ["enable subgroups;"] : [])];
  const buffers = bindings.map(
    ({ name, type, access }, i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: ${type};`,
  );
  const lanes = subgroups
    ? "\n  @builtin(subgroup_size) sgSize: u32, @builtin(subgroup_invocation_id) sgLane: u32,"
    : "";
  return `${[...enables, ...buffers, functions.trim(), (declarations ?? "").trim()].filter((text) => text !== "").join("\n")}
@compute @workgroup_size(${workgroupSize.join(", ")})
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) nwg: vec3u, @builtin(local_invocation_id) lid: vec3u,
  @builtin(global_invocation_id) gid: vec3u, @builtin(local_invocation_index) lix: u32,${lanes}) {
  let group = wid.x + wid.y * nwg.x;
${body.trimEnd()}
}
`;
}
