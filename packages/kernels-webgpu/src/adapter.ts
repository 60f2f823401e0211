import { DeviceError } from "@ocelli/core";
import { platform } from "#platform";

export interface AdapterOptions {
  /** An adapter of your own. Default: asked for. */
  readonly adapter?: GPUAdapter;
  /** Which card to ask for where there are several. */
  readonly powerPreference?: GPUPowerPreference;
}

/** What there is to run on. */
export interface AdapterReport {
  readonly name: string;
  /** Whether the processor plays the graphics card: right, but slow. */
  readonly software: boolean;
  /** All that it offers; this device uses `shader-f16`, `subgroups` and `timestamp-query`. */
  readonly features: readonly string[];
  readonly limits: {
    readonly maxBufferSize: number;
    readonly maxStorageBufferBindingSize: number;
    readonly maxStorageBuffersPerShaderStage: number;
    readonly maxComputeInvocationsPerWorkgroup: number;
    readonly maxComputeWorkgroupStorageSize: number;
  };
}

/** The adapter that `webgpu()` would take. @throws DeviceError without WebGPU or without an adapter */
export async function describeAdapter(options: AdapterOptions = {}): Promise<AdapterReport> {
  const adapter = await findAdapter(options);
  const { limits } = adapter;
  return {
    name: nameOf(adapter),
    software: isSoftware(adapter),
    features: [...adapter.features].sort(),
    limits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    },
  };
}

export async function findAdapter({ adapter, powerPreference }: AdapterOptions): Promise<GPUAdapter> {
  if (adapter !== undefined) return adapter;
  const gpu = await platform.gpu();
  const found = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (found !== null) return found;
  throw new DeviceError(
    `webgpu: there is WebGPU, but no adapter (a graphics card with its driver)\n  ${platform.noAdapter()}`,
  );
}

export function nameOf({ info }: Pick<GPUAdapter, "info">): string {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter((part) => part !== "");
  return parts.join(" ") || "unknown";
}

const software = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

export function isSoftware(adapter: Pick<GPUAdapter, "info">): boolean {
  // Browsers of 2024 have it on the adapter itself. A processor that was asked for by name counts as no fallback: hence the names.
  const { isFallbackAdapter = false } = adapter as { readonly isFallbackAdapter?: boolean };
  return isFallbackAdapter || adapter.info.isFallbackAdapter === true || software.test(nameOf(adapter));
}
