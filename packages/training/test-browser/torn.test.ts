/** Pages and workers that die while they write. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { listCheckpoints, openCheckpointDirectory, readCheckpoint, sweepCheckpoints } from "../src/web/index.js";
import { freshDirectory, rawFiles } from "./storage.js";
import { type Said, wholeStep } from "./writer.js";

const folder = "torn";
let directory: FileSystemDirectoryHandle;
let channel: BroadcastChannel;
/** The last that each writer said. */
const said = new Map<string, Said>();
let heard: (now: Said) => void = () => undefined;

beforeEach(async () => {
  directory = await freshDirectory(folder);
  said.clear();
  channel = new BroadcastChannel(folder);
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    said.set(data.name, data);
    heard(data);
  };
});
afterEach(() => channel.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with what the writer says first that `start` starts. */
function begun(name: string, start: () => void): Promise<Said> {
  const before = said.get(name)?.life;
  return new Promise((resolve) => {
    heard = (now) => {
      if (now.name === name && now.life !== before) resolve(now);
    };
    start();
  });
}

/** Of the script that goes on from checkpoint `name`. */
function writer(name: string): URL {
  const url = new URL("./writer.ts", import.meta.url);
  url.search = new URLSearchParams({ directory: folder, name }).toString();
  return url;
}

/** Steps that may be stored, whole, when the writer has died: it says so before it writes one, and what it said last may be lost. */
async function possible(name: string): Promise<number[]> {
  // What it said is still on its way.
  await pause(30);
  const { error, writing = 0 } = said.get(name) as Said;
  expect(error).toBeUndefined();
  return [writing - 1, writing, writing + 1];
}

/** 0: none. */
async function storedStep(name: string): Promise<number> {
  const stored = await listCheckpoints(directory);
  return stored.some((checkpoint) => checkpoint.name === name) ? wholeStep(directory, name) : 0;
}

describe("a writer that dies at a random moment leaves the old checkpoint or the new one, whole", () => {
  it("as a worker that is terminated", async () => {
    let unfinished = 0;
    for (let i = 0; i < 18; i++) {
      // Every sixth time under a new name: there, nothing is the old checkpoint.
      const name = `worker-${Math.floor(i / 6)}`;
      let worker: Worker | undefined;
      await begun(name, () => {
        worker = new Worker(writer(name), { type: "module" });
      });
      // A write takes about 20 ms.
      await pause(Math.random() * 100);
      worker?.terminate();
      // At once: what the worker had begun may be going on.
      const step = await storedStep(name);
      const steps = await possible(name);
      expect(steps).toContain(step);
      if (step === steps[0]) unfinished++;
    }
    // Otherwise nothing was torn, and the test says nothing.
    expect(unfinished).toBeGreaterThan(3);
    await sweepCheckpoints(directory);
    for (const [file, size] of await rawFiles(directory)) {
      expect(file).toMatch(/^worker-\d\.safetensors$/);
      expect(size).toBeGreaterThan(4_000_000);
    }
  }, 120_000);

  it("as a page that is reloaded", async () => {
    const frame = document.createElement("iframe");
    onTestFinished(() => frame.remove());
    frame.srcdoc = `<script type="module" src="${writer("page").href.replaceAll("&", "&amp;")}"></script>`;
    await begun("page", () => document.body.append(frame));
    for (let i = 0; i < 5; i++) {
      await pause(Math.random() * 100);
      let before: Promise<number[]> | undefined;
      const { error, writing = 0 } = await begun("page", () => {
        frame.contentWindow?.location.reload();
        before = possible("page");
      });
      // The new page goes on from what the old one left, and fails where that is no whole checkpoint.
      expect(error).toBeUndefined();
      expect(await before).toContain(writing - 1);
    }
    frame.remove();
    const step = await storedStep("page");
    expect(await possible("page")).toContain(step);
  }, 60_000);
});

describe("leftovers", () => {
  it("are cleaned up, and what is being written is left alone", async () => {
    const touch = async (file: string, size: number) => {
      const stream = await (await directory.getFileHandle(file, { create: true })).createWritable();
      await stream.write(new Uint8Array(size));
      await stream.close();
    };
    // As a browser that was killed leaves them.
    await touch("new.safetensors", 0);
    await touch("new.safetensors.crswap", 1000);
    await touch("last.safetensors", 20);
    await touch("last.safetensors.1.crswap", 0);
    await touch("notes.txt", 0);
    expect((await listCheckpoints(directory)).map(({ name }) => name)).toEqual(["last"]);
    await expect(readCheckpoint(directory, "new")).rejects.toThrow(/no such checkpoint; the folder holds last/);

    // Another tab's, by its lock; and that of a program without our locks, by the browser's own.
    await touch("busy.safetensors.crswap", 5);
    const foreign = await (await directory.getFileHandle("foreign.safetensors", { create: true })).createWritable();
    await foreign.write(new Uint8Array(7));
    await navigator.locks.request(`ocelli-checkpoint:${folder}/busy`, () => openCheckpointDirectory(folder));
    expect(await rawFiles(directory)).toEqual([
      ["busy.safetensors.crswap", 5],
      ["foreign.safetensors", 0],
      ["foreign.safetensors.crswap", 7],
      ["last.safetensors", 20],
      ["notes.txt", 0],
    ]);
    await foreign.close();
    await openCheckpointDirectory(folder);
    expect(await rawFiles(directory)).toEqual([
      ["foreign.safetensors", 7],
      ["last.safetensors", 20],
      ["notes.txt", 0],
    ]);
  });
});
