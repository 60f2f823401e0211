import type { Device } from "@ocelli/core";
import * as runtime from "onnxruntime-web/wasm";
import { type OnnxOptions, onnx } from "../src/index.js";

export { runtime };

/** Always two, which every machine that runs these tests has: the order of sums depends on the count. */
export const threads = 2;

/** The device on WebAssembly, in this page. */
export const onWasm = (options: OnnxOptions = {}): Promise<Device> => onnx({ runtime, threads, ...options });
