import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { RunDirectory } from "@ocelli/training/node";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { metadataOf } from "../src/commands/export.js";
import { loadModel } from "../src/model.js";
import { fails, ocelli, single, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const [first, second] = [join(folder, "first"), join(folder, "second")];
const onCpu = ["--device", "onnx-cpu", "--threads", "1"];
const onDigits = ["--data", "digits", "--limit", "200", ...onCpu, "--json"];

interface Scores {
  readonly accuracy: number;
  readonly loss: number;
  readonly count: number;
}

beforeAll(async () => {
  for (const [seed, run] of [first, second].entries())
    await succeed(["train", ...small, "--limit", "1000", "--epochs", "2", "--seed", `${seed}`, "--out", run]);
}, 120_000);

describe("eval of several", () => {
  it("is that of their mean probabilities, and of each", async () => {
    const result = single<Scores & { members: (Scores & { file: string })[] }>(
      await succeed(["eval", first, second, ...onDigits]),
    );
    const alone = [first, second].map(async (run) => single<Scores>(await succeed(["eval", run, ...onDigits])));
    const [a, b] = (await Promise.all(alone)) as [Scores, Scores];
    expect(result.members.map(({ accuracy }) => accuracy)).toEqual([a.accuracy, b.accuracy]);
    expect(result.members[0]?.file).toContain(first);
    expect(result.count).toBe(200);
    // -log is convex: the loss of the mean is at most the mean of the losses.
    expect(result.loss).toBeLessThanOrEqual((a.loss + b.loss) / 2);
    expect(result.loss).toBeGreaterThan(0);
    const same = single<Scores>(await succeed(["eval", first, first, ...onDigits]));
    expect(same.accuracy).toBe(a.accuracy);
    expect(same.loss).toBeCloseTo(a.loss, 4);
  });

  it("prints each by name", async () => {
    const out = await succeed(["eval", first, second, ...onDigits.slice(0, -1)]);
    expect(out).toMatch(/^models +lenet5_modern \(.*first.*\) {2}\d+\.\d\d %$/m);
    expect(out).toContain("together: the mean of their probabilities");
  });
});

describe("eval of a run with averages", () => {
  it("takes those, as the run's own epochs were judged by them", async () => {
    const run = join(folder, "averaged");
    const made = ["--epochs", "2", "--ema", "0.95", "--out", run, "--json"];
    const printed = (await succeed(["train", ...small, "--limit", "400", ...made])).trim().split("\n");
    const epochs = printed.map((line) => JSON.parse(line)).filter(({ event }) => event === "epoch");
    const last = single<Scores>(await succeed(["eval", run, "--checkpoint", "last", ...onCpu, "--json"]));
    expect(last.accuracy).toBe(epochs.at(-1).testAccuracy);
    expect(last.loss).toBeCloseTo(epochs.at(-1).testLoss, 4);
  });
});

describe("eval --confusion", () => {
  it("adds the matrix and the scores of each class", async () => {
    interface Confusion extends Scores {
      readonly classes: string[];
      readonly confusion: number[][];
      readonly perClass: { class: string; precision: number | null; recall: number; support: number }[];
    }
    const result = single<Confusion>(await succeed(["eval", first, ...onDigits, "--confusion"]));
    expect(result.classes).toEqual([..."0123456789"]);
    const right = result.confusion.reduce((sum, row, i) => sum + (row[i] as number), 0);
    expect(right / 200).toBeCloseTo(result.accuracy, 9);
    for (const [i, { class: name, recall, support }] of result.perClass.entries()) {
      const row = result.confusion[i] as number[];
      expect([name, support]).toEqual([`${i}`, row.reduce((a, b) => a + b)]);
      expect(recall).toBeCloseTo((row[i] as number) / support, 9);
    }
  });

  it("prints a table for people", async () => {
    const out = await succeed(["eval", first, ...onDigits.slice(0, -1), "--confusion"]);
    expect(out).toMatch(/^ +0 +1 +2 +3 +4 +5 +6 +7 +8 +9$/m);
    expect(out).toMatch(/^class +precision +recall +F1 +images$/m);
    expect(out).toMatch(/^9 +\d+\.\d\d %/m);
  });
});

describe("eval --views", () => {
  // It ends in global pooling, so it takes crops; LeNet-5 does not.
  const pooled = join(folder, "pooled");
  const train = ["train", "resnet20_cifar", "--data", "digits", "--limit", "64", "--batch-size", "32", "--epochs", "1"];

  beforeAll(async () => {
    await succeed([...train, ...onCpu, "--out", pooled]);
  }, 120_000);

  it.each([
    [["--views", "ten", "--crop", "24"], { name: "tenCrop", options: { size: [24, 24] } }],
    [["--views", "five", "--crop", "26"], { name: "fiveCrop", options: { size: [26, 26] } }],
    [["--views", "center", "--crop", "20"], { name: "center", options: { size: [20, 20] } }],
    [["--views", "multi-scale"], { name: "multiScale", options: { sizes: [25, 28, 32], flip: true } }],
    [["--views", "multi-scale", "--scales", "28,40"], { name: "multiScale", options: { sizes: [28, 40], flip: true } }],
  ])("%j", async (args, views) => {
    const small = ["--limit", "20", ...onCpu, "--json"];
    const result = single<Scores & { views: unknown }>(await succeed(["eval", pooled, ...args, ...small]));
    const plain = single<Scores>(await succeed(["eval", pooled, ...small]));
    expect(result.views).toEqual(views);
    expect(result.count).toBe(20);
    expect(result.loss).not.toBe(plain.loss);
  });

  it("at the model's own size alone is what comes without views", async () => {
    const small = ["--limit", "20", ...onCpu, "--json"];
    const result = single<Scores>(await succeed(["eval", pooled, "--views", "center", ...small]));
    const plain = single<Scores>(await succeed(["eval", pooled, ...small]));
    expect(result.accuracy).toBe(plain.accuracy);
    expect(result.loss).toBeCloseTo(plain.loss, 4);
  });

  it("says which models take other sizes", async () => {
    const err = await fails(1, ["eval", first, ...onDigits, "--views", "ten", "--crop", "24"]);
    expect(err).toContain("the model does not take images of 24x24");
    expect(err).toContain("global pooling");
  });
});

describe("eval --knn and --probe", () => {
  it("classify by pixels, without a model", async () => {
    const result = single(await succeed(["eval", "--knn", "3", ...onDigits]));
    expect(result).toMatchObject({ method: "knn", k: 3, metric: "l2", features: "pixels", dimensions: 784 });
    expect(result).toMatchObject({ count: 200, train: 200 });
    expect(result.accuracy).toBeGreaterThan(0.4);
    const l1 = single(await succeed(["eval", "--knn", "1", "--metric", "l1", ...onDigits]));
    expect(l1).toMatchObject({ metric: "l1", k: 1 });
    const probe = single(await succeed(["eval", "--probe", ...onDigits]));
    expect(probe).toMatchObject({ method: "probe", features: "pixels", count: 200 });
    expect(probe.loss).toBeGreaterThan(0);
    expect(probe.accuracy).toBeGreaterThan(0.4);
  });

  it("classify by a network's features", async () => {
    const own = single(await succeed(["eval", first, "--knn", "5", ...onDigits]));
    expect(own).toMatchObject({ features: "input of classifier.3", dimensions: 84 });
    expect(own.accuracy).toBeGreaterThan(0.5);
    const maps = single(await succeed(["eval", first, "--probe", "--features", "features.5", ...onDigits]));
    expect(maps).toMatchObject({ features: "output of features.5", dimensions: 16 });
    expect(await fails(1, ["eval", first, "--probe", "--features", "feature.5", ...onDigits])).toContain(
      'the model has no layer "feature.5"; did you mean features.5',
    );
  });

  it("print what was done", async () => {
    const out = await succeed(["eval", first, "--knn", "1", "--confusion", ...onDigits.slice(0, -1)]);
    expect(out).toMatch(/^classifier +1 nearest neighbour, l2$/m);
    expect(out).toMatch(/^features +input of classifier\.3, 84 numbers an image$/m);
    expect(out).toMatch(/^class +precision/m);
  });
});

describe("eval on a folder of pictures", () => {
  const [pictures, run] = [join(folder, "pictures"), join(folder, "colours")];
  const colours = { blue: { r: 20, g: 30, b: 200 }, red: { r: 220, g: 20, b: 30 } };
  const onFolder = [run, ...onCpu, "--json"];

  beforeAll(async () => {
    for (const [name, colour] of Object.entries(colours)) {
      mkdirSync(join(pictures, name), { recursive: true });
      for (let i = 0; i < 15; i++) {
        const background = { r: colour.r, g: colour.g + 5 * i, b: colour.b };
        const picture = sharp({ create: { width: 50 + i, height: 44, channels: 3, background } });
        await picture.jpeg().toFile(join(pictures, name, `${i}.jpg`));
      }
    }
    const recipe = ["--batch-size", "8", "--epochs", "2", "--lr", "0.05"];
    await succeed(["train", "resnet20_cifar", "--data", pictures, ...recipe, ...onCpu, "--out", run]);
  }, 120_000);

  it("finds those that the training tested on", async () => {
    const result = single<Scores>(await succeed(["eval", ...onFolder]));
    const [last] = (await RunDirectory.open(run).then((directory) => directory.load("best"))).progress.history.slice(
      -1,
    );
    expect(result.count).toBe(6);
    expect(result.accuracy).toBeCloseTo(last?.testAccuracy as number, 6);
    const named = single<Scores>(await succeed(["eval", run, "--data", pictures, ...onCpu, "--json"]));
    expect(named).toEqual(result);
  });

  it("says so when the folder has changed since, as a report does", async () => {
    const changed = join(folder, "changed");
    cpSync(pictures, changed, { recursive: true });
    const moved = [run, "--data-dir", changed, ...onCpu, "--json"];
    expect((await ocelli(["eval", ...moved])).err).not.toContain("is not what it was");
    cpSync(join(pictures, "red", "0.jpg"), join(changed, "red", "new.jpg"));
    cpSync(join(pictures, "red", "1.jpg"), join(changed, "red", "newer.jpg"));
    const message = /note: pictures is not what it was when .*best\.safetensors was trained: the test images may be/;
    for (const command of ["eval", "report"]) expect((await ocelli([command, ...moved])).err).toMatch(message);
    // Another number of them is by choice.
    expect((await ocelli(["eval", ...moved, "--limit", "3"])).err).not.toMatch(message);
  });

  it("are framed alike by what is exported", async () => {
    const loaded = await loadModel(run);
    const { resize } = (loaded.run?.frames?.eval.options ?? {}) as { resize?: number };
    expect(resize).toBe(32);
    const passport = JSON.parse(metadataOf(loaded, false).ocelli as string);
    expect(passport).toMatchObject({ image: [3, 32, 32], resize });
  });

  it("takes crops from larger ones", async () => {
    const result = single<Scores & { views: unknown }>(await succeed(["eval", ...onFolder, "--views", "ten"]));
    expect(result.views).toEqual({ name: "tenCrop", options: { size: [32, 32] } });
    expect(result.count).toBe(6);
    const scales = single<Scores>(await succeed(["eval", ...onFolder, "--views", "multi-scale", "--scales", "32,48"]));
    expect(scales.count).toBe(6);
  });

  it("classifies by features", async () => {
    const near = single<Scores>(await succeed(["eval", ...onFolder, "--knn", "1"]));
    expect(near).toMatchObject({ features: "input of linear", dimensions: 64, train: 24, count: 6 });
    expect(near.accuracy).toBeGreaterThan(0.5);
    const err = await fails(2, ["eval", "--knn", "1", "--data", pictures, ...onCpu]);
    expect(err).toContain("only with a model is it known which they need");
  });
});

describe("eval, called wrongly", () => {
  it.each([
    [[], /needs a run or weights \(only --knn and --probe do without/],
    [["RUN", "--crop", "20"], /--crop is the size of the crops of --views/],
    [["RUN", "--views", "multi-scale", "--crop", "20"], /--crop is the size of the crops of --views/],
    [["RUN", "--views", "ten", "--scales", "20"], /--scales is for --views multi-scale/],
    [["RUN", "--views", "eleven"], /Allowed choices are center, five, ten, multi-scale/],
    [["RUN", "--views", "multi-scale", "--scales", "20,x"], /a whole number, 1 or more/],
    [["RUN", "--views", "ten"], /crops of 28x28 are all the same; --crop N takes smaller ones/],
    [["RUN", "--views", "five", "--crop", "40"], /images of 28x28, which hold no crop of 40x40/],
    [["RUN", "--features", "fc"], /--features is for --knn or --probe/],
    [["RUN", "--metric", "l1"], /--metric is for --knn/],
    [["--knn", "1", "--probe"], /one at a time/],
    [["--knn", "0"], /a whole number, 1 or more/],
    [["--knn", "1", "--features", "fc"], /name a run or weights, too/],
    [["--knn", "1", "--mean", "0.1", "--std", "0.3"], /--mean and --std: for a model; --knn sees the pixels/],
    [["RUN", "--on-broken", "skip"], /--on-broken: for files of pictures; digits has none/],
    [["RUN", "RUN", "--knn", "1"], /the features of one model; 2 are given/],
    [["RUN", "--probe", "--views", "ten"], /leave --views out/],
    [["--knn", "1"], /eval needs --data/],
  ])("ocelli eval %j", async (args, message) => {
    expect(existsSync(first)).toBe(true);
    const data =
      args.length === 2 && args[0] === "--knn" && args[1] === "1" ? [] : ["--data", "digits", "--limit", "20"];
    const given = args.map((arg) => (arg === "RUN" ? first : arg));
    expect(await fails(2, ["eval", ...given, ...data, ...onCpu])).toMatch(message);
  });

  it("more neighbours than there are images", async () => {
    const { code, err } = await ocelli(["eval", "--knn", "30", "--data", "digits", "--limit", "20", ...onCpu]);
    expect(code).toBe(1);
    expect(err).toContain("k is 30; it needs a whole number from 1 to 20");
  });
});
