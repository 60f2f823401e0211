import { appendFile, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { hostTensor } from "@ocelli/core";
import { writeSafetensors } from "@ocelli/formats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pinned, pinnedBytes } from "../../test-browser/pinned.js";
import { type FitEvent, freshProgress } from "../fit.js";
import { type RunConfig, RunDirectory, readCheckpoint, writeAtomic, writeCheckpoint } from "./index.js";

const config: RunConfig = {
  format: "ocelli-run-1",
  model: { name: "lenet5_modern", options: {} },
  data: { name: "digits", dir: null },
  classes: ["0", "1"],
  image: [1, 28, 28],
  optimizer: { name: "sgd", options: { lr: 0.1 } },
  schedule: { name: "constant", options: {} },
  transform: { name: "normalize", options: { mean: [0.1], std: [0.3] } },
  epochs: 2,
  batchSize: 8,
  seed: 0,
  device: { name: "reference", threads: null },
};

const values = {
  params: { "conv1.weight": hostTensor([1.5, -2, 3], [3]), "a.0.b": hostTensor([7], []) },
  buffers: { "bn.num_batches_tracked": hostTensor(Int32Array.of(12), []) },
  optimizer: { "conv1.weight.momentum_buffer": hostTensor([0, 1, 2], [3, 1]) },
};

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-run-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("checkpoints", () => {
  const progress = { ...freshProgress, epoch: 1, batch: 4, step: 12, lossSum: 0.1 + 0.2, accuracySum: 3.25 };

  it("come back as they were", async () => {
    const path = join(dir, "last.safetensors");
    await writeCheckpoint(path, { values, progress });
    const back = await readCheckpoint(path);
    expect(back).toEqual({ values, progress });
    expect(await readdir(dir)).toEqual(["last.safetensors"]);
  });

  it("are refused when damaged or something else, by name", async () => {
    const path = join(dir, "last.safetensors");
    await writeCheckpoint(path, { values, progress });
    const { length } = await readFile(path);
    await truncate(path, length - 3);
    await expect(readCheckpoint(path)).rejects.toThrow(/last\.safetensors/);
    await writeFile(path, "hello, this is text");
    await expect(readCheckpoint(path)).rejects.toThrow(/last\.safetensors/);
  });

  it("are the bytes that browsers write, and browsers' are read", async () => {
    const path = join(dir, "last.safetensors");
    await writeCheckpoint(path, pinned);
    expect(new Uint8Array(await readFile(path))).toEqual(pinnedBytes);
    await writeFile(path, pinnedBytes);
    expect(await readCheckpoint(path)).toEqual(pinned);
  });

  it("cannot reach other objects through their names", async () => {
    const path = join(dir, "last.safetensors");
    const tensor = { dtype: "U8", shape: [1], bytes: Uint8Array.of(1) } as const;
    const metadata = { format: "ocelli-checkpoint-1", progress: JSON.stringify(freshProgress) };
    await writeFile(path, writeSafetensors([["__proto__/polluted", tensor]], metadata));
    const { values } = await readCheckpoint(path);
    expect(Object.keys(values)).toEqual(["__proto__"]);
    expect("polluted" in {}).toBe(false);
    await writeFile(path, writeSafetensors([], { ...metadata, progress: "null" }));
    await expect(readCheckpoint(path)).rejects.toThrow(/last\.safetensors: the metadata's progress lacks epoch/);
  });

  it("have a history of numbers, also where it is from before there was validation data", async () => {
    const path = join(dir, "last.safetensors");
    const summary = { epoch: 1, trainLoss: 2, trainAccuracy: 0.5, testLoss: 1, testAccuracy: 0.75, lr: 0.1 };
    const write = (history: unknown): Promise<void> => {
      const text = JSON.stringify({ ...freshProgress, history });
      return writeFile(path, writeSafetensors([], { format: "ocelli-checkpoint-1", progress: text }));
    };
    await write([summary]);
    const { history } = (await readCheckpoint(path)).progress;
    expect(history).toEqual([{ ...summary, validationLoss: null, validationAccuracy: null }]);
    for (const bad of [null, {}, "epoch", { ...summary, lr: "fast" }, { ...summary, testLoss: "low" }]) {
      await write([summary, bad]);
      await expect(readCheckpoint(path)).rejects.toThrow(/last\.safetensors: epoch 2 of the history lacks/);
    }
  });

  it("keep the old file when writing fails", async () => {
    const path = join(dir, "file");
    await writeAtomic(path, "old");
    await expect(writeAtomic(join(path, "below-a-file"), "new")).rejects.toThrow();
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(dir)).toEqual(["file"]);
  });
});

describe("run directories", () => {
  it("are made once, opened again, and remember", async () => {
    const path = join(dir, "run");
    await RunDirectory.create(path, { ...config, seed: 7 });
    // Nothing was saved in it: it may be started anew.
    const run = await RunDirectory.create(path, config);
    await expect(run.load()).rejects.toThrow(/has no last.safetensors yet/);
    await run.save("last", values, freshProgress);
    const again = await RunDirectory.open(path);
    expect(again.config).toEqual(config);
    expect((await again.load()).values).toEqual(values);
    expect(await again.has("best")).toBe(false);
    await expect(RunDirectory.create(path, config)).rejects.toThrow(/holds a run already. Resume it \(--resume/);
  });

  it("go on from the best where a kill came between it and the last", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    expect(await run.latest()).toBeUndefined();
    const save = (kind: "last" | "best", epoch: number) =>
      run.save(kind, values, { ...freshProgress, epoch, step: 10 * epoch });
    await save("best", 1);
    expect((await run.latest())?.progress.epoch).toBe(1);
    await save("last", 2);
    expect((await run.latest())?.progress.epoch).toBe(2);
    await save("best", 3);
    expect((await run.latest())?.progress.epoch).toBe(3);
    // A copy of the folder may have files of any time.
    await utimes(run.checkpointPath("best"), 2e9, 2e9);
    await save("last", 4);
    expect((await run.latest())?.progress.epoch).toBe(4);
  });

  it("are not made among other files", async () => {
    await writeFile(join(dir, ".hidden"), "");
    await writeFile(join(dir, "cat.png"), "");
    await expect(RunDirectory.create(dir, config)).rejects.toThrow(/holds other files \(cat\.png\) and no run/);
    expect((await readdir(dir)).sort()).toEqual([".hidden", "cat.png"]);
  });

  it("are discarded until a step is saved, without what others put there", async () => {
    const path = join(dir, "run");
    const run = await RunDirectory.create(path, config);
    await run.save("last", values, freshProgress);
    const release = await run.lock();
    await writeFile(join(path, "notes.txt"), "");
    await run.discard();
    await release();
    expect(await readdir(path)).toEqual(["notes.txt"]);
    await rm(path, { recursive: true });
    const again = await RunDirectory.create(path, config);
    await again.save("last", values, { ...freshProgress, step: 1 });
    await again.discard();
    expect((await readdir(path)).sort()).toEqual(["last.safetensors", "run.json"]);
    await rm(join(path, "last.safetensors"));
    await again.discard();
    expect(await readdir(dir)).toEqual([]);
  });

  it("notice a run.json that was changed under a checkpoint, but not more epochs", async () => {
    const path = join(dir, "run");
    await (await RunDirectory.create(path, config)).save("last", values, freshProgress);
    await writeFile(join(path, "run.json"), JSON.stringify({ ...config, epochs: 9 }));
    expect((await (await RunDirectory.open(path)).load()).values).toEqual(values);
    await writeFile(join(path, "run.json"), JSON.stringify({ ...config, seed: 9 }));
    await expect((await RunDirectory.open(path)).load()).rejects.toThrow(
      /run\.json: not what last\.safetensors was trained with: seed is 9, was 0\. Put it back/,
    );
  });

  it("say what is another: optimizer, schedule, data, parts that were not used", async () => {
    const path = join(dir, "run");
    await (await RunDirectory.create(path, config)).save("last", values, freshProgress);
    const changed: [Partial<RunConfig>, RegExp | undefined][] = [
      [{ optimizer: { name: "adam", options: { lr: 0.1 } } }, /: optimizer is \{"name":"adam".*\}, was \{"name":"sgd"/],
      [{ model: { name: "alexnet", options: {} }, batchSize: 4 }, /: model is .*alexnet.*; batchSize is 4, was 8/],
      [{ schedule: { name: "warmup", options: { epochs: 5 } } }, /: schedule is .*"epochs":5.*, was .*constant/],
      [{ accumulate: 2, clip: { name: "clipNorm", options: { max: 1 } } }, /: accumulate is 2, was not given; clip is/],
      [{ data: { name: "digits", dir: null, limit: 9 } }, /: data is .*"limit":9.*, was/],
      [{ data: { name: "digits", dir: "elsewhere", workers: 3 } }, undefined],
      [{ device: { name: "webgpu", threads: null }, logEvery: 3, earlyStopping: { patience: 2 } }, undefined],
    ];
    for (const [change, message] of changed) {
      await writeFile(join(path, "run.json"), JSON.stringify({ ...config, ...change }));
      const load = (await RunDirectory.open(path)).load();
      await (message === undefined ? expect(load).resolves.toBeDefined() : expect(load).rejects.toThrow(message));
    }
  });

  it("are cleared of what a killed process left", async () => {
    const path = join(dir, "run");
    await RunDirectory.create(path, config);
    // No process has a number like the first; the second is writing right now.
    await writeFile(join(path, "last.safetensors.writing-99999999"), "half");
    await writeFile(join(path, `last.safetensors.writing-${process.pid}`), "half");
    await RunDirectory.open(path);
    expect((await readdir(path)).sort()).toEqual([`last.safetensors.writing-${process.pid}`, "run.json"]);
  });

  it("are refused when there is none, or run.json is damaged", async () => {
    await expect(RunDirectory.open(join(dir, "none"))).rejects.toThrow(/is not a run: it has no readable run.json/);
    const path = join(dir, "run");
    await RunDirectory.create(path, config);
    await writeFile(join(path, "run.json"), "{");
    await expect(RunDirectory.open(path)).rejects.toThrow(/run\.json: not JSON/);
    await writeFile(join(path, "run.json"), JSON.stringify({ format: "ocelli-run-1" }));
    await expect(RunDirectory.open(path)).rejects.toThrow(/lacks model, data, classes/);
  });
});

describe("locks", () => {
  const lockFile = (): string => join(dir, "run", "run.lock");

  it("are held by one, and given back", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    const release = await run.lock();
    const message = new RegExp(`process ${process.pid} has been training in this folder since .* delete .*run\\.lock`);
    await expect(run.lock()).rejects.toThrow(message);
    // It may have no checkpoint yet: nobody may start another in its place.
    await expect(RunDirectory.create(join(dir, "run"), config)).rejects.toThrow(message);
    expect((await RunDirectory.open(join(dir, "run"))).config).toEqual(config);
    await release();
    expect(await readdir(join(dir, "run"))).toEqual(["run.json"]);
    await (await run.lock())();
  });

  it("are taken over from processes that are gone, whoever has their number now", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    const holder = { pid: 99999999, host: hostname(), born: null, since: "yesterday" };
    await writeFile(lockFile(), JSON.stringify(holder));
    await (await run.lock())();
    if (process.platform === "linux") {
      await writeFile(lockFile(), JSON.stringify({ ...holder, pid: process.pid, born: "1" }));
      await (await run.lock())();
    }
    expect(await readdir(join(dir, "run"))).toEqual(["run.json"]);
  });

  it("are respected where nobody can tell: another machine's, or one that is being written", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    await writeFile(lockFile(), JSON.stringify({ pid: 99999999, host: "elsewhere", born: null, since: "yesterday" }));
    await expect(run.lock()).rejects.toThrow(/process 99999999 on elsewhere .* since yesterday/);
    await writeFile(lockFile(), "");
    await expect(run.lock()).rejects.toThrow(/somebody has been training in this folder/);
  });

  it("go to one of many that want a dead one's at once", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    for (let round = 0; round < 5; round++) {
      await writeFile(lockFile(), JSON.stringify({ pid: 99999999, host: hostname(), born: null, since: "yesterday" }));
      const taken = await Promise.allSettled(Array.from({ length: 8 }, () => run.lock()));
      const got = taken.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(got).toHaveLength(1);
      await got[0]?.();
    }
  });
});

