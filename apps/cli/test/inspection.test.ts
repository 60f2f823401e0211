import { modelNames } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { entryOf, transformFor } from "../src/model.js";
import { fails, lines, single, succeed } from "./harness.js";

describe("a model's normalisation", () => {
  it("is the data's own where its numbers are of other channels", () => {
    const grey = { mean: [0.1], std: [0.3] };
    expect(transformFor(entryOf("resnet18"), grey).options).toMatchObject(grey);
    const colour = { mean: [0.1, 0.1, 0.1], std: [0.3, 0.3, 0.3] };
    expect(transformFor(entryOf("resnet18"), colour).options.mean).toEqual([0.485, 0.456, 0.406]);
  });
});

describe("list", () => {
  it("shows models paper by paper: name, input, parameters, what it is, weights", async () => {
    const out = await succeed(["list"]);
    expect(out).toMatch(
      /^LeCun[^\n]*\n( {2}\w[^\n]*\n)* {2}lenet5_modern +1x28x28 +61,706 {2}LeNet-5 as it is built today/m,
    );
    expect(out).toMatch(/^ {2}resnet20_cifar +3x32x32 +269,722 {2}.* \[cifar10\]$/m);
    const headings = out.split("\n").filter((line) => /^He, Zhang, Ren, Sun: Deep Residual Learning/.test(line));
    expect(headings.length).toBeGreaterThan(0);
  });

  it("prints an object a model with --json, with all that is known about it", async () => {
    const models = lines(await succeed(["list", "--json"]));
    expect(models.map(({ name }) => name)).toEqual(modelNames);
    expect(models).toContainEqual(
      expect.objectContaining({
        name: "resnet20_cifar",
        parameters: 269_722,
        input: [3, 32, 32],
        numClasses: 10,
        head: "linear",
        citation: expect.stringContaining("Deep Residual Learning"),
        recipe: expect.objectContaining({
          optimizer: expect.objectContaining({ name: "sgd" }),
          schedule: { name: "multiStep", options: { milestones: expect.any(Array), gamma: expect.any(Number) } },
        }),
        weights: [expect.objectContaining({ name: "cifar10", licence: "BSD-2-Clause" })],
      }),
    );
  });
});

