/**
 * A run that does nothing but save: goes on from the checkpoint NAME of the folder DIRECTORY (both in this script's address), and writes one
 * after the other until its worker or page is torn down. Says on the channel DIRECTORY when each begins.
 */
import { hostTensor } from "@ocelli/core";
import { freshProgress } from "../src/fit.js";
import {
  type Checkpoint,
  listCheckpoints,
  openCheckpointDirectory,
  readCheckpoint,
  writeCheckpoint,
} from "../src/web/index.js";

export interface Said {
  readonly name: string;
  /** Another one for each worker and page. */
  readonly life: number;
  readonly writing?: number;
  readonly error?: string;
}

/** Every value says which step it is of, so that a mixture is seen. 4 MB: long enough to be torn. */
export function checkpointOf(step: number): Checkpoint {
  const half = () => hostTensor(new Float32Array(500_000).fill(step));
  return { values: { params: { w: half() }, optimizer: { w: half() } }, progress: { ...freshProgress, step } };
}

/** The step of a stored checkpoint of {@link checkpointOf}. @throws Error when it is not whole */
export async function wholeStep(directory: FileSystemDirectoryHandle, name: string): Promise<number> {
  const { values, progress } = await readCheckpoint(directory, name);
  for (const tensor of [values.params?.w, values.optimizer?.w]) {
    if (tensor?.data.length !== 500_000 || !tensor.data.every((value) => value === progress.step))
      throw new Error(`${name} is a mixture; it says that it is of step ${progress.step}`);
  }
  return progress.step;
}

async function write(
  directoryName: string,
  name: string,
  say: (said: Pick<Said, "writing" | "error">) => void,
): Promise<void> {
  const directory = await openCheckpointDirectory(directoryName);
  const stored = (await listCheckpoints(directory)).some((checkpoint) => checkpoint.name === name);
  const from = stored ? await wholeStep(directory, name) : 0;
  for (let step = from + 1; ; step++) {
    say({ writing: step });
    await writeCheckpoint(directory, name, checkpointOf(step));
  }
}

const { searchParams } = new URL(import.meta.url);
const [directory, name] = [searchParams.get("directory"), searchParams.get("name")];
// The tests import this file as well.
if (directory !== null && name !== null) {
  const channel = new BroadcastChannel(directory);
  const life = Math.random();
  const say = (said: Pick<Said, "writing" | "error">) => channel.postMessage({ name, life, ...said });
  write(directory, name, say).catch((error: unknown) => say({ error: String(error) }));
}
