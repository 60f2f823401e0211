export { type OnnxOptions, onnx } from "./device.js";
export type { Provider, Runtime } from "./runtime.js";
