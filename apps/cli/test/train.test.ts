import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RunDirectory } from "@ocelli/training/node";
import { beforeAll, describe, expect, it } from "vitest";
import { fails, lines, ocelli, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const last = (run: string): Buffer => readFileSync(join(run, "last.safetensors"));

describe("train", { timeout: 60_000 }, () => {
  it("prints JSON of the agreed shape and saves a run", async () => {
    const out = join(folder, "json");
    const events = lines(await succeed(["train", ...small, "--epochs", "2", "--out", out, "--json"]));
    const epoch = {
      event: "epoch",
      epoch: 1,
      trainLoss: expect.any(Number),
      trainAccuracy: expect.any(Number),
      validationLoss: null,
      validationAccuracy: null,
      testLoss: expect.any(Number),
      testAccuracy: expect.any(Number),
      lr: expect.any(Number),
      step: 10,
      best: true,
      imagesPerSecond: expect.any(Number),
      waiting: expect.any(Number),
      seconds: expect.any(Number),
    };
    const { testLoss, testAccuracy } = events[1] as Record<string, unknown>;
    const checkpoint = join(out, "last.safetensors");
    const best = expect.toBeOneOf([1, 2]);
    expect(events).toEqual([
      epoch,
      { ...epoch, epoch: 2, step: 20, best: expect.any(Boolean) },
      { event: "done", status: "done", epoch: 2, step: 20, testLoss, testAccuracy, best, checkpoint },
    ]);
    expect(readdirSync(out).sort()).toEqual(["best.safetensors", "last.safetensors", "log.jsonl", "run.json"]);
    const logged = lines(readFileSync(join(out, "log.jsonl"), "utf8"));
    const steps = Array.from({ length: 10 }, () => "step");
    expect(logged.map(({ type }) => type)).toEqual(["start", ...steps, "epoch", ...steps, "epoch", "done"]);
  });

  it("tells people the recipe, then a line an epoch", async () => {
    const out = await succeed(["train", ...small, "--epochs", "2", "--out", join(folder, "plain")]);
    expect(out).toMatch(/^model +lenet5_modern, 61,706 parameters$/m);
    expect(out).toMatch(/^data +digits, 320 training and 320 test images \(1x28x28, 10 classes\)$/m);
    expect(out).toMatch(
      /^recipe +sgd, learning rate 0\.01 .*momentum 0\.9, weight decay 0\.0005\n +2 epochs, batches of 32, seed 0\n +the recipe's own is 5 epochs in batches of 64: what was not given was scaled$/m,
    );
    expect(out).toMatch(/^ +2\/2( +[\d.,]+( %)?){5}$/m);
    expect(out).toMatch(/^test accuracy +\d+\.\d\d %$/m);
    expect(out).not.toContain("\u001b");
  });

  it("draws a bar on a terminal and leaves it tidy", async () => {
    const out = await succeed(["train", ...small, "--epochs", "1", "--out", join(folder, "bar")], { columns: 100 });
    expect(out).toContain("compiling ...");
    // The cursor comes back.
    expect(out.lastIndexOf("\u001b[?25h")).toBeGreaterThan(out.lastIndexOf("\u001b[?25l"));
  });

  it("trains with adam, on other shapes where the model can", async () => {
    const args = [
      "--data",
      "digits",
      "--limit",
      "32",
      "--batch-size",
      "16",
      "--optimizer",
      "adam",
      "--device",
      "onnx-cpu",
      "--epochs",
      "1",
    ];
    const out = await succeed(["train", "resnet20_cifar", ...args, "--out", join(folder, "adam")]);
    expect(out).toMatch(/^recipe +adam, learning rate 0\.001\n/m);
  });

  it("gives lenet5 of 1998 its border", async () => {
    const args = ["--data", "digits", "--limit", "64", "--epochs", "1", "--device", "onnx-cpu"];
    await succeed(["train", "lenet5", ...args, "--out", join(folder, "lenet5")]);
    const { config } = await RunDirectory.open(join(folder, "lenet5"));
    expect(config.transform.options.pad).toBe(2);
    expect(config.image).toEqual([1, 28, 28]);
  });

  it("runs on the reference device", async () => {
    const args = ["--data", "digits", "--limit", "8", "--batch-size", "4", "--epochs", "1", "--device", "reference"];
    await succeed(["train", "lenet5_modern", ...args, "--out", join(folder, "reference")]);
  });

  it("refuses a folder that holds a run", async () => {
    expect(await fails(1, ["train", ...small, "--out", join(folder, "json")])).toContain("--resume");
  });

  it("stops when numbers stop being finite, says where, and leaves no run without a checkpoint", async () => {
    const out = join(folder, "nan");
    const { code, out: text, err } = await ocelli(["train", ...small, "--lr", "1e20", "--out", out]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: the loss is (NaN|-?Infinity) at step \d+ \(epoch 1, batch \d+\)\. Try a lower learning rate\.\n {2}No checkpoint had been saved yet\.\n$/m,
    );
    expect(text).not.toContain("test accuracy");
    expect(existsSync(out)).toBe(false);
  });
});

describe("resume", { timeout: 120_000 }, () => {
  const own = join(folder, "own");
  beforeAll(() => succeed(["train", ...small, "--epochs", "2", "--out", own]), 60_000);

  it("ends with the bytes of a run that was never interrupted", async () => {
    const args = [
      "train",
      "lenet5_modern",
      "--data",
      "digits",
      "--limit",
      "1500",
      "--epochs",
      "3",
      "--device",
      "onnx-cpu",
      "--threads",
      "1",
      "--json",
    ];
    const [straight, stopped] = [join(folder, "straight"), join(folder, "stopped")];
    await succeed([...args, "--out", straight]);

    const batches: number[] = [];
    let next = [...args, "--out", stopped];
    for (;;) {
      const { code, out, err } = await ocelli(next, { interruptAfter: 40 });
      if (code === 0) break;
      expect(code).toBe(130);
      expect(err).toContain(`go on with: ocelli train --resume ${stopped}`);
      const event = lines(out).at(-1);
      expect(event).toMatchObject({ event: "interrupted", checkpoint: join(stopped, "last.safetensors") });
      batches.push(event?.batch as number);
      next = ["train", "--resume", stopped, "--json"];
    }
    // In the middle of an epoch, not between two.
    expect(Math.max(...batches)).toBeGreaterThan(0);
    expect(last(stopped).equals(last(straight))).toBe(true);
    expect(
      readFileSync(join(stopped, "best.safetensors")).equals(readFileSync(join(straight, "best.safetensors"))),
    ).toBe(true);
  });

  it("says so when there is nothing left to do", async () => {
    const events = lines(await succeed(["train", "--resume", own, "--json"]));
    expect(events).toMatchObject([
      { event: "done", epoch: 2, testAccuracy: expect.any(Number), checkpoint: expect.any(String) },
    ]);
  });

  it("goes on for more epochs", async () => {
    const events = lines(await succeed(["train", "--resume", own, "--epochs", "3", "--json"]));
    expect(events.map(({ event, epoch }) => [event, epoch])).toEqual([
      ["epoch", 3],
      ["done", 3],
    ]);
  });

  it("keeps what the run was started with", async () => {
    const err = await fails(2, ["train", "--resume", own, "--lr", "1", "--batch-size", "3"]);
    expect(err).toContain("--batch-size, --lr: a resumed run keeps what it was started with");
    expect(await fails(2, ["train", "lenet5", "--resume", own])).toContain("trains lenet5_modern, not lenet5");
  });

  it("says that another thread count changes the last digits", async () => {
    const { err } = await ocelli(["train", "--resume", own, "--threads", "2"]);
    expect(err).toContain("began on onnx-cpu with 1 thread");
  });
});

describe("a recipe with everything", { timeout: 120_000 }, () => {
  const everything = [
    ...["--recipe", "resnet-cifar", "--accumulate", "2", "--optimizer", "adamw", "--lr", "0.002", "--decay", "weights"],
    ...["--schedule", "cosine", "--warmup", "0.5", "--clip-norm", "1", "--ema", "0.9", "--label-smoothing", "0.1"],
    ...[
      "--class-weights",
      "balanced",
      "--augment",
      "mnist",
      "--mixup",
      "0.2",
      "--cutmix",
      "1",
      "--freeze",
      "features.0.bias",
    ],
    ...["--early-stop", "5", "--statistics", "--log-every", "4", "--epochs", "2"],
  ];

  it("is stored, told, and resumed to the byte", async () => {
    const [straight, stopped] = [join(folder, "all"), join(folder, "all-stopped")];
    const args = ["train", ...small, ...everything];
    const text = await succeed([...args, "--out", straight]);
    expect(text).toMatch(/^augment +randomAffine, oneOf, mixup, cutMix$/m);
    expect(text).toMatch(
      /^recipe +adamw, learning rate 0\.002 \(rising during the first 0\.5 epochs; falling to 0 along a cosine\), weight decay 0\.01 \(not of biases and norms\)\n +label smoothing 0\.1, classes weighted by how rare they are, gradients clipped at norm 1, running average of the parameters \(decay 0\.9\)\n +2 epochs, batches of 2 times 32, seed 0\n +the recipe's own is 164 epochs in batches of 128: what was not given was scaled$/m,
    );
    const { config } = await RunDirectory.open(straight);
    expect(config).toMatchObject({
      optimizer: { name: "grouped", options: { base: { name: "adamw" } } },
      schedule: { name: "warmup", options: { schedule: { name: "cosine" }, epochs: 0.5 } },
      loss: { name: "crossEntropy", options: { labelSmoothing: 0.1, classWeights: expect.any(Array) } },
      clip: { name: "clipNorm", options: { max: 1 } },
      average: { name: "ema" },
      accumulate: 2,
      freeze: ["features.0.bias"],
      earlyStopping: { patience: 5 },
      statistics: true,
      logEvery: 4,
    });
    let result = await ocelli([...args, "--out", stopped, "--json"], { interruptAfter: 900 });
    for (let i = 0; result.code === 130 && i < 10; i++) {
      result = await ocelli(["train", "--resume", stopped, "--json"], { interruptAfter: 1500 });
    }
    expect(result.code).toBe(0);
    expect(last(stopped).equals(last(straight))).toBe(true);
  });

  it("can be another paper's, or the model's own without its augmentation", async () => {
    const out = join(folder, "cosine");
    await succeed(["train", ...small, "--recipe", "squeezenet", "--epochs", "1", "--out", out]);
    const { config } = await RunDirectory.open(out);
    // For digits nothing is mirrored, whatever the recipe does with photographs.
    expect(config.transform.name).toBe("normalize");
    expect(config.schedule).toMatchObject({ name: "polynomial", options: { power: 1 } });
    expect(config.optimizer.options).toMatchObject({ lr: 0.0025, weightDecay: 2e-4 });
  });
});

describe("results that are computed again", { timeout: 60_000 }, () => {
  it("are those of named modules, or as many as a budget asks for", async () => {
    const out = join(folder, "recomputed");
    const text = await succeed(["train", ...small, "--epochs", "1", "--recompute", "features", "--out", out]);
    expect(text).toMatch(/^memory +recomputed: features$/m);
    expect((await RunDirectory.open(out)).config.recompute).toEqual(["features"]);
    const roomy = await succeed([
      "train",
      ...small,
      "--epochs",
      "1",
      "--recompute",
      "1GB",
      "--out",
      join(folder, "roomy"),
    ]);
    expect(roomy).toMatch(/^memory +everything kept: [\d.]+ MiB at /m);
    const train = ["train", ...small, "--out", join(folder, "none"), "--recompute"];
    expect(await fails(2, [...train, "1MB"])).toMatch(/a budget of .* is too small/);
    expect(await fails(2, [...train, "featurs"])).toMatch(/has no module "featurs"; did you mean features/);
  });
});

describe("recipes", () => {
  it("are listed, and told in full", async () => {
    const all = await succeed(["recipes"]);
    expect(all).toMatch(/^alexnet +sgd, rate 0\.01 +90 x 128 +Krizhevsky et al\. 2012/m);
    const one = await succeed(["recipes", "alexnet"]);
    expect(one).toMatch(
      /^optimizer +sgd, learning rate 0\.01 \(times 0\.1 when 5 epochs bring nothing better, down to times 0\.001\)/,
    );
    expect(one).toMatch(/^augmentation +alexnet\n(.*\n)*models +alexnet_2012, alexnet_cs231n$/m);
    expect(lines(await succeed(["recipes", "resnet", "--json"]))).toMatchObject([
      { name: "resnet", batchSize: 256, optimizer: { name: "sgd", options: { lr: 0.1 } }, models: expect.any(Array) },
    ]);
    expect(await fails(2, ["recipes", "alexnett"])).toContain("Did you mean alexnet");
  });
});
