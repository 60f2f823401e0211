import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { digits, type EpochEvent, type EpochSummary, type FitEvent, freshProgress, split } from "@ocelli/training";
import { type RunConfig, RunDirectory } from "@ocelli/training/node";
import { describe, expect, it } from "vitest";
import { describe as describeRun } from "../src/commands/train.js";
import { openDevice } from "../src/device.js";
import type { Io, Output } from "../src/io.js";
import { trainReporter } from "../src/progress.js";
import { labelsHash, reportDone, type TrainingData, type TrainingJob, trainRun } from "../src/training.js";
import { fails, lines, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();

function collecting(columns?: number, onText = (): void => undefined): { io: Io; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      onText();
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  const stdout = stream as unknown as Output;
  const io: Io = {
    stdout,
    stderr: stdout,
    env: {},
    command: "ocelli",
    onInterrupt: () => () => undefined,
    exit: () => undefined,
  };
  return { io, text: () => text };
}

const past: EpochSummary = {
  epoch: 98,
  trainLoss: 12345.678,
  trainAccuracy: 1,
  validationLoss: null,
  validationAccuracy: null,
  testLoss: 12345.678,
  testAccuracy: 1,
  lr: 0.1,
};
const start: FitEvent = {
  type: "start",
  epochs: 100,
  batches: 4,
  steps: 400,
  logEvery: 1,
  from: { ...freshProgress, epoch: 98, step: 392, history: [past] },
};
const step: Extract<FitEvent, { type: "step" }> = {
  type: "step",
  epoch: 99,
  batch: 2,
  batches: 4,
  step: 394,
  loss: 1.25,
  accuracy: 0.5,
  lr: 0.1,
  imagesPerSecond: 123456,
  waiting: 0.34,
  secondsLeft: 125,
};
const epoch: EpochEvent = {
  ...past,
  type: "epoch",
  epoch: 99,
  step: 396,
  best: false,
  imagesPerSecond: 123456,
  waiting: 1,
  seconds: 60,
};

describe("progress", () => {
  it("fits into 80 columns, and says for how long data was waited for", () => {
    const { io, text } = collecting();
    const reporter = trainReporter(io, { json: false, judge: "test" });
    for (const event of [start, step, epoch, { ...epoch, epoch: 100, waiting: 0.01 }]) reporter.on(event);
    const shown = text().trimEnd().split("\n");
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(shown.map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "epoch train loss accuracy test loss accuracy images/s",
      "98/100 12345.6780 100.00 % 12345.6780 100.00 % -",
      "99/100 12345.6780 100.00 % 12345.6780 100.00 % 123,456 waiting 100 %",
      "100/100 12345.6780 100.00 % 12345.6780 100.00 % 123,456",
    ]);
  });

  it("shows what epochs are judged by", () => {
    const { io, text } = collecting();
    const reporter = trainReporter(io, { json: false, judge: "validation" });
    const validated = { ...epoch, validationLoss: 0.5, validationAccuracy: 0.75, testLoss: null, testAccuracy: null };
    for (const event of [start, validated]) reporter.on(event);
    expect(text()).toMatch(/train loss +accuracy +val\. loss +accuracy/);
    expect(text()).toMatch(/99\/100.* 0\.5000 +75\.00 %/);
  });

  it("draws a bar with the time that is left on a terminal", () => {
    const { io, text } = collecting(100);
    const reporter = trainReporter(io, { json: false, judge: "test" });
    for (const event of [start, step, { ...step, batch: 4 }]) reporter.on(event);
    reporter.stop();
    expect(text()).toContain("compiling ...");
    expect(text()).toContain("epoch 99/100");
    expect(text()).toContain("evaluating ...");
  });

  it("is whole as JSON", () => {
    const { io, text } = collecting();
    const reporter = trainReporter(io, { json: true, judge: "test" });
    for (const event of [start, step, epoch]) reporter.on(event);
    const { type, ...rest } = epoch;
    expect(lines(text())).toEqual([{ event: "epoch", ...rest }]);
  });
});