describe("summary", () => {
  it("prints a table with totals", async () => {
    const out = await succeed(["summary", "lenet5_modern"]);
    expect(out).toMatch(/^features\.0 +Conv2d +6x28x28 +156 +117,600/m);
    expect(out).toMatch(/^parameters +61,706/m);
  });

  it("takes another input and number of classes", async () => {
    const result = single(
      await succeed(["summary", "resnet20_cifar", "--input", "1x28x28", "--classes", "7", "--json"]),
    );
    expect(result.input).toEqual([1, 28, 28]);
    expect((result.rows as { outputShape: number[] }[]).at(-1)?.outputShape).toEqual([7]);
  });

  it("prints comma-separated values, all columns", async () => {
    const out = await succeed(["summary", "lenet5_modern", "--csv"]);
    expect(out.split("\n")[0]).toMatch(
      /^layer,type,output,parameters,multiply_adds,activation_bytes,receptive_field,.*,flops,.*,used$/,
    );
    expect(out).toContain("features.0,Conv2d,6x28x28,156,117600,");
  });

  it("shows the course's totals of VGG-16", async () => {
    const out = await succeed(["summary", "vgg16"]);
    expect(out).toMatch(/^ +138,344,128 weights, 13,416 biases$/m);
    expect(out).toMatch(/^activations +15,237,608 values, 61\.0 MB .*an image/m);
    const { totals } = single<{ totals: object }>(await succeed(["summary", "vgg16", "--json"]));
    expect(totals).toMatchObject({ weights: 138_344_128, storedValues: 15_237_608, storedBytes: 60_950_432 });
  });

  it("prints torchsummary's table of VGG-19", async () => {
    const out = await succeed(["summary", "vgg19", "--style", "torchsummary", "--input", "3x227x227"]);
    expect(out).toMatch(/^ +Conv2d-1 +\[-1, 64, 227, 227\] +1,792$/m);
    expect(out).toContain(
      [
        "Total params: 143,667,240",
        "Trainable params: 143,667,240",
        "Non-trainable params: 0",
        "-".repeat(64),
        "Input size (MB): 0.59",
        "Forward/backward pass size (MB): 242.32",
        "Params size (MB): 548.05",
        "Estimated Total Size (MB): 790.96",
      ].join("\n"),
    );
  });

  it("fits a terminal, and adds up blocks", async () => {
    const out = await succeed(["summary", "resnet110_cifar"], { columns: 80 });
    const table = out.split("\n").filter((line) => /^(layer|conv|bn|pool|linear|\(model)/.test(line));
    expect(table.length).toBeGreaterThan(250);
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(80);
    const blocks = await succeed(["summary", "resnet110_cifar", "--depth", "1"]);
    expect(blocks.split("\n").filter((line) => /^layer[123] /.test(line))).toHaveLength(3);
  });

  it("tells the peak of inference, and of a training step when asked", async () => {
    type Peaks = Record<"inference" | "training", Record<string, number> | undefined>;
    const peaks = async (...flags: string[]): Promise<Peaks> =>
      single<{ memory: Peaks }>(await succeed(["summary", "lenet5_modern", "--json", ...flags])).memory;
    const { inference, training } = await peaks("--training", "--batch", "32");
    // The first map and what it is pooled to.
    expect(inference).toMatchObject({ parameters: 4 * 61_706, activations: 4 * 32 * (4704 + 1176), optimizerState: 0 });
    expect(training).toMatchObject({ parameters: 4 * 61_706, optimizerState: 4 * 61_706 });
    expect((await peaks()).training).toBeUndefined();
    const out = await succeed(["summary", "lenet5_modern", "--training"]);
    expect(out).toMatch(/^inference +\S+ [kM]B at the peak, in features\.2\/maxPool2d$/m);
    expect(out).toMatch(/^training +\S+ [kM]B at the peak of a step, in /m);
  });

  it("names the layer that an image is too small for, and the least size", async () => {
    const message = await fails(1, ["summary", "vgg16", "--input", "3x8x8"]);
    expect(message).toMatch(/8x8 images are too small; the least is 32x32/);
    expect(message).toMatch(/maxPool2d: the window .* does not fit[\s\S]*at features\.23 /);
    const channels = await fails(1, ["summary", "lenet5", "--input", "3x32x32"]);
    expect(channels).toMatch(/built for 3 channels/);
  });

  it("asks for a second image where one has no statistics", async () => {
    const message = await fails(2, ["summary", "inception_v3", "--training"]);
    expect(message).toMatch(
      /try --batch 2[\s\S]*BatchNorm2d: input has one value a channel[\s\S]*at AuxLogits\.conv1\.bn/,
    );
    await succeed(["summary", "inception_v3", "--training", "--batch", "2"]);
  });

  it("refuses what cannot be combined", async () => {
    expect(await fails(2, ["summary", "vgg16", "--style", "keras"])).toMatch(
      /Allowed choices are ocelli, torchsummary/,
    );
    expect(await fails(2, ["summary", "vgg16", "--style", "torchsummary", "--depth", "1"])).toMatch(
      /cannot be used with/,
    );
    expect(await fails(2, ["summary", "vgg16", "--depth", "-1"])).toMatch(/a whole number, 0 or more/);
  });
});

describe("images that a network does not take", () => {
  it("are refused in one message: which layer ran out, and the least size", async () => {
    const err = await fails(1, ["summary", "inception_v3", "--input", "3x32x32"]);
    expect(err).toMatch(
      /^error: inception_v3: 32x32 images are too small; the least is 75x75\n {2}conv2d: .*\n {4}at Mixed_6a\.[^\n]*\n$/,
    );
  });
});

describe("doctor", () => {
  it("says what works and what is missing", async () => {
    const report = single(await succeed(["doctor", "--json"]));
    expect(report).toMatchObject({ node: process.versions.node, platform: process.platform });
    expect(Object.keys(report.versions as object)).toEqual(["onnxruntime-node", "webgpu", "sharp"]);
    const devices = report.devices as { name: string; works: boolean; message?: string; details?: object }[];
    expect(devices.map(({ name }) => name)).toEqual(["onnx-cpu", "onnx-cuda", "onnx-webgpu", "webgpu", "reference"]);
    expect(devices.find(({ name }) => name === "onnx-cpu")?.works).toBe(true);
    for (const { works, message } of devices) if (!works) expect(message).toBeTruthy();
    const webgpu = devices.find(({ name }) => name === "webgpu");
    if (webgpu?.works)
      expect(webgpu.details).toMatchObject({ software: expect.any(Boolean), features: expect.any(Array) });
    else expect(webgpu?.message).toMatch(/npm install webgpu|no adapter/);
  }, 60_000);

  it("prints one margin for people", async () => {
    expect(await succeed(["doctor"])).toMatch(/^Node +\d+.*\n/m);
  }, 60_000);
});
