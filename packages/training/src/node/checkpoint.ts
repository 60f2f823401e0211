import { readFile } from "node:fs/promises";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../checkpoint.js";
import { writeAtomic } from "./atomic-write.js";

/** Writes a checkpoint; a kill at any moment leaves the old file or the new one. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeAtomic(path, encodeCheckpoint(checkpoint));
}

/** Reads a checkpoint. @throws FormatError when the file is damaged or something else */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readFile(path), path);
}
