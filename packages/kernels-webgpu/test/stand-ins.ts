/** Adapters with one thing changed. */
import { platform } from "#platform";

/** A fresh adapter: each gives one device. */
export async function freshAdapter(): Promise<GPUAdapter> {
  const adapter = await (await platform.gpu()).requestAdapter();
  if (adapter === null) throw new Error("no WebGPU adapter");
  return adapter;
}

/** What `adapter` is, but for `changes`. */
export function changed(adapter: GPUAdapter, changes: Partial<GPUAdapter>): GPUAdapter {
  const { features, limits, info } = adapter;
  const requestDevice = (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => adapter.requestDevice(descriptor);
  return { features, limits, info, requestDevice, ...changes } as GPUAdapter;
}

/** An adapter that has no more than what WebGPU promises everywhere: no features, 8 buffers, 16 KiB of workgroup memory ... */
export async function withDefaultLimits(): Promise<GPUAdapter> {
  const device = await (await freshAdapter()).requestDevice();
  const { limits } = device;
  device.destroy();
  return changed(await freshAdapter(), { limits, features: new Set() as unknown as GPUSupportedFeatures });
}
