// ocelli in the benchmark of browser libraries: the ONNX device on onnxruntime-web's WebAssembly. `run.mjs` bundles it with our sources;
// the harness then adds onnxruntime-web.
import { onnx } from "@ocelli/kernels-cuda-onnx";
import * as runtime from "onnxruntime-web/wasm";
import { version } from "../../packages/kernels-cuda-onnx/package.json";
import { casesOn } from "./cases.mjs";

export const name = "ocelli";

let device;

export async function init() {
  runtime.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/";
  const threads = navigator.hardwareConcurrency;
  device = await onnx({ runtime, threads });
  const { "onnxruntime-web": below } = device.info.versions;
  return { version: `${version}, onnxruntime-web ${below}`, adapter: `wasm, ${runtime.env.wasm.numThreads} threads` };
}

export const cases = casesOn(() => device, { isResident: false });
