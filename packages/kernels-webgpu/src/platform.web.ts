import { DeviceError } from "@ocelli/core";
import type { Platform } from "./platform.js";
import { databaseChoices } from "./tune-store.web.js";

async function find(): Promise<GPU> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (gpu !== undefined) return gpu;
  const insecure = globalThis.isSecureContext === false;
  throw new DeviceError(
    insecure
      ? "webgpu: browsers offer WebGPU on https and on localhost; this page is on neither\n  Serve it over https."
      : "webgpu: this browser has no WebGPU\n  Use a current Chrome, Edge, Safari or Firefox, or run on WebAssembly: onnx({ runtime }) of @ocelli/kernels-cuda-onnx.",
  );
}

const noAdapter = (): string =>
  "Turn on hardware acceleration in the browser's settings and update the card's driver (chrome://gpu says what is wrong). Chrome on Linux may need the flags --enable-unsafe-webgpu --enable-features=Vulkan. Or run on WebAssembly: onnx({ runtime }) of @ocelli/kernels-cuda-onnx.";

export const platform: Platform = { gpu: find, noAdapter, choices: () => databaseChoices(), versions: () => ({}) };
