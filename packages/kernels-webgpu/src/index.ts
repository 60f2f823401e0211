export { type AdapterOptions, type AdapterReport, describeAdapter } from "./adapter.js";
export type { OwnOps } from "./compile/ways.js";
export { type WebGpuOptions, webgpu } from "./device.js";
export { DeviceLostError, OutOfMemoryError, ShaderError } from "./errors.js";
export {
  type Dispatch,
  groups,
  type Kernel,
  type Limits,
  type Site,
  type Source,
  type Target,
  type Temp,
} from "./kernel.js";
export { type Profile, type ProfileEvent, type ProfileRow, profileOf } from "./profile.js";
export { chromeTrace, type FormatProfileOptions, formatProfile } from "./trace.js";
export type { TuneMode } from "./tune.js";
export type { Expression } from "./wgsl/expressions.js";
export type { MathFunction } from "./wgsl/math.js";
