export { reference } from "./device.js";
export { type EvaluateOptions, type Evaluation, evaluate, type Feeds, prepare } from "./evaluate.js";
export type { ReferenceKernel, Values } from "./kernel.js";
