/** For tests and measurements: what lies below a device. Not exported from the package. */
import type { Device } from "@ocelli/core";
import type { Gpu } from "./gpu.js";

const gpus = new WeakMap<Device, Gpu>();

export function remember(device: Device, gpu: Gpu): Device {
  gpus.set(device, gpu);
  return device;
}

export function gpuOf(device: Device): Gpu {
  return gpus.get(device) as Gpu;
}
