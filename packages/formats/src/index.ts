export { type FileDType, type FileTensor, fileDTypeBytes, fromHostTensor, toHostTensor } from "./file-tensor.js";
export * from "./pytorch.js";
export { blobSource, bytesSource, type RandomAccess } from "./random-access.js";
export * from "./safetensors.js";
