import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type StateDict, toNumbers } from "@ocelli/core";
import { fromHostTensor, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { digits } from "@ocelli/training";
import { RunDirectory, readCheckpoint } from "@ocelli/training/node";
import { createModel, modelEntry } from "@ocelli/zoo";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import type { Io } from "../src/io.js";
import type { LoadedModel } from "../src/model.js";
import { startingValues } from "../src/transfer.js";
import { fails, lines, ocelli, single, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const place = (name: string): string => join(folder, name);
const pretrained = place("pretrained");
const head = "classifier.3";

const values = async (run: string): Promise<StateDict> => (await readCheckpoint(join(run, "last.safetensors"))).values;
const entry = ({ params }: StateDict, name: string): number[] => [
  ...toNumbers((params as StateDict[string])[name] as never),
];

/** Everything but the last layer. */
const frozen = ["--freeze", "features.*", "classifier.1.*"];

beforeAll(async () => {
  await succeed(["train", ...small, "--epochs", "2", "--lr", "0.05", "--out", pretrained]);
}, 60_000);

describe("a training that starts from weights", { timeout: 120_000 }, () => {
  it("has them all, and goes on", async () => {
    const out = place("further");
    const text = await succeed([
      "train",
      ...small,
      "--epochs",
      "1",
      "--lr",
      "1e-9",
      "--init-from",
      pretrained,
      "--out",
      out,
    ]);
    expect(text).toMatch(new RegExp(`^start +${pretrained}$`, "m"));
    const [before, after] = [await values(pretrained), await values(out)];
    const [a, b] = [entry(before, `${head}.weight`), entry(after, `${head}.weight`)];
    expect(Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))))).toBeLessThan(1e-6);
    const { config } = await RunDirectory.open(out);
    expect(config.initFrom).toEqual({ source: pretrained, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    // Normalised as the weights know it, whatever the new data look like.
    expect(config.transform).toEqual((await RunDirectory.open(pretrained)).config.transform);
  });

  it("takes files of weights, and a fresh classifier", async () => {
    const file = place("weights.pth");
    await succeed(["export", pretrained, "--to", "pth", "-o", file, "--checkpoint", "last"]);
    const out = place("from-file");
    const args = ["--init-from", file, "--head", "new", "--epochs", "1", "--lr", "1e-9", "--seed", "5"];
    const text = await succeed(["train", ...small, ...args, "--out", out]);
    expect(text).toMatch(/^start +.*weights\.pth, with a new classifier$/m);
    const [before, after] = [await values(pretrained), await values(out)];
    expect(entry(after, "features.0.bias")[0]).toBeCloseTo(entry(before, "features.0.bias")[0] as number, 6);
    expect(entry(after, `${head}.bias`)[0]).not.toBeCloseTo(entry(before, `${head}.bias`)[0] as number, 3);
  });

  it("trains the classifier on features that are worked out once", async () => {
    const out = place("cached");
    const args = ["--init-from", pretrained, "--head", "new", ...frozen, "--epochs", "3"];
    const text = await succeed(["train", ...small, ...args, "--out", out]);
    expect(text).toMatch(/^frozen +features\.\* classifier\.1\.\*$/m);
    expect(text).toMatch(/^features cached: 640 images in /m);
    const [before, after] = [await values(pretrained), await values(out)];
    expect(Object.keys(after.params as object)).toEqual(Object.keys(before.params as object));
    expect(entry(after, "features.0.weight")).toEqual(entry(before, "features.0.weight"));
    expect(entry(after, `${head}.weight`)).not.toEqual(entry(before, `${head}.weight`));
    // The checkpoint is the whole model's.
    const { accuracy } = single<{ accuracy: number }>(
      await succeed(["eval", out, "--checkpoint", "last", "--device", "onnx-cpu", "--json"]),
    );
    const done = lines(readFileSync(join(out, "log.jsonl"), "utf8")).at(-1);
    expect(accuracy).toBeCloseTo(done?.testAccuracy as number, 6);
  });

  it("comes to the same without keeping features", async () => {
    const args = ["--init-from", pretrained, ...frozen, "--epochs", "2", "--json"];
    const kept = lines(await succeed(["train", ...small, ...args, "--out", place("kept")]));
    expect(kept[0]).toMatchObject({ event: "features cached", images: 640 });
    // Dropout of nothing is still chance.
    const augmented = await ocelli([
      "train",
      ...small,
      ...args.slice(0, -1),
      "--augment",
      "mnist",
      "--out",
      place("moved"),
    ]);
    expect(augmented.err).toMatch(
      /^note: every step runs the whole network: chance has a part in what classifier\.3 is given; --augment none may change that$/m,
    );
    expect(augmented.code).toBe(0);
  });

  it("ends with the bytes of one that was never interrupted", async () => {
    const args = [
      "train",
      "lenet5_modern",
      "--data",
      "digits",
      "--limit",
      "1500",
      "--device",
      "onnx-cpu",
      "--threads",
      "1",
    ];
    const more = ["--init-from", pretrained, "--head", "new", ...frozen, "--epochs", "40", "--json"];
    const [straight, stopped] = [place("straight"), place("stopped")];
    await succeed([...args, ...more, "--out", straight]);
    let result = await ocelli([...args, ...more, "--out", stopped], { interruptAfter: 60 });
    for (let i = 0; result.code === 130 && i < 20; i++) {
      result = await ocelli(["train", "--resume", stopped, "--json"], { interruptAfter: 400 });
    }
    expect(result.code).toBe(0);
    const bytes = (run: string): Buffer => readFileSync(join(run, "last.safetensors"));
    expect(bytes(stopped).equals(bytes(straight))).toBe(true);
  });

  it("can be stopped before its first step, while features are worked out", async () => {
    const out = place("early");
    const args = [...small, "--init-from", pretrained, "--head", "new", ...frozen, "--epochs", "1", "--out", out];
    const { code, err } = await ocelli(["train", ...args], { interruptAfter: 0 });
    expect(err).toContain(`stopped before a step was taken\ngo on with: ocelli train --resume ${out}`);
    expect(code).toBe(130);
    expect(await succeed(["train", "--resume", out])).toMatch(/^features cached: 640 images/m);
  });

  it("gives layers nearer to the input lower rates", async () => {
    const out = place("layers");
    const args = ["--init-from", pretrained, "--layer-decay", "0.5", "--epochs", "1"];
    const text = await succeed(["train", ...small, ...args, "--out", out]);
    expect(text).toMatch(/lower rates nearer to the input \(down to times 0\.063\)/);
    const { config } = await RunDirectory.open(out);
    expect(config.optimizer.name).toBe("grouped");
  });
});

