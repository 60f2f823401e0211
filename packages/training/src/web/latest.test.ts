import { ArgumentError, hostTensor } from "@ocelli/core";
import { expect, test } from "vitest";
import { encodeCheckpoint } from "../checkpoint.js";
import { freshProgress } from "../fit.js";
import { readLatestCheckpoint } from "./checkpoints.js";

interface Kept {
  /** Where the checkpoint stands. */
  readonly step: number;
  /** Milliseconds. */
  readonly modified: number;
}

/** A folder of the site's storage, as far as it is read. */
function folder(kept: Readonly<Record<string, Kept>>): FileSystemDirectoryHandle {
  const files = Object.entries(kept).map(([kind, { step, modified }]) => {
    const values = { params: { w: hostTensor([step]) } };
    const bytes = encodeCheckpoint({ values, progress: { ...freshProgress, step } });
    const name = `${kind}.safetensors`;
    return new File([new Uint8Array(bytes)], name, { lastModified: modified });
  });
  const handle = (file: File) => ({ kind: "file", name: file.name, getFile: async () => file });
  const found = {
    name: "checkpoints-test",
    values: () => files.map(handle).values(),
    getFileHandle: async (name: string) => {
      const file = files.find((one) => one.name === name);
      if (file === undefined) throw new DOMException("", "NotFoundError");
      return handle(file);
    },
  };
  // What reading checkpoints asks of a folder, and no more.
  return found as unknown as FileSystemDirectoryHandle;
}

test.each([
  ["a run of which only the first save is there", { last: { step: 0, modified: 1 } }, 0],
  [
    "a kill between the first epoch's best and its last",
    { last: { step: 0, modified: 1 }, best: { step: 9, modified: 2 } },
    9,
  ],
  ["a last one that is missing", { best: { step: 9, modified: 2 } }, 9],
  ["an epoch that was no better", { best: { step: 9, modified: 2 }, last: { step: 18, modified: 3 } }, 18],
  ["two files of one moment", { best: { step: 9, modified: 3 }, last: { step: 18, modified: 3 } }, 18],
])("%s: it goes on from what stands furthest", async (_, kept, step) => {
  const { progress, values } = await readLatestCheckpoint(folder(kept as Readonly<Record<string, Kept>>));
  expect(progress.step).toBe(step);
  expect(values.params?.w?.data[0]).toBe(step);
});

test("a folder without any says so", async () => {
  await expect(readLatestCheckpoint(folder({}))).rejects.toThrow(ArgumentError);
});
