import { DeviceError, hostTensor } from "@ocelli/core";
import { afterEach, describe, expect, it } from "vitest";
import { DeviceLostError, describeAdapter, webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { describeOnAdapter } from "./here.js";

const quiet = { onNotice: () => undefined };

describeOnAdapter("the device in a browser", () => {
  it("runs inside a worker", async () => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const result = await new Promise<{ adapter: string; losses: number[] }>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    worker.terminate();
    expect(result).toEqual({ adapter: (await describeAdapter()).name, losses: expect.any(Array) });
    expect(result.losses).toHaveLength(5);
    expect(result.losses[4]).toBeLessThan(result.losses[0]!);
  }, 60_000);

  it("that is lost ends reads in flight and all that comes later", async () => {
    const device = await webgpu(quiet);
    const state = await device.createState({ params: { w: hostTensor(new Float32Array(2 ** 20)) } });
    const read = state.read();
    await new Promise((resolve) => setTimeout(resolve, 0));
    gpuOf(device).device.destroy();
    await expect(read).rejects.toThrow(DeviceLostError);
    await expect(device.createState({ params: { w: hostTensor([1]) } })).rejects.toThrow(DeviceLostError);
    state.dispose();
    await device.dispose();
  });
});

describe("a page without WebGPU", () => {
  // Own properties hide those of Navigator's prototype.
  const put = (gpu: unknown): void => void Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  afterEach(() => {
    delete (navigator as { gpu?: unknown }).gpu;
  });

  it("is told what to do", async () => {
    put(undefined);
    const error = await webgpu(quiet).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toMatch(/this browser has no WebGPU\n {2}Use a current Chrome/);
  });

  it("or without an adapter", async () => {
    put({ requestAdapter: async () => null });
    const error = await webgpu(quiet).catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toMatch(/no adapter.*\n {2}Turn on hardware acceleration/);
  });
});