describe("another number of classes, in picture files", { timeout: 120_000 }, () => {
  const pictures = place("pictures");
  const args = [
    "train",
    "lenet5_modern",
    "--data",
    pictures,
    "--device",
    "onnx-cpu",
    "--threads",
    "1",
    "--batch-size",
    "16",
  ];

  beforeAll(async () => {
    const { images, labels } = digits({ split: "train", count: 300 });
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (label > 2) continue;
      const directory = join(pictures, ["zero", "one", "two"][label] as string);
      mkdirSync(directory, { recursive: true });
      const raw = { raw: { width: 28, height: 28, channels: 1 as const } };
      await sharp(images.slice(i * 784, (i + 1) * 784), raw)
        .resize(40, 40)
        .png()
        .toFile(join(directory, `${i}.png`));
    }
  });

  it("needs a new head, which is trained to tell them apart", async () => {
    const err = await fails(2, [...args, "--init-from", pretrained, "--out", place("pictures-run")]);
    expect(err).toMatch(/it tells 10 classes apart and the data have 3; --head new/);
    const more = [
      "--init-from",
      pretrained,
      "--head",
      "new",
      "--freeze",
      "features.*",
      "--epochs",
      "8",
      "--lr",
      "0.05",
    ];
    const out = place("pictures-run");
    const { out: text, err: notes, code } = await ocelli([...args, ...more, "--out", out]);
    expect({ code, notes }).toEqual({ code: 0, notes: expect.stringMatching(/^note: .* no pictures for tests/) });
    expect(text).toMatch(/^data +pictures, \d+ training and \d+ test images \(1x28x28, 3 classes\)$/m);
    expect(text).toMatch(/^features cached/m);
    const { config } = await RunDirectory.open(out);
    expect(config).toMatchObject({
      classes: ["one", "two", "zero"],
      data: { name: "pictures", dir: pictures, labels: expect.any(String) },
      frames: { train: { name: "center" }, eval: { name: "center" } },
    });
    expect(lines(readFileSync(join(out, "log.jsonl"), "utf8")).at(-1)?.testAccuracy).toBeGreaterThan(0.8);
    const resumed = await ocelli(["train", "--resume", out, "--epochs", "9"]);
    expect(resumed.code).toBe(0);
    expect(resumed.out).toMatch(/^features cached/m);
  });

  it("is seen in other parts in each epoch by its own choice, and says so", async () => {
    const more = ["--init-from", pretrained, "--head", "new", "--freeze", "features.*", "--epochs", "1"];
    const { err, code } = await ocelli([...args, ...more, "--augment", "torchvision", "--out", place("cuts")]);
    expect(err).toMatch(
      /^note: every step runs the whole network: pictures are cut at random; --augment none may change that$/m,
    );
    expect(code).toBe(0);
  });
});