describe("logs", () => {
  const summary = {
    trainLoss: 1,
    trainAccuracy: 0.5,
    validationLoss: null,
    validationAccuracy: null,
    testLoss: 1,
    testAccuracy: 0.5,
    lr: 0.1,
  };
  const pace = { imagesPerSecond: 100, waiting: 0 };
  const start = (from = freshProgress): FitEvent => ({
    type: "start",
    steps: 8,
    batches: 4,
    epochs: 2,
    logEvery: 2,
    from,
  });
  const logged = (step: number): FitEvent => {
    const [epoch, batch] = [Math.ceil(step / 4), ((step - 1) % 4) + 1];
    return { type: "log", epoch, batch, step, lr: 0.1, loss: 2 / step, accuracy: 0.5, ...pace };
  };
  const ended = (epoch: number): FitEvent => ({
    type: "epoch",
    epoch,
    step: 4 * epoch,
    ...summary,
    best: true,
    ...pace,
    seconds: 1,
  });
  const names = async (run: RunDirectory): Promise<string[]> =>
    (await run.readLog()).map(({ type, step }) => `${type} ${step}`);

  it("hold what matters, line by line", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    await run.record(start());
    await run.record({ type: "compiled", ms: 3, nodes: 9 });
    await run.record({
      type: "step",
      ...pace,
      epoch: 1,
      batch: 1,
      batches: 4,
      step: 1,
      loss: 1,
      accuracy: 1,
      lr: 1,
      secondsLeft: 1,
    });
    await run.record(logged(2));
    // At once: what came before a run failed is what one looks for.
    expect(await names(run)).toEqual(["start 0", "step 2"]);
    await run.record(logged(4));
    await run.record(ended(1));
    const lines = await run.readLog();
    expect(lines.map(({ type, step }) => `${type} ${step}`)).toEqual(["start 0", "step 2", "step 4", "epoch 4"]);
    expect(lines[2]).toEqual({ ...logged(4), type: "step", time: expect.stringMatching(/^20\d\d-.*Z$/) });
  });

  it("lose what came after the checkpoint that a run goes on from, and a line that a kill cut off", async () => {
    const path = join(dir, "run");
    const run = await RunDirectory.create(path, config);
    for (const event of [start(), logged(2), logged(4), ended(1), logged(6)]) await run.record(event);
    await run.save("last", values, { ...freshProgress, epoch: 1, batch: 2, step: 6 });
    await run.record(logged(8));
    await run.record(ended(2));
    await appendFile(join(path, "log.jsonl"), '{"type":"st');
    expect(await names(run)).toEqual(["start 0", "step 2", "step 4", "epoch 4", "step 6", "step 8", "epoch 8"]);
    const again = await RunDirectory.open(path);
    await again.record(start({ ...freshProgress, epoch: 1, batch: 2, step: 6 }));
    await again.record(logged(8));
    await again.record({ type: "done", status: "done", epoch: 2, step: 8, testLoss: 1, testAccuracy: 0.5, best: 1 });
    expect(await names(again)).toEqual([
      "start 0",
      "step 2",
      "step 4",
      "epoch 4",
      "step 6",
      "start 6",
      "step 8",
      "done 8",
    ]);
    // An epoch whose evaluation did not end is one that comes again, though its steps do not.
    const third = await RunDirectory.open(path);
    await third.record(start({ ...freshProgress, epoch: 0, batch: 4, step: 4 }));
    expect(await names(third)).toEqual(["start 0", "step 2", "step 4", "start 4"]);
    await third.record(start());
    expect(await names(third)).toEqual(["start 0"]);
  });

  it("begin anew behind a first line that a kill cut off", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    await writeFile(join(dir, "run", "log.jsonl"), '{"type":"st');
    await run.record(start());
    expect(await names(run)).toEqual(["start 0"]);
  });

  it("are empty where there is none, and refused when damaged, with the line", async () => {
    const run = await RunDirectory.create(join(dir, "run"), config);
    expect(await run.readLog()).toEqual([]);
    await writeFile(join(dir, "run", "log.jsonl"), '{"type":"start","step":0}\nhello\n');
    await expect(run.readLog()).rejects.toThrow(/log\.jsonl: line 2 is not JSON/);
  });
});

describe("values that are not finite", () => {
  it("are refused when read, by name", async () => {
    const path = join(dir, "last.safetensors");
    const bad = { params: { "fc.bias": hostTensor([1, Number.NaN]) } };
    await writeCheckpoint(path, { values: bad, progress: freshProgress });
    await expect(readCheckpoint(path)).rejects.toThrow(
      /last\.safetensors: params\/fc\.bias holds values that are not finite/,
    );
  });
});
