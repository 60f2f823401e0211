import { crossEntropyPerSample, type Device, FormatError, flattenState, hostTensor, type State } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, ReLU, Sequential } from "@ocelli/layers";
import { adam, digits, type FitResult, fit, freshProgress, normalize } from "@ocelli/training";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { cdp } from "vitest/browser";
import {
  type Checkpoint,
  checkpointSink,
  deleteCheckpoint,
  listCheckpoints,
  openCheckpointDirectory,
  readCheckpoint,
  StorageError,
  writeCheckpoint,
} from "../src/web/index.js";
import { pinned, pinnedBytes } from "./pinned.js";
import { freshDirectory, rawFiles } from "./storage.js";
import { checkpointOf, wholeStep } from "./writer.js";

let directory: FileSystemDirectoryHandle;
beforeEach(async () => {
  directory = await freshDirectory("checkpoints-test");
});

async function put(file: string, bytes: Uint8Array): Promise<void> {
  const stream = await (await directory.getFileHandle(file, { create: true })).createWritable();
  await stream.write(bytes as Uint8Array<ArrayBuffer>);
  await stream.close();
}

async function bytesOf(file: string): Promise<Uint8Array> {
  return new Uint8Array(await (await (await directory.getFileHandle(file)).getFile()).arrayBuffer());
}

const stepOf = async (name: string): Promise<number> => (await readCheckpoint(directory, name)).progress.step;

/** The directory, but what its files are written through behaves as `write` says. */
function writtenBy(write: (stream: FileSystemWritableFileStream, bytes: Uint8Array) => Promise<void>) {
  return {
    name: directory.name,
    removeEntry: (file: string) => directory.removeEntry(file),
    getFileHandle: async (file: string, options?: FileSystemGetFileOptions) => {
      const handle = await directory.getFileHandle(file, options);
      return {
        getFile: () => handle.getFile(),
        createWritable: async () => {
          const stream = await handle.createWritable();
          return {
            write: (bytes: Uint8Array) => write(stream, bytes),
            close: () => stream.close(),
            abort: () => stream.abort(),
          };
        },
      };
    },
  } as unknown as FileSystemDirectoryHandle;
}

async function failure(doing: Promise<unknown>): Promise<StorageError> {
  const error: unknown = await doing.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
}