describe("a network with auxiliary classifiers", () => {
  it("has new ones of them, too, for another number of classes", () => {
    const build = (numClasses: number) => createModel("googlenet_2014", { numClasses, inputSize: 80 });
    const [model, target] = [build(5), build(3)];
    const loaded = {
      entry: modelEntry("googlenet_2014"),
      model,
      values: model.initialState({ seed: 0 }),
      options: { numClasses: 5 },
    };
    const origin = { source: "weights.pth", sha256: "", loaded: loaded as unknown as LoadedModel };
    const notes: string[] = [];
    const io = { stderr: { write: (text: string) => notes.push(text) } } as unknown as Io;
    const started = startingValues(io, origin, {
      name: "googlenet_2014",
      entry: loaded.entry,
      model: target,
      classes: 3,
      head: "new",
      seed: 1,
    });
    expect(notes.join("")).toMatch(/^note: \S+ and \S+: fresh as well, for the data's 3 classes\n$/);
    const shapes = Object.entries(started.params ?? {}).map(([name, { shape }]) => [name, [...shape]]);
    expect(shapes).toEqual([...target.parameters()].map(([name, { shape }]) => [name, [...shape]]));
  });
});

describe("what does not go together", { timeout: 60_000 }, () => {
  const train = (...args: string[]) => fails(2, ["train", ...small, "--out", place("wrong"), ...args]);

  it("is said before anything is loaded", async () => {
    expect(await train("--head", "new")).toContain("--head new is for --init-from");
    expect(await train("--init-from", "resnet18")).toContain(
      "--init-from cannot start lenet5_modern: resnet18 is of resnet18",
    );
    expect(await train("--recipe", "resnets")).toMatch(/recipe: "resnets" is unknown\. Did you mean resnet/);
    expect(await train("--augment", "cifr")).toMatch(/--augment: "cifr" is unknown\. Did you mean cifar/);
  });

  it("names the pattern that freezes nothing", async () => {
    const { err, code } = await ocelli(["train", ...small, "--freeze", "feature.*", "--out", place("nothing")]);
    expect(err).toMatch(/freeze: "feature\.\*" fits no name of the model/);
    expect(code).toBe(2);
  });

  it("tells weights of another network, and of other classes, which a new head mends", async () => {
    const file = place("modern.pth");
    await succeed(["convert", pretrained, file]);
    const err = await fails(1, ["train", "lenet5", ...small.slice(1), "--init-from", file, "--out", place("wrong")]);
    expect(err).toMatch(/^error: .*modern\.pth: the values do not fit the model/);
    const five = createModel("lenet5_modern", { numClasses: 5 });
    const flat = flattenStateDict(five, five.initialState({ seed: 0 }));
    const fiveClasses = place("five.safetensors");
    writeFileSync(
      fiveClasses,
      writeSafetensors(Object.entries(flat).map(([name, value]) => [name, fromHostTensor(value)] as const)),
    );
    expect(await train("--init-from", fiveClasses)).toMatch(
      /five\.safetensors: it tells 5 classes apart and the data have 10; --head new puts a fresh classifier in its place/,
    );
    await succeed([
      "train",
      ...small,
      "--init-from",
      fiveClasses,
      "--head",
      "new",
      "--epochs",
      "1",
      "--out",
      place("ten"),
    ]);
    expect(entry(await values(place("ten")), `${head}.bias`)).toHaveLength(10);
  });

  it("names what would leave nothing to train", async () => {
    expect(await train("--freeze", "*")).toContain("--freeze *: nothing is left to train");
  });
});
