export { type ClassScores, confusionMatrix, perClass } from "./confusion.js";
export { type RunningMean, runningMean } from "./running-mean.js";
export { topK } from "./top-k.js";