describe("checkpoints in the browser", () => {
  it("come back as they were, and replace one another", async () => {
    await writeCheckpoint(directory, "last", checkpointOf(1));
    await writeCheckpoint(directory, "last", pinned);
    expect(await readCheckpoint(directory, "last")).toEqual(pinned);
    expect(await rawFiles(directory)).toEqual([["last.safetensors", pinnedBytes.length]]);
  });

  it("are the bytes that Node writes, and Node's are read", async () => {
    await writeCheckpoint(directory, "ours", pinned);
    expect(await bytesOf("ours.safetensors")).toEqual(pinnedBytes);
    await put("theirs.safetensors", pinnedBytes);
    expect(await readCheckpoint(directory, "theirs")).toEqual(pinned);
  });

  it("are listed, the newest first, and deleted", async () => {
    expect(await listCheckpoints(directory)).toEqual([]);
    for (const name of ["last", "best", "Épreuve 1.5"]) {
      await writeCheckpoint(directory, name, pinned);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const stored = await listCheckpoints(directory);
    expect(stored.map(({ name }) => name)).toEqual(["Épreuve 1.5", "best", "last"]);
    expect(stored[0]?.bytes).toBe(pinnedBytes.length);
    expect(Math.abs((stored[0]?.modified.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    await deleteCheckpoint(directory, "best");
    await deleteCheckpoint(directory, "best");
    expect((await listCheckpoints(directory)).map(({ name }) => name)).toEqual(["Épreuve 1.5", "last"]);
    await expect(readCheckpoint(directory, "best")).rejects.toThrow(
      "reading checkpoints-test/best.safetensors: there is no such checkpoint; the folder holds Épreuve 1.5, last",
    );
  });

  it.each(["", ".", "../x", "a/b", "a\\b", "a:b", " a"])("refuse the name %j", async (name) => {
    await expect(writeCheckpoint(directory, name, pinned)).rejects.toThrow(/the name is .* it needs letters/);
    await expect(readCheckpoint(directory, name)).rejects.toThrow(/the name is/);
  });

  it("say which file is damaged and what to do", async () => {
    const remedy = /last\.safetensors.*read another checkpoint .*and delete this one \(deleteCheckpoint\)/;
    for (let length = 1; length < pinnedBytes.length; length += 23) {
      await put("last.safetensors", pinnedBytes.subarray(0, length));
      const read = readCheckpoint(directory, "last");
      await expect(read).rejects.toThrow(FormatError);
      await expect(read).rejects.toThrow(remedy);
    }
    await put("last.safetensors", new TextEncoder().encode("hello, this is text"));
    await expect(readCheckpoint(directory, "last")).rejects.toThrow(remedy);
  });
});

describe("a run", () => {
  const build = () =>
    new Sequential(
      new Conv2d(1, 3, { kernelSize: 5, stride: 4 }),
      new BatchNorm2d(3),
      new ReLU(),
      new Flatten(),
      new Dropout(0.2),
      new Linear(108, 10),
    );
  const train = digits({ count: 40 });
  const device = (): Promise<Device> => reference({ precision: "float32" });

  async function run(
    on: Device,
    state: State,
    { from, stopAt }: { from?: Checkpoint["progress"]; stopAt?: number } = {},
  ): Promise<FitResult> {
    const stop = new AbortController();
    return fit({
      device: on,
      model: build(),
      state,
      train,
      epochs: 2,
      batchSize: 8,
      optimizer: adam({ lr: 0.01 }),
      lossPerSample: crossEntropyPerSample,
      transform: normalize({ mean: [0.1], std: [0.3] }),
      checkpoints: checkpointSink(directory),
      signal: stop.signal,
      ...(from === undefined ? {} : { from }),
      on: (event) => {
        if (event.type === "step" && event.step === stopAt) stop.abort();
      },
    });
  }

  it("is resumed exactly, in the middle of an epoch", async () => {
    const whole = await device();
    const straight = await whole.init(build(), { seed: 3 });
    await run(whole, straight);
    const wanted = await straight.read();
    straight.dispose();
    await whole.dispose();

    const first = await device();
    const interrupted = await first.init(build(), { seed: 3 });
    expect((await run(first, interrupted, { stopAt: 6 })).status).toBe("interrupted");
    interrupted.dispose();
    await first.dispose();

    const { values, progress } = await readCheckpoint(directory, "last");
    expect(progress.epoch).toBe(1);
    expect(progress.batch).toBeGreaterThan(0);
    expect(progress.batch).toBeLessThan(5);
    expect(Object.keys(values).sort()).toEqual(["buffers", "optimizer", "params"]);
    const second = await device();
    const state = await second.createState(values);
    expect((await run(second, state, { from: progress })).status).toBe("done");
    expect(await state.read()).toEqual(wanted);
    expect((await readCheckpoint(directory, "last")).values).toEqual(wanted);
    expect(flattenState(wanted).size).toBeGreaterThan(10);
    state.dispose();
    await second.dispose();
  }, 60_000);
});

describe("two tabs that write at once", () => {
  it("write one after the other", async () => {
    await writeCheckpoint(directory, "last", checkpointOf(1));
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow = writtenBy(async (stream, bytes) => {
      await gate;
      await stream.write(bytes as Uint8Array<ArrayBuffer>);
    });
    const first = writeCheckpoint(slow, "last", checkpointOf(2));
    const order: string[] = [];
    void first.then(() => order.push("first"));
    const second = writeCheckpoint(directory, "last", checkpointOf(3)).then(() => order.push("second"));
    const ours = "ocelli-checkpoint:checkpoints-test/last";
    await vi.waitFor(async () => {
      const { held = [], pending = [] } = await navigator.locks.query();
      expect([held, pending].map((list) => list.filter(({ name }) => name === ours).length)).toEqual([1, 1]);
    });
    // Another name waits for nobody.
    await writeCheckpoint(directory, "best", checkpointOf(4));
    expect(order).toEqual([]);
    open();
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
    expect(await stepOf("last")).toBe(3);
  });

  it("write whole files where the browser has no locks", async () => {
    vi.spyOn(navigator, "locks", "get").mockReturnValue(undefined as unknown as LockManager);
    onTestFinished(() => void vi.restoreAllMocks());
    await Promise.all([1, 2, 3, 4].map((step) => writeCheckpoint(directory, "last", checkpointOf(step))));
    expect(await wholeStep(directory, "last")).toBeGreaterThan(0);
    expect((await rawFiles(directory)).map(([file]) => file)).toEqual(["last.safetensors"]);
  });
});

describe("storage that fails", () => {
  it("says when the browser has no room, and keeps the former checkpoint", async () => {
    await writeCheckpoint(directory, "last", checkpointOf(1));
    await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize: 6_000_000 });
    onTestFinished(async () => {
      await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin });
    });
    for (const name of ["last", "new"]) {
      const error = await failure(writeCheckpoint(directory, name, checkpointOf(2)));
      expect(error.reason).toBe("quota");
      expect(error.message).toMatch(
        new RegExp(`writing checkpoints-test/${name}.safetensors: the browser has no room for these 4000\\d+ bytes`),
      );
      expect(error.message).toMatch(/this site stores 40\d+ already.*deleteCheckpoint/);
    }
    expect(await stepOf("last")).toBe(1);
    expect((await rawFiles(directory)).map(([file]) => file)).toEqual(["last.safetensors"]);
  });

  it.each([
    ["QuotaExceededError", "quota", /no room/],
    ["NotAllowedError", "denied", /denies it \(NotAllowedError: stub\)\. Allow this site.*requestPermission/],
    ["InvalidStateError", "failed", /the browser failed \(InvalidStateError: stub\)/],
  ] as const)("gives %s a name when it comes in the middle", async (name, reason, message) => {
    await writeCheckpoint(directory, "last", checkpointOf(1));
    const failing = writtenBy(async (stream, bytes) => {
      await stream.write(bytes.slice(0, 1000));
      throw new DOMException("stub", name);
    });
    for (const checkpoint of ["last", "new"]) {
      const error = await failure(writeCheckpoint(failing, checkpoint, checkpointOf(2)));
      expect(error.reason).toBe(reason);
      expect(error.message).toMatch(message);
      expect(error.fields.cause).toBeInstanceOf(DOMException);
    }
    expect(await stepOf("last")).toBe(1);
    expect((await rawFiles(directory)).map(([file]) => file)).toEqual(["last.safetensors"]);
  });

  it("says when storage is denied or missing", async () => {
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(navigator.storage, "getDirectory").mockRejectedValue(new DOMException("stub", "SecurityError"));
    expect((await failure(openCheckpointDirectory())).reason).toBe("denied");
    vi.spyOn(navigator, "storage", "get").mockReturnValue(undefined as unknown as StorageManager);
    const error = await failure(openCheckpointDirectory("digits"));
    expect(error.reason).toBe("unsupported");
    expect(error.message).toMatch(/opening digits: there is no navigator.storage.getDirectory here.*https/);
  });

  it("says when the browser cannot write files at once", async () => {
    const old = {
      name: "old",
      getFileHandle: async () => ({ getFile: async () => new File([], "last.safetensors") }),
      removeEntry: vi.fn(async () => undefined),
    };
    const values = { params: { w: hostTensor([1]) } };
    const writing = writeCheckpoint(old as unknown as FileSystemDirectoryHandle, "last", {
      values,
      progress: freshProgress,
    });
    expect((await failure(writing)).message).toMatch(/old\/last\.safetensors: .* no createWritable \(Safari/);
    expect(old.removeEntry).toHaveBeenCalledWith("last.safetensors");
  });
});
