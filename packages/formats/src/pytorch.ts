/** The files of `torch.save`: https://pytorch.org/docs/stable/notes/serialization.html */
export { readPyTorch } from "./pytorch/read.js";
export { stateDictOf, stateDictPlaces } from "./pytorch/state-dict.js";
export type { PyTorchDict, PyTorchValue } from "./pytorch/value.js";
export { writePyTorch } from "./pytorch/write.js";
