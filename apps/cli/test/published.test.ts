import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromHostTensor, readSafetensors, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { createModel, type ModelOptions, modelEntry, type WeightsEntry } from "@ocelli/zoo";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { TestServer } from "../../../packages/training/src/node/test-server.mjs";
import { readImage } from "../src/images.js";
import { fails, lines, ocelli, single, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const onCpu = ["--device", "onnx-cpu", "--threads", "1"];
const picture = join(folder, "picture.png");
const server = new TestServer();

function weightsFile(options?: ModelOptions): Uint8Array {
  const model = createModel("resnet20_cifar", options);
  const flat = Object.entries(flattenStateDict(model, model.initialState({ seed: 2 })));
  return writeSafetensors(flat.map(([name, host]) => [name, fromHostTensor(host)] as const));
}

const bytes = weightsFile();
const sha256 = createHash("sha256").update(bytes).digest("hex");
const name = `resnet20-${sha256.slice(0, 8)}.safetensors`;

const entry = modelEntry("resnet20_cifar") as { weights: readonly WeightsEntry[] };
const [own] = entry.weights as readonly [WeightsEntry];

/** Of the zoo's own entry, with another file. */
function publish(more: Partial<WeightsEntry> = {}): void {
  entry.weights = [{ ...own, url: `${server.url}/${name}`, sha256: sha256.slice(0, 8), bytes: bytes.length, ...more }];
}

beforeAll(async () => {
  await server.start();
  const noise = Uint8Array.from({ length: 60 * 45 * 3 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
  await sharp(noise, { raw: { width: 60, height: 45, channels: 3 } }).toFile(picture);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

let cache: string;
let count = 0;
beforeEach(() => {
  cache = join(folder, `cache${count++}`);
  vi.stubEnv("OCELLI_CACHE", cache);
  server.files.set(`/${name}`, { bytes });
  publish();
});

const predict = (source: string, ...more: string[]) => ["predict", source, picture, ...onCpu, "--json", ...more];

describe("published weights", () => {
  it("are downloaded once, checked, and name their classes", async () => {
    const { code, out, err } = await ocelli(predict("resnet20_cifar"));
    expect([code, err]).toEqual([
      0,
      `downloading ${name}\nnote: ${name}: the first 8 digits of its SHA-256 are as published; more are not known\n`,
    ]);
    const { predictions } = single<{ predictions: { class: string }[] }>(out);
    const known = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
    expect(known).toContain(predictions[0]?.class);
    expect(readdirSync(join(cache, "weights"))).toEqual([name]);
    const asked = server.requests.length;
    // By its name, and with a model that is the same.
    const again = await ocelli(predict("resnet20_cifar:cifar10", "--model", "resnet20_cifar"));
    expect([again.out, again.err, server.requests.length]).toEqual([out, "", asked]);
    // The file by itself: the model's first weights say how its images were normalised.
    expect(await ocelli(predict(join(cache, "weights", name), "--model", "resnet20_cifar"))).toEqual(again);
  });

  it("are prepared as they say, also from a file that was exported", async () => {
    publish({ preprocessing: { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4], resize: 40 } });
    const own = await succeed(predict("resnet20_cifar"));
    publish();
    expect(await succeed(predict("resnet20_cifar"))).not.toBe(own);
    publish({ preprocessing: { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4], resize: 40 } });
    const exported = join(folder, "exported.safetensors");
    await succeed(["export", "resnet20_cifar", "--to", "safetensors", "-o", exported]);
    publish();
    expect(await succeed(predict(exported))).toBe(own);
  });

  it("are converted by their name", async () => {
    publish({ preprocessing: { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4], resize: 40 } });
    const [converted, exported] = [join(folder, "by-name.safetensors"), join(folder, "by-export.safetensors")];
    await succeed(["convert", "resnet20_cifar", converted]);
    await succeed(["export", "resnet20_cifar", "--to", "safetensors", "-o", exported]);
    expect(readSafetensors(readFileSync(converted)).metadata).toEqual(readSafetensors(readFileSync(exported)).metadata);
    const own = await succeed(predict("resnet20_cifar"));
    publish();
    expect(await succeed(predict(converted))).toBe(own);
    expect(await fails(1, ["convert", "resnet20_cifarr", converted])).toContain("did you mean resnet20_cifar");
  });

  it("are refused when they are not what was published", async () => {
    server.files.set(`/${name}`, { bytes: bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)) });
    expect(await fails(1, predict("resnet20_cifar"))).toContain(`not ${sha256.slice(0, 8)}; they were deleted`);
    server.files.set(`/${name}`, { bytes: bytes.subarray(0, 1000) });
    expect(await fails(1, predict("resnet20_cifar"))).toContain("the 1000 bytes received");
  });

  it("without a network: what to fetch, and where to put it", async () => {
    const gone = await new TestServer().start();
    const url = `${gone.url}/${name}`;
    await gone.stop();
    publish({ url });
    const err = await fails(1, predict("resnet20_cifar"));
    expect(err).toContain(`to   ${join(cache, "weights", name)}`);
    expect(err).toContain(`Without a network, get ${url} some other way and put it there.`);
  });

  it("are named rightly, or the message helps", async () => {
    expect(await fails(2, predict("resnet20_cifar", "--model", "resnet18"))).toContain(
      "resnet20_cifar is of resnet20_cifar",
    );
    expect(await fails(2, predict("resnet20_cifar:cifar11"))).toContain("did you mean cifar10?");
    expect(await fails(2, predict("lenet5"))).toMatch(/lenet5: no weights are published for it\n.*`ocelli list`/);
    expect(await fails(1, predict("resnet20_cifarr"))).toContain("did you mean resnet20_cifar");
    expect(await fails(1, predict("nothing:v1"))).toContain("no such file or folder, and no model is called nothing");
    expect(await fails(1, predict("some/where"))).toBe("error: some/where: no such file or folder\n");
  });
});

