// ocelli in the benchmark of browser libraries: the WebGPU device. `run.mjs` bundles it with our sources.
import { webgpu } from "@ocelli/kernels-webgpu";
import { version } from "../../packages/kernels-webgpu/package.json";
import { casesOn } from "./cases.mjs";

export const name = "ocelli";

let device;

export async function init() {
  device = await webgpu();
  return { version: `${version} WebGPU`, adapter: device.info.adapter };
}

export const cases = casesOn(() => device, { isResident: true });
