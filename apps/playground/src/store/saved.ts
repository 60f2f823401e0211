import type { StateDict } from "@ocelli/core";
import type { Progress } from "@ocelli/training";
import { readWeights, valuesFor } from "./import.js";
import { existingNetwork, readNetwork, type SavedNetwork } from "./networks.js";
import type { SavedSource } from "./source.js";

/** What is known of a network that is kept or held. @throws ArgumentError when it is gone; StorageError */
export const aboutSaved = async ({ id, held }: SavedSource): Promise<SavedNetwork> =>
  held?.about ?? existingNetwork(id);

/**
 * Its values: see `readNetwork`. Of one that is held there is no training that could go on.
 * @throws ArgumentError when it is gone; FormatError, StateError, StorageError
 */
export async function readSaved(
  { id, held }: SavedSource,
  wanted: "last" | "best",
): Promise<{ readonly values: StateDict; readonly progress?: Progress }> {
  if (held === undefined) return readNetwork(id, wanted);
  const { about, file } = held;
  const read = await readWeights(new Uint8Array(await file.arrayBuffer()), `${about.title}.safetensors`);
  return { values: valuesFor(read, about.spec) };
}
