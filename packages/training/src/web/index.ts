export type { Checkpoint } from "../checkpoint.js";
export {
  checkpointSink,
  deleteCheckpoint,
  listCheckpoints,
  openCheckpointDirectory,
  readCheckpoint,
  type StoredCheckpoint,
  sweepCheckpoints,
  writeCheckpoint,
} from "./checkpoints.js";
export { StorageError, type StorageFailure } from "./storage-error.js";
