export type { Checkpoint } from "../checkpoint.js";
export { writeAtomic } from "./atomic-write.js";
export * from "./cache.js";
export { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
export * from "./datasets.js";
export * from "./download.js";
export type { DatasetProgress, FetchOptions } from "./fetch-dataset.js";
export type { LoadedDataset } from "./load-source.js";
export { type RunConfig, RunDirectory } from "./run-directory.js";
