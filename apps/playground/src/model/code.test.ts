import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Device, hostTensor } from "@ocelli/core";
import { fromHostTensor, writeSafetensors } from "@ocelli/formats";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { flattenStateDict } from "@ocelli/layers";
import { makeTransform, normalize, predictor } from "@ocelli/training";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildModel } from "./build.js";
import { imageBefore, type Program, type Programmed, programOf } from "./code.js";

/** The program's own exports. */
interface Running {
  readonly classes: readonly string[];
  load(path: string): Promise<{
    predict(images: unknown): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }>;
    dispose(): Promise<void>;
  }>;
  readPicture(path: string): Promise<{ readonly data: Uint8Array; readonly shape: readonly number[] }>;
}

// Inside the repository, where the packages are found, and ignored by git.
const ignored = fileURLToPath(new URL("../../.vite/", import.meta.url));
mkdirSync(ignored, { recursive: true });
const folder = mkdtempSync(join(ignored, "code-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let device: Device;
beforeAll(async () => {
  device = await onnx({ threads: 1 });
});
afterAll(() => device.dispose());

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);
const files = { program: "predict.mts", weights: "weights.safetensors" };

const networks: Readonly<Record<string, Programmed>> = {
  "a model of the zoo, with a border": {
    title: "LeNet-5\nof 1998",
    spec: { kind: "zoo", name: "lenet5_modern" },
    classes: numbered(10),
    transform: named(normalize({ mean: [0.1307], std: [0.3081] })),
  },
  "a model of the zoo, for other images": {
    title: "SqueezeNet",
    spec: { kind: "zoo", name: "squeezenet1_1", inputSize: 64, numClasses: 3 },
    classes: ["cat's", 'a "dog"', "</script>`"],
    transform: named(normalize({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] })),
  },
  "one of a family": {
    title: "ResNet-8",
    spec: { kind: "family", family: "resnet-cifar", values: { depth: 8 }, inputSize: 20, inChannels: 1, numClasses: 4 },
    classes: numbered(4),
    transform: { name: "compose", options: { transforms: [named(normalize({ mean: [0.5], std: [0.5], pad: 2 }))] } },
  },
  "a chain": {
    title: "Mine",
    spec: {
      kind: "layers",
      name: "Mine",
      input: [3, 12, 10],
      numClasses: 5,
      layers: [
        { of: "conv", options: { channels: 4, stride: 2 } },
        { of: "relu", options: {} },
        { of: "max-pool", options: {} },
      ],
    },
    classes: numbered(5),
    transform: named(normalize({ mean: [0], std: [1] })),
  },
};

test.each(Object.entries(networks))("the program of %s gives the network's own answers", async (name, network) => {
  const place = join(folder, name.replaceAll(/\W+/g, "-"));
  const program = programOf(network, { program: `${place}.ts`, weights: `${place}.safetensors` });
  const { model, input } = buildModel(network.spec);
  const values = model.initialState({ seed: 1 });
  const tensors = Object.entries(flattenStateDict(model, values)).map(
    ([key, value]) => [key, fromHostTensor(value)] as const,
  );
  writeFileSync(`${place}.safetensors`, writeSafetensors(tensors));

  const running = await start(program, place);
  expect(running.classes).toEqual(network.classes);
  const [channels, height, width] = imageBefore(network.transform, input);
  const pixels = Uint8Array.from({ length: channels * height * width }, (_, i) => (i * 37) % 256);
  const images = hostTensor(pixels, [1, channels, height, width]);
  const theirs = await running.load(`${place}.safetensors`);
  const answer = await theirs.predict(images);
  await theirs.dispose();
  const transform = makeTransform(network.transform);
  const own = await (await predictor(device, values, { model: model as never, transform }))(images);
  expect(answer.shape).toEqual([1, network.classes.length]);
  expect([...answer.data]).toEqual([...(own.data as Float32Array)]);
});

test("a picture is read as the network takes it, channel by channel", async () => {
  const network = networks["a chain"] as Programmed;
  const place = join(folder, "picture");
  const { readPicture } = await start(programOf(network, files), place);
  const raw = Uint8Array.from({ length: 10 * 12 * 3 }, (_, i) => i % 251);
  await sharp(raw, { raw: { width: 10, height: 12, channels: 3 } })
    .png()
    .toFile(`${place}.png`);
  const { data, shape } = await readPicture(`${place}.png`);
  expect(shape).toEqual([1, 3, 12, 10]);
  expect([...data]).toEqual(Array.from({ length: 360 }, (_, i) => raw[(i % 120) * 3 + Math.floor(i / 120)]));
});

test("of a picture the middle is taken, as large a part as the network was published with", async () => {
  const network = { ...(networks["a model of the zoo, for other images"] as Programmed) };
  const place = join(folder, "middle");
  const { readPicture } = await start(programOf(network, files), place);
  // Grey, with a white square of 64 pixels in the middle of what 256 / 224 * 64 are, and black bars beside it.
  const bars = { top: 0, bottom: 0, left: 20, right: 20, background: "#000" };
  const square = { create: { width: 65, height: 65, channels: 3, background: "#fff" } } as const;
  const border = { top: 4, bottom: 4, left: 4, right: 4, background: "#888" };
  const framed = await sharp(await sharp(square).extend(border).png().toBuffer())
    .extend(bars)
    .png()
    .toBuffer();
  await sharp(framed).toFile(`${place}.png`);
  const { data, shape } = await readPicture(`${place}.png`);
  expect(shape).toEqual([1, 3, 64, 64]);
  expect([...data]).toEqual(Array(3 * 64 * 64).fill(255));
});

test("a program says what to install and how it is started", () => {
  const { text, install, run } = programOf(networks["a chain"] as Programmed, files);
  expect(install).toBe(
    "npm install @ocelli/core @ocelli/formats @ocelli/kernels-cuda-onnx @ocelli/layers @ocelli/training onnxruntime-node sharp",
  );
  expect(text).toContain(install);
  expect(text).toContain(run);
  expect(text).toContain('new URL("weights.safetensors", import.meta.url)');
});

async function start({ text }: Program, place: string): Promise<Running> {
  writeFileSync(`${place}.ts`, text);
  return (await import(/* @vite-ignore */ pathToFileURL(`${place}.ts`).href)) as Running;
}

function named({ name, options }: Programmed["transform"]): Programmed["transform"] {
  return { name, options };
}
