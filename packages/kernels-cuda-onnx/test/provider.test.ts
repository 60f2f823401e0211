import { DeviceError } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { onnx } from "../src/index.js";
import { writesInPlace } from "../src/placement.js";
import type { Runtime } from "../src/runtime.js";
import { platform } from "../src/runtime.node.js";
import { wrapped } from "../src/session.js";

describe("providers", () => {
  const library = platform.cuda();

  it.skipIf(library.found)("names the missing file and the command that adds it, when CUDA is asked for", async () => {
    await expect(onnx({ provider: "cuda" })).rejects.toThrow(DeviceError);
    if (library.found || library.remedy === undefined) return;
    await expect(onnx({ provider: "cuda" })).rejects.toThrow(library.reason);
    await expect(onnx({ provider: "cuda" })).rejects.toThrow(/install\.js --onnxruntime-node-install=cuda12/);
  });

  it.skipIf(library.found)("falls back to the processor and says why, once", async () => {
    const lines: string[] = [];
    for (let i = 0; i < 2; i++) {
      const device = await onnx({ onNotice: (line) => lines.push(line) });
      expect(device.info.name).toBe("onnx-cpu");
      await device.dispose();
    }
    expect(lines.length).toBe(library.found || library.remedy === undefined ? 0 : 1);
  });

  it("describes itself", async () => {
    const device = await onnx({ provider: "cpu", threads: 1 });
    expect(device.info.threads).toBe(1);
    expect(device.info.adapter.length).toBeGreaterThan(0);
    expect(device.info.versions["onnxruntime-node"]).toMatch(/^\d+\.\d+/);
    await device.dispose();
  });

  it("finds the module and op in a runtime's error", () => {
    const message =
      "Non-zero status code returned while running Conv node. Name:'layer1.0.conv1/conv2d:12' Status Message: no";
    const error = wrapped("onnx: a run failed", new Error(message));
    expect(error.fields).toMatchObject({ scope: "layer1.0.conv1", op: "conv2d" });
    expect(error.message).toContain("at layer1.0.conv1  conv2d");
  });
});

describe("placement", () => {
  const options = { provider: "cpu", threads: 1, optimize: false } as const;

  it("is in place in Node", async () => {
    expect(await writesInPlace(await platform.load(), options)).toBe(true);
  });

  it("is fresh on WebAssembly", async () => {
    const web = (await import("onnxruntime-web")) as unknown as Runtime;
    if (web.env.wasm !== undefined) web.env.wasm.numThreads = 1;
    expect(await writesInPlace(web, options)).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, 100_000])("refuses %d threads", async (threads) => {
    await expect(onnx({ provider: "cpu", threads })).rejects.toThrow(
      /onnx: threads is .*; it needs an integer from 1 to 256/,
    );
  });
});
