import { type Device, DeviceError } from "@ocelli/core";
import { createDevice } from "@ocelli/core/backend";
import { platform } from "#platform";
import { type AdapterOptions, findAdapter, isSoftware, nameOf } from "./adapter.js";
import { webgpuBackend } from "./backend.js";
import type { OwnOps } from "./compile/ways.js";
import { Gpu } from "./gpu.js";
import { remember } from "./internals.js";
import type { Limits } from "./kernel.js";
import { measures, type TuneMode } from "./tune.js";

export interface WebGpuOptions extends AdapterOptions {
  /**
   * `auto` (default): float16 tensors lie in memory as such where the adapter has `shader-f16`; elsewhere as float32, rounded. `true`: mixed
   * precision besides: float32 activations and their gradients are kept as float16 between dispatches, while sums, statistics, parameters
   * and everything that leaves the device stay float32. Train with `lossScale: "dynamic"` then. An error without `shader-f16`.
   */
  readonly f16?: "auto" | boolean;
  /** Kernels or expressions for ops of your own. */
  readonly kernels?: OwnOps;
  /**
   * Whether kernels choose their tiles by measuring, at the first use of a shape. `auto` (default): on graphics cards, not on processors.
   * `always`: on both. `off`: never. Measuring takes about 2 seconds a program, 4 at most; what was found is remembered (in Node in a file
   * of the user's cache folder, in browsers in IndexedDB), what was not reached is measured with the next program. Choices differ in
   * rounding: two runs are equal to the bit with `off`, or once all their shapes are remembered in the same place.
   */
  readonly tune?: TuneMode;
  /** Times every dispatch: see {@link profileOf}. Runs are slower then, each waits for the one before. */
  readonly profile?: boolean;
  /** Bytes of compiled programs to keep when nobody uses them. Default: 512 MiB. */
  readonly cacheBytes?: number;
  /** Is told, once, when the adapter is a processor. Default: `console.info`. */
  readonly onNotice?: (line: string) => void;
}

/**
 * The device that runs graphs on WebGPU: in a page, in a worker, or in Node through the package `webgpu`.
 *
 * ```ts
 * await using device = await webgpu();
 * ```
 * @throws DeviceError without WebGPU, without an adapter, or when a feature that was asked for is missing
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<Device> {
  const adapter = await findAdapter(options);
  const name = nameOf(adapter);
  const isMeasured = measures(options.tune ?? "auto", adapter);
  const gpu = new Gpu(await openDevice(adapter, name, options.f16 ?? "auto"));
  if (isSoftware(adapter)) {
    const { onNotice = (line: string) => console.info(line) } = options;
    onNotice(`webgpu: ${name} is a software adapter. Results are right, speed is not.`);
  }
  const versions = platform.versions();
  const { kernels } = options;
  const own = kernels === undefined ? new Map() : (await import("./own-ops.js")).checkedOps(kernels);
  // Only who profiles pays for it.
  const profiling = options.profile === true ? await import("./profile.js") : undefined;
  const recorder = profiling === undefined ? undefined : new profiling.Recorder(gpu);
  const backend = webgpuBackend(gpu, {
    info: { name: "webgpu", adapter: name, versions },
    limits: limitsOf(adapter, gpu.device),
    f16: gpu.device.features.has("shader-f16"),
    mixed: options.f16 === true,
    own,
    tuning: { measures: isMeasured, adapter: JSON.stringify([name, versions]), store: platform.choices() },
    recorder,
  });
  const { cacheBytes } = options;
  const device = remember(createDevice(backend, cacheBytes === undefined ? {} : { cacheBytes }), gpu);
  if (recorder !== undefined) profiling?.attach(device, recorder);
  return device;
}

async function openDevice(adapter: GPUAdapter, name: string, f16: "auto" | boolean): Promise<GPUDevice> {
  if (f16 === true && !adapter.features.has("shader-f16")) {
    throw new DeviceError(
      `webgpu: f16 was asked for, but the adapter (${name}) has no shader-f16\n  Leave f16 at "auto", or pass an adapter that has it.`,
    );
  }
  const useful = ["subgroups", "timestamp-query", ...(f16 === false ? [] : (["shader-f16"] as const))] as const;
  const requiredFeatures = useful.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ label: "ocelli", requiredFeatures, requiredLimits: ownLimits(adapter) });
  } catch (error) {
    const reason = (error as Error).message.trim().split("\n")[0];
    const consumed = /consumed/.test(reason ?? "") ? "\n  An adapter gives one device: ask for another adapter." : "";
    throw new DeviceError(`webgpu: the adapter (${name}) refuses to give a device: ${reason}${consumed}`);
  }
}

const wanted = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
] as const;

/** The adapter's own limits: the defaults are meant for the smallest phone. */
function ownLimits({ limits }: GPUAdapter): Record<string, number> {
  return Object.fromEntries(wanted.map((name) => [name, limits[name]]));
}

function limitsOf(adapter: GPUAdapter, { limits, features }: GPUDevice): Limits {
  const { subgroupMinSize = 4, subgroupMaxSize = 128 } = adapter.info as Partial<GPUAdapterInfo>;
  return {
    invocations: limits.maxComputeInvocationsPerWorkgroup,
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    buffers: limits.maxStorageBuffersPerShaderStage,
    subgroups: features.has("subgroups") ? { min: subgroupMinSize, max: subgroupMaxSize } : undefined,
  };
}
