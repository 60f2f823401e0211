/** The safetensors format: https://github.com/huggingface/safetensors#format */
export type { TensorEntry as SafetensorsTensorEntry } from "./safetensors/header.js";
export {
  openSafetensors,
  type ReadOptions,
  readSafetensors,
  type SafetensorsContents,
  SafetensorsFile,
} from "./safetensors/read.js";
export { type SafetensorsEntry, writeSafetensors, writeSafetensorsStream } from "./safetensors/write.js";
