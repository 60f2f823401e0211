export type { Checkpoint } from "../checkpoint.js";
export type { LoadedDataset } from "../data/source-files.js";
export {
  checkpointSink,
  deleteCheckpoint,
  listCheckpoints,
  openCheckpointDirectory,
  readCheckpoint,
  readLatestCheckpoint,
  type StoredCheckpoint,
  sweepCheckpoints,
  writeCheckpoint,
} from "./checkpoints.js";
export { type ImageFiles, type ImageFilesOptions, imageFiles } from "./image-files.js";
export { directoryFiles, droppedFiles, type LocatedFile, type WalkOptions } from "./located.js";
export { type StandardSet, standardSet } from "./standard-set.js";
export { StorageError, type StorageFailure } from "./storage-error.js";
export { type StoreOptions, type StoreProgress, storeFiles } from "./store-files.js";
