import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromHostTensor, readSafetensors, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { digits } from "@ocelli/training";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { describeOnAdapter } from "../../../packages/kernels-webgpu/test/adapter.js";
import { loadModel } from "../src/model.js";
import { fails, lines, ocelli, single, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const run = join(folder, "run");
const onCpu = ["--device", "onnx-cpu", "--threads", "1"];
const test = digits({ count: 20, split: "test" });

beforeAll(async () => {
  await succeed(["train", ...small, "--limit", "2000", "--epochs", "3", "--out", run]);
  for (const [i, name] of ["first.png", "second.webp", "third.jpg"].entries()) {
    const raw = { width: 28, height: 28, channels: 1 as const };
    await sharp(test.images.slice(784 * i, 784 * (i + 1)), { raw }).toFile(join(folder, name));
  }
}, 120_000);

describe("eval", () => {
  it("prints accuracy, top5, loss and count, and knows the run's own data", async () => {
    const result = single(await succeed(["eval", run, ...onCpu, "--json"]));
    expect(Object.keys(result)).toEqual(["accuracy", "top5", "loss", "count"]);
    expect(result.count).toBe(2000);
    expect(result.accuracy).toBeGreaterThan(0.5);
    const epochs = lines(readFileSync(join(run, "log.jsonl"), "utf8")).filter(({ type }) => type === "epoch");
    const trained = epochs.map((epoch) => epoch.testAccuracy as number);
    expect(result.accuracy).toBeCloseTo(Math.max(...trained), 5);
  });

  it("refuses data of another shape", async () => {
    const [cifar, bytes] = [join(folder, "cifar10"), Buffer.alloc(3073)];
    mkdirSync(cifar);
    for (const name of ["data_batch_1.bin", "test_batch.bin"]) writeFileSync(join(cifar, name), bytes);
    const err = await fails(2, ["eval", run, "--data", "cifar10", "--data-dir", cifar]);
    expect(err).toContain("lenet5_modern was trained on 1x28x28 images in 10 classes; cifar10 test has 3x32x32");
    const other = await fails(2, ["train", "lenet5_modern", "--data", "cifar10", "--data-dir", cifar]);
    expect(other).toContain("lenet5_modern takes 1x28x28 images; cifar10 has 3x32x32");
  });
});

describe("predict", () => {
  const images = ["first.png", "second.webp", "third.jpg"].map((name) => join(folder, name));

  it("classifies PNG, WebP and JPEG", async () => {
    const results = lines(await succeed(["predict", run, ...images, ...onCpu, "--top", "2", "--json"]));
    expect(results.map(({ image }) => image)).toEqual(images);
    for (const { predictions } of results) {
      expect(predictions).toHaveLength(2);
      expect((predictions as object[])[0]).toEqual({
        class: expect.any(String),
        index: expect.any(Number),
        probability: expect.any(Number),
      });
    }
  });

  it("sees in a larger, dark on light, transparent picture what it sees in the digit itself", async () => {
    const own = single(await succeed(["predict", run, images[0] as string, ...onCpu, "--json"]));
    const paper = join(folder, "paper.png");
    const big = await sharp(images[0]).negate().resize(560, 560, { kernel: "nearest" }).png().toBuffer();
    await sharp(big)
      .ensureAlpha()
      .extend({ left: 40, right: 40, background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .toFile(paper);
    const { out, err } = await ocelli(["predict", run, paper, ...onCpu, "--json"]);
    expect(err).toContain("--invert");
    expect(lines(out)).toHaveLength(1);
    const inverted = single(await succeed(["predict", run, paper, "--invert", ...onCpu, "--json"]));
    const top = (result: Record<string, unknown>): unknown => (result.predictions as { class: string }[])[0]?.class;
    expect(top(inverted)).toBe(top(own));
  });

  it("names what is no picture", async () => {
    const file = join(folder, "text.png");
    writeFileSync(file, "no picture");
    expect(await fails(1, ["predict", run, file])).toContain(`${file}: not a picture that can be read`);
    const cut = join(folder, "cut.png");
    writeFileSync(cut, readFileSync(images[0] as string).subarray(0, 200));
    expect(await fails(1, ["predict", run, cut])).toContain(cut);
    expect(await fails(1, ["predict", run, join(folder, "none.png")])).toContain("no such file");
  });
});

describe("export", () => {
  it("to ONNX: onnxruntime gives the model's logits, from floats and from pixels", async () => {
    const [floats, pixels] = [join(folder, "floats.onnx"), join(folder, "pixels.onnx")];
    const out = await succeed(["export", run, "--to", "onnx", "-o", floats]);
    expect(out).toMatch(/^input +input {2}float32\[N, 1, 28, 28\]/m);
    expect(out).toMatch(/^output +logits {2}float32\[N, 10\]/m);
    await succeed(["export", run, "--to", "onnx", "-o", pixels, "--with-transform"]);
    const { mean, std } = (await loadModel(run)).transform!.options as { mean: number[]; std: number[] };
    const normalised = Float32Array.from(
      test.images,
      (pixel) => (pixel / 255 - (mean[0] as number)) / (std[0] as number),
    );
    const a = await logits(floats, "input", new Tensor("float32", normalised, [20, 1, 28, 28]));
    const b = await logits(pixels, "images", new Tensor("uint8", test.images.slice(), [20, 1, 28, 28]));
    expect(a.length).toBe(200);
    for (let i = 0; i < 200; i++) expect(a[i]).toBeCloseTo(b[i] as number, 3);
    const first = single(await succeed(["predict", run, join(folder, "first.png"), "--top", "10", ...onCpu, "--json"]));
    const ten = b.slice(0, 10);
    const total = ten.reduce((sum, value) => sum + Math.exp(value), 0);
    for (const { index, probability } of first.predictions as { index: number; probability: number }[]) {
      expect(probability).toBeCloseTo(Math.exp(ten[index] as number) / total, 4);
    }
  });

  it("to safetensors: PyTorch's names, and a file that can be evaluated on its own", async () => {
    const file = join(folder, "weights.safetensors");
    await succeed(["export", run, "--to", "safetensors", "-o", file]);
    const { tensors, metadata } = readSafetensors(readFileSync(file));
    expect([...tensors.keys()].slice(0, 3)).toEqual(["features.0.weight", "features.0.bias", "features.3.weight"]);
    expect(metadata.format).toBe("pt");
    const args = ["--data", "digits", "--limit", "100", ...onCpu, "--json"];
    expect(await succeed(["eval", file, ...args])).toBe(await succeed(["eval", run, ...args]));
  });

  it("writes num_batches_tracked as PyTorch does", async () => {
    const [resnet, file] = [join(folder, "resnet"), join(folder, "resnet.safetensors")];
    const args = ["--data", "digits", "--limit", "16", "--epochs", "2", ...onCpu];
    await succeed(["train", "resnet20_cifar", ...args, "--out", resnet]);
    await succeed(["export", resnet, "--checkpoint", "last", "--to", "safetensors", "-o", file]);
    const counter = readSafetensors(readFileSync(file)).tensors.get("bn1.num_batches_tracked");
    expect(counter).toMatchObject({ dtype: "I64", shape: [] });
    expect(counter?.bytes[0]).toBe(2);
  });

  it("leaves nothing behind when it cannot write", async () => {
    expect(await fails(2, ["export", run, "--to", "onnx", "-o", join(folder, "no", "x.onnx")])).toContain(
      "there is no folder",
    );
    expect(await fails(2, ["export", run, "--to", "onnx", "-o", folder])).toContain("is a folder");
    expect(existsSync(join(folder, "no"))).toBe(false);
  });
});

describe("weights from elsewhere", () => {
  it("need --model, and must fit it", async () => {
    const { model, values } = await loadModel(run);
    const flat = Object.entries(flattenStateDict(model, values)).map(
      ([name, host]) => [name, fromHostTensor(host)] as const,
    );
    const file = join(folder, "foreign.safetensors");
    writeFileSync(file, writeSafetensors(flat));
    const args = ["--data", "digits", "--limit", "200", ...onCpu, "--json"];
    expect(await fails(2, ["eval", file, ...args])).toContain("--model");
    const err = await fails(1, ["eval", file, "--model", "lenet5", ...args]);
    expect(err).toContain(file);
    expect(err).toContain("missing");
    const result = single(await succeed(["eval", file, "--model", "lenet5_modern", ...args]));
    expect(result.accuracy).toBeGreaterThan(0.5);
    const { err: said } = await ocelli([
      "predict",
      file,
      join(folder, "first.png"),
      "--model",
      "lenet5_modern",
      ...onCpu,
    ]);
    expect(said).toContain("--mean and --std");
  });
});

describe("bench", () => {
  it.each(["train", "infer"])("%s prints the agreed object", async (mode) => {
    const result = single(
      await succeed(["bench", "lenet5_modern", "--mode", mode, "--batch", "8", "--seconds", "0.2", ...onCpu, "--json"]),
    );
    const keys =
      "model mode device adapter batch threads imagesPerSecond msMedian msMin msMax compileMs peakMemoryBytes";
    expect(Object.keys(result)).toEqual(keys.split(" "));
    expect(result).toMatchObject({ model: "lenet5_modern", mode, device: "onnx-cpu", batch: 8, threads: 1 });
    expect(result.msMin).toBeLessThanOrEqual(result.msMedian as number);
    expect(result.peakMemoryBytes).toBeGreaterThan(1e6);
  });

  it("prints a few lines for people", async () => {
    const out = await succeed(["bench", "lenet5_modern", "--batch", "8", "--seconds", "0.1", ...onCpu]);
    expect(out).toMatch(/^speed +[\d,]+ images\/s$/m);
  });

  describeOnAdapter("with --profile", () => {
    const args = [
      "bench",
      "lenet5_modern",
      "--mode",
      "infer",
      "--batch",
      "2",
      "--seconds",
      "0.1",
      "--device",
      "webgpu",
    ];
    const file = join(folder, "trace.json");

    it("prints the kernels' times and writes a trace", async () => {
      const out = await succeed([...args, "--profile", file]);
      expect(out).toMatch(/^speed +[\d,]+ images\/s$/m);
      expect(out).toMatch(/^ *ms\/run +share +count +GFLOP\/s +GB\/s +kernel +module$/m);
      expect(out).toMatch(/ conv2d +features\.0$/m);
      expect(out).toContain(`wrote ${file}`);
      const { traceEvents } = JSON.parse(readFileSync(file, "utf8")) as { traceEvents: { name: string; ph: string }[] };
      expect(traceEvents.some(({ name, ph }) => name === "conv2d" && ph === "X")).toBe(true);
    });

    it("prints one object with the rows", async () => {
      const { device, profile } = single<Record<string, unknown>>(
        await succeed([...args, "--profile", file, "--json"]),
      );
      expect(device).toBe("webgpu");
      const { rows, ...rest } = profile as { runs: number; rows: Record<string, unknown>[] };
      expect(rest).toEqual({ clock: expect.stringMatching(/^(device|host)$/), runs: expect.any(Number), trace: file });
      expect(rest.runs).toBeGreaterThan(0);
      expect(Object.keys(rows[0]!).sort()).toEqual(
        "bytes count gbps gflops kernel label macs module msMean msTotal share".split(" "),
      );
      expect(rows.every(({ count }) => count === rest.runs)).toBe(true);
    });

    it("says when the trace cannot be written", async () => {
      const missing = join(folder, "nowhere", "trace.json");
      expect((await ocelli([...args, "--profile", missing])).err).toContain(`${missing}: no such file or folder`);
    });
  });
});

async function logits(file: string, name: string, tensor: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const { logits: result } = await session.run({ [name]: tensor });
  await session.release();
  return result!.data as Float32Array;
}
