/** Opening a device, and every way in which that fails. */
import { add, constant, DeviceError, DisposedError, hostTensor, item, mul, sum, toNumbers } from "@ocelli/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { platform } from "#platform";
import { describeAdapter, webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { platform as web } from "../src/platform.web.js";
import { describeOnAdapter } from "./adapter.js";
import { changed, freshAdapter, withDefaultLimits } from "./stand-ins.js";

const quiet = { onNotice: () => undefined };

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(DeviceError);
  return error;
}

describe("without WebGPU", () => {
  it("names the package to add, in Node", async () => {
    vi.resetModules();
    vi.doMock("webgpu", () => {
      throw new Error("Cannot find package 'webgpu'");
    });
    const { platform: bare } = await import("../src/platform.node.js");
    const error = await bare.gpu().catch((reason: unknown) => reason as Error);
    expect((error as Error).message).toMatch(/^webgpu: WebGPU in Node comes from .* cannot be loaded/);
    expect((error as Error).message).toMatch(/\n {2}Add it: npm install webgpu$/);
    vi.doUnmock("webgpu");
    vi.resetModules();
  });

  it("says what else there is, in a browser", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", true);
    expect((await failure(web.gpu())).message).toMatch(/this browser has no WebGPU\n {2}Use a current Chrome.*onnx/);
  });

  it("says that a page is insecure", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", false);
    expect((await failure(web.gpu())).message).toMatch(/https and on localhost; this page is on neither/);
  });
});

describe("without an adapter", () => {
  it("says what to install", async () => {
    vi.spyOn(platform, "gpu").mockResolvedValue({ requestAdapter: async () => null } as unknown as GPU);
    const { message } = await failure(webgpu(quiet));
    expect(message).toMatch(/^webgpu: there is WebGPU, but no adapter/);
    expect(message).toContain(platform.noAdapter());
    expect((await failure(describeAdapter())).message).toBe(message);
    expect(web.noAdapter()).toMatch(/--enable-unsafe-webgpu/);
  });

  it("passes a preference on", async () => {
    const requestAdapter = vi.fn(async () => null);
    vi.spyOn(platform, "gpu").mockResolvedValue({ requestAdapter } as unknown as GPU);
    await failure(webgpu({ ...quiet, powerPreference: "low-power" }));
    expect(requestAdapter).toHaveBeenCalledWith({ powerPreference: "low-power" });
  });
});

describeOnAdapter("an adapter", () => {
  it("is described", async () => {
    const report = await describeAdapter();
    expect(report.name).not.toBe("");
    expect(report.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
    expect(report.limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
  });

  it("that is a processor is announced once, by name", async () => {
    const adapter = changed(await freshAdapter(), {
      info: { vendor: "mesa", architecture: "", device: "", description: "llvmpipe (LLVM 15)" } as GPUAdapterInfo,
    });
    const lines: string[] = [];
    const device = await webgpu({ adapter, onNotice: (line) => lines.push(line) });
    expect(lines).toEqual([expect.stringMatching(/^webgpu: mesa llvmpipe \(LLVM 15\) is a software adapter/)]);
    expect(device.info).toMatchObject({ name: "webgpu", adapter: "mesa llvmpipe (LLVM 15)" });
    await device.dispose();
  });

  it("that is a card is not", async () => {
    const info = { vendor: "nvidia", architecture: "ampere", device: "", description: "", isFallbackAdapter: false };
    const adapter = changed(await freshAdapter(), { info: info as GPUAdapterInfo });
    const onNotice = vi.fn();
    const device = await webgpu({ adapter, onNotice });
    expect(onNotice).not.toHaveBeenCalled();
    await device.dispose();
  });

  it("without shader-f16 is an error only where f16 was asked for", async () => {
    const plain = changed(await freshAdapter(), { features: new Set() as unknown as GPUSupportedFeatures });
    const { message } = await failure(webgpu({ ...quiet, adapter: plain, f16: true }));
    expect(message).toMatch(
      /^webgpu: f16 was asked for, but the adapter \(.+\) has no shader-f16\n {2}Leave f16 at "auto"/,
    );
    const device = await webgpu({ ...quiet, adapter: plain, f16: "auto" });
    const half = hostTensor([1.5, 0.1], [2], "float16");
    const [result] = await device.run([add(constant(half), constant(half))]);
    expect(result?.dtype).toBe("float16");
    expect(toNumbers(result!)[1]).toBeCloseTo(0.2, 3);
    await device.dispose();
  });

  it("without a feature is never asked for it", async () => {
    const adapter = await withDefaultLimits();
    const requestDevice = vi.spyOn(adapter, "requestDevice");
    const device = await webgpu({ ...quiet, adapter });
    expect(requestDevice.mock.calls[0]?.[0]?.requiredFeatures).toEqual([]);
    expect(gpuOf(device).device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    await device.dispose();
  });

  it("gives all it has", async () => {
    const adapter = await freshAdapter();
    const { maxBufferSize } = adapter.limits;
    const device = await webgpu({ ...quiet, adapter });
    expect(gpuOf(device).device.limits.maxBufferSize).toBe(maxBufferSize);
    await device.dispose();
  });

  it("that refuses is named, and what to do", async () => {
    const adapter = await freshAdapter();
    const device = await webgpu({ ...quiet, adapter });
    const { message } = await failure(webgpu({ ...quiet, adapter }));
    expect(message).toMatch(
      /^webgpu: the adapter \(.+\) refuses to give a device: .*\n {2}An adapter gives one device/,
    );
    await device.dispose();
  });
});

describeOnAdapter("devices", () => {
  it("work beside each other, and after one is gone", async () => {
    const [a, b] = await Promise.all([webgpu(quiet), webgpu(quiet)]);
    const square = (value: number) => sum(mul(constant(hostTensor([value])), constant(hostTensor([value]))));
    const both = await Promise.all([a.run([square(3)]), b.run([square(4)])]);
    expect(both.map(([result]) => item(result!))).toEqual([9, 16]);
    await a.dispose();
    expect(item((await b.run([square(5)]))[0]!)).toBe(25);
    await b.dispose();
  });

  it("cannot be used once disposed of, and say so", async () => {
    const device = await webgpu(quiet);
    const state = await device.createState({ params: { w: hostTensor([1]) } });
    const program = await device.compile({ inputs: {}, build: () => ({ outputs: { y: constant(hostTensor([1])) } }) });
    await device.dispose();
    await device.dispose();
    await expect(device.run([constant(hostTensor([1]))])).rejects.toThrow(DisposedError);
    await expect(device.createState({})).rejects.toThrow(DisposedError);
    await expect(program.run({})).rejects.toThrow(DisposedError);
    expect(() => state.read()).toThrow(DisposedError);
    state.dispose();
    program[Symbol.dispose]();
  });
});