describe("a run's configuration", { timeout: 60_000 }, () => {
  const all = digits({ split: "train", count: 200 });
  const { train, validation } = split(all, { validation: 0.2, seed: 1 });
  const data = { train, validation, test: digits({ split: "test", count: 60 }) };
  const everything: RunConfig = {
    format: "ocelli-run-1",
    model: { name: "lenet5_modern", options: {} },
    data: { name: "digits", dir: null, labels: labelsHash(train) },
    classes: all.classes,
    image: [1, 28, 28],
    optimizer: { name: "adam", options: { lr: 0.002 } },
    schedule: { name: "warmup", options: { epochs: 1, schedule: { name: "plateau", options: { patience: 0 } } } },
    transform: { name: "normalize", options: { mean: [0.13], std: [0.31] } },
    loss: { name: "crossEntropy", options: { labelSmoothing: 0.1 } },
    epochs: 3,
    batchSize: 16,
    seed: 1,
    clip: { name: "clipNorm", options: { max: 1 } },
    average: { name: "ema", options: { decay: 0.5 } },
    accumulate: 3,
    freeze: ["features.0.*"],
    recompute: ["features"],
    validation: { share: 0.2, seed: 1 },
    monitor: "loss",
    earlyStopping: { patience: 2 },
    restoreBest: true,
    statistics: true,
    logEvery: 5,
    checkpointEvery: { steps: 4 },
    device: { name: "onnx-cpu", threads: 1 },
  };

  async function sitting(
    path: string,
    change: Partial<TrainingJob> = {},
    onText?: () => void,
  ): Promise<{ text: string }> {
    const { io, text } = collecting(undefined, onText);
    const run = await RunDirectory.open(path);
    const device = await openDevice({ device: "onnx-cpu", threads: 1 }, () => undefined);
    try {
      const saved = (await run.has("last")) ? await run.load() : undefined;
      const { signal } = new AbortController();
      const result = await trainRun(io, {
        run,
        data,
        device,
        saved,
        json: true,
        signal,
        resumeCommand: "x",
        ...change,
      });
      reportDone(io, run, result, false);
      return { text: text() };
    } finally {
      await device.dispose();
    }
  }

  it("decides all parts of a training, also of one that is interrupted", async () => {
    const straight = join(folder, "straight");
    await RunDirectory.create(straight, everything);
    const { text } = await sitting(straight);
    expect(text).toMatch(/^test accuracy +\d/m);
    expect(readdirSync(straight).sort()).toEqual(["best.safetensors", "last.safetensors", "log.jsonl", "run.json"]);
    const run = await RunDirectory.open(straight);
    const logged = await run.readLog();
    // Ten batches an epoch, logged in the middle and at the end.
    expect(logged.map(({ type, step }) => `${type} ${step}`)).toEqual([
      "start 0",
      // Measured at the epoch's last batch that changes parameters, a multiple of three.
      ...["step 5", "step 9", "step 10", "epoch 10", "step 15", "step 18", "step 20", "epoch 20"],
      ...["step 25", "step 30", "epoch 30"],
      "done 30",
    ]);
    const line = logged.filter((one) => one.type === "step").find(({ statistics }) => statistics !== undefined);
    const names = line?.statistics?.parameters.map(({ name }) => name) as string[];
    expect(names).toContain("features.3.weight");
    expect(names).not.toContain("features.0.weight");
    const { values } = await run.load();
    expect(Object.keys(values).sort()).toEqual(["accumulators", "ema", "optimizer", "params"]);

    const stopped = join(folder, "stopped");
    const again = await RunDirectory.create(stopped, everything);
    const stop = new AbortController();
    const stopping = sitting(stopped, { signal: stop.signal }, () => stop.abort());
    // The first output is the first epoch's.
    await expect(stopping).rejects.toThrow(/stopped after 1 epoch; saved .*\ngo on with: x/);
    expect((await again.load()).progress.step).toBe(10);
    await sitting(stopped);
    for (const file of ["last.safetensors", "best.safetensors"])
      expect(readFileSync(join(stopped, file)).equals(readFileSync(join(straight, file)))).toBe(true);
    const steps = (await again.readLog()).filter(({ type }) => type === "step" || type === "epoch");
    expect(steps.map(({ type, step }) => `${type} ${step}`)).toEqual(
      logged.slice(1, -1).map(({ type, step }) => `${type} ${step}`),
    );
  });

  it("is told: how pictures are cut, and which of them are tested on", async () => {
    const frames = {
      train: { name: "randomResizedCrop", options: { size: [28, 28] } },
      eval: { name: "center", options: { size: [28, 28], resize: 32 } },
    };
    const device = await openDevice({ device: "reference" }, () => undefined);
    const told = async (change: Partial<RunConfig>, given: TrainingData): Promise<string> => {
      const { io, text } = collecting();
      const run = await RunDirectory.create(join(folder, "told"), { ...everything, ...change });
      describeRun(io, { run, data: given, device });
      return text();
    };
    const both = await told({ frames }, { train, validation, test: validation });
    expect(both).toMatch(/^augment +randomResizedCrop 28$/m);
    expect(both).toContain("160 training and 40 validation images (no test part: they are the test images too) (1x28");
    const still = await told({ frames: { train: frames.eval, eval: frames.eval } }, data);
    expect(still).not.toMatch(/^augment/m);
    expect(still).toContain("160 training, 40 validation and 60 test images (1x28");
    await device.dispose();
  });

  it("is refused for other images", async () => {
    const path = join(folder, "other");
    await RunDirectory.create(path, everything);
    const swapped = { ...data, train: { ...train, labels: train.labels.map((label) => 9 - label) } };
    await expect(sitting(path, { data: swapped })).rejects.toThrow(
      /was trained on other images: digits has 160 training images/,
    );
  });

  it("belongs to one process at a time", async () => {
    const path = join(folder, "held");
    const first = await RunDirectory.create(path, everything);
    const unlock = await first.lock();
    await expect(sitting(path)).rejects.toThrow(/process \d+ has been training in this folder since/);
    await unlock();
    await sitting(path, { epochs: 1 });
  });

  it("is held against the command, too", async () => {
    const path = join(folder, "busy");
    await succeed(["train", ...small, "--epochs", "1", "--out", path]);
    const unlock = await (await RunDirectory.open(path)).lock();
    const message = await fails(1, ["train", "--resume", path, "--epochs", "2"]);
    expect(message).toMatch(/^error: process \d+ has been training in this folder/);
    await unlock();
    await succeed(["train", "--resume", path, "--epochs", "2"]);
  });
});
