import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostTensor } from "@ocelli/core";
import { writeSafetensors } from "@ocelli/formats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pinned, pinnedBytes } from "../../test-browser/pinned.js";
import { freshProgress } from "../fit.js";
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
    await run.log({ event: "epoch", epoch: 1 });
    const again = await RunDirectory.open(path);
    expect(again.config).toEqual(config);
    expect((await again.load()).values).toEqual(values);
    expect(await again.has("best")).toBe(false);
    await expect(RunDirectory.create(path, config)).rejects.toThrow(/holds a run already. Resume it \(--resume/);
  });

  it("notice a run.json that was changed under a checkpoint, but not more epochs", async () => {
    const path = join(dir, "run");
    await (await RunDirectory.create(path, config)).save("last", values, freshProgress);
    await writeFile(join(path, "run.json"), JSON.stringify({ ...config, epochs: 9 }));
    expect((await (await RunDirectory.open(path)).load()).values).toEqual(values);
    await writeFile(join(path, "run.json"), JSON.stringify({ ...config, seed: 9 }));
    await expect((await RunDirectory.open(path)).load()).rejects.toThrow(
      /run\.json: its model, data, recipe or seed is not the one that last\.safetensors was trained with/,
    );
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
