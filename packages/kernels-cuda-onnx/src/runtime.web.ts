import { DeviceError } from "@ocelli/core";
import type { Platform, Runtime } from "./runtime.js";

const packageName = "onnxruntime-web";

async function load(): Promise<Runtime> {
  try {
    return (await import("onnxruntime-web")) as unknown as Runtime;
  } catch (error) {
    throw new DeviceError(
      `onnx: cannot load ${packageName} (${(error as Error).message}). Add it: npm install ${packageName}`,
    );
  }
}

export const platform: Platform = {
  packageName,
  load,
  adapter: "WebAssembly",
  threads: undefined,
  cuda: () => ({ found: false, reason: "browsers have no CUDA" }),
};