describe("weights of another number of classes", () => {
  it("are taken as they are, without names", async () => {
    const file = join(folder, "five.safetensors");
    writeFileSync(file, weightsFile({ numClasses: 5 }));
    const { predictions } = single<{ predictions: { class: string }[] }>(
      await succeed(predict(file, "--model", "resnet20_cifar", "--top", "9")),
    );
    expect(predictions.map((guess) => guess.class).sort()).toEqual(["0", "1", "2", "3", "4"]);
  });
});

describe("images of another size than the model's own", () => {
  it("are part of a run's model, and of what is exported from it", async () => {
    const run = join(folder, "run");
    const args = ["--data", "digits", "--limit", "8", "--epochs", "1", "--batch-size", "4", ...onCpu, "--out", run];
    await succeed(["train", "resnet20_cifar", ...args]);
    const { model } = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as { model: object };
    expect(model).toEqual({ name: "resnet20_cifar", options: { numClasses: 10, inChannels: 1, inputSize: 28 } });
    const file = join(folder, "digits.safetensors");
    await succeed(["export", run, "--to", "safetensors", "-o", file]);
    expect(lines(await succeed(predict(file)))).toEqual(lines(await succeed(predict(run))));
    const config = JSON.parse(readFileSync(join(run, "run.json"), "utf8")) as { model: { options: object } };
    // The last one is no option that a file of ours has: it could ask for a network of any size.
    for (const odd of [
      { inputSize: [28] },
      { inputSize: [28, 0] },
      { inputSize: "28" },
      { inputSize: 1.5 },
      { n: 9 },
    ]) {
      config.model.options = { numClasses: 10, inChannels: 1, ...odd };
      writeFileSync(join(run, "run.json"), JSON.stringify(config));
      expect(await fails(1, predict(run))).toContain("run.json: not what ocelli writes in options");
    }
  });

  it("are refused where the network would run out", async () => {
    const err = await fails(2, ["train", "inception_v3", "--data", "digits", "--limit", "9", ...onCpu]);
    expect(err).toMatch(
      /^error: inception_v3 takes 3x299x299 images; digits has 1x28x28 in 10 classes\n {2}inception_v3: 28x28 images are too small to train on; the least is 299x299\n {4}conv2d: /,
    );
  }, 30_000);
});

describe("readImage with a resize", () => {
  interface Case {
    readonly width: number;
    readonly height: number;
    readonly resize: number;
    readonly crop: number;
    readonly hex: string;
  }
  // Made by fixtures/resize.py with Pillow and torchvision.
  const cases = JSON.parse(readFileSync(new URL("./fixtures/resize.json", import.meta.url), "utf8")) as Case[];

  it.each(cases)("$width x $height to $resize, of that $crop, as torchvision does", async ({ hex, ...size }) => {
    const { width, height, resize, crop } = size;
    const pixels = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < 3; c++)
          pixels[(y * width + x) * 3 + c] = Math.floor((x * x * 7 + y * y * 3 + x * y * 5 + c * 50) / 11) % 256;
    const file = join(folder, "pattern.png");
    await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
    const { pixels: got } = await readImage(file, [3, crop, crop], { resize });
    const wanted = Buffer.from(hex, "hex");
    expect(got.shape).toEqual([1, 3, crop, crop]);
    const far = [...wanted].map((value, i) => Math.abs(value - (got.data[i] as number)));
    const enlarged = resize > Math.min(width, height);
    expect(Math.max(...far)).toBeLessThanOrEqual(enlarged ? 6 : 2);
    expect(far.reduce((a, b) => a + b, 0) / far.length).toBeLessThan(enlarged ? 3 : 0.5);
  });
});
