import type { DeviceInfo } from "@ocelli/core";
import type { Backend, ProgramGraph } from "@ocelli/core/backend";
import { compile } from "./compile/compile.js";
import { type OwnOps, Ways } from "./compile/ways.js";
import type { Gpu } from "./gpu.js";
import type { Limits } from "./kernel.js";
import { download, free, type Memory, StagingPool, upload } from "./memory.js";
import type { Recorder } from "./profile.js";
import { GpuProgram } from "./program.js";
import { Tuner, type TunerOptions } from "./tune.js";

export interface BackendOptions {
  readonly info: DeviceInfo;
  readonly limits: Limits;
  /** Whether buffers may hold f16. */
  readonly f16: boolean;
  /** Keep activations in half precision. */
  readonly mixed: boolean;
  /** Bytes that can be bound at once, where it should be less than the device's own. */
  readonly largest?: number;
  readonly own: OwnOps;
  readonly tuning: Pick<TunerOptions, "measures" | "adapter" | "store">;
  /** Times every dispatch. */
  readonly recorder?: Recorder | undefined;
}

/** Memory and compiler of the device. */
export function webgpuBackend(gpu: Gpu, options: BackendOptions): Backend<Memory> {
  const { info, limits, f16, mixed, own, tuning, recorder } = options;
  const ways = new Ways(own);
  const pool = new StagingPool(gpu);
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const largest = Math.min(options.largest ?? maxBufferSize, maxBufferSize, maxStorageBufferBindingSize);
  const tuner = new Tuner({ ...tuning, gpu, compile: { limits, f16, largest } });
  return {
    info,
    supports: (op) => ways.supports(op),
    upload: (host) => upload(gpu, host, f16, largest),
    download: (memory, spec) => download(gpu, pool, memory, spec),
    free: (memory) => free(gpu, memory),
    compile: async (graph: ProgramGraph) => {
      const plan = await tuner.plan((choose) => compile(graph, { ways, limits, f16, mixed, largest, choose }));
      return GpuProgram.create(gpu, pool, plan, maxBufferSize, recorder);
    },
    dispose: async () => {
      recorder?.dispose();
      await pool.dispose();
      gpu.dispose();
    },
  };
}
