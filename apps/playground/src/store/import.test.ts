import { flattenState, hostTensor, type StateDict } from "@ocelli/core";
import { fromHostTensor, writePyTorch, writeSafetensors } from "@ocelli/formats";
import { modelEntry } from "@ocelli/zoo";
import { describe, expect, test } from "vitest";
import { buildModel } from "../model/build.js";
import type { NetworkCard } from "../model/card.js";
import { type ExportFormat, encodeNetwork, expectedBytes } from "../workers/export/encode.js";
import { weightsEndings } from "./endings.js";
import { checkWeightsFile, fittingModels, publishedCard, readWeights, specFor, valuesFor } from "./import.js";

const lenet: NetworkCard = {
  title: "LeNet-5 on digits",
  spec: { kind: "zoo", name: "lenet5_modern" },
  classes: Array.from({ length: 10 }, (_, i) => `${i}`),
  transform: { name: "normalize", options: { mean: [0.1307], std: [0.3081] } },
  accuracy: 0.98,
};

const residual: NetworkCard = {
  title: "Mine",
  spec: { kind: "family", family: "resnet-cifar", values: { depth: 8 }, numClasses: 3 },
  classes: ["cat", "dog", "owl"],
  transform: { name: "normalize", options: { mean: [0.5], std: [0.25], pad: 2 } },
  accuracy: null,
};

const endings: Readonly<Record<ExportFormat, string>> = {
  onnx: "onnx",
  safetensors: "safetensors",
  pytorch: "pth",
  checkpoint: "safetensors",
};

const valuesOf = ({ spec }: NetworkCard): StateDict => buildModel(spec).model.initialState({ seed: 3 });
/** Names, dtypes, shapes and bytes: quicker to compare than numbers. */
const bytesIn = (values: StateDict): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(flattenState(values), ([name, { dtype, shape, data }]) => [
      name,
      `${dtype} ${shape} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64")}`,
    ]),
  );

const bytesOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

describe.each(Object.entries(endings) as [ExportFormat, string][])("a network in a %s file", (format, ending) => {
  test.each([lenet, residual])("comes back with its values: $title", async (card) => {
    const values = valuesOf(card);
    const bytes = encodeNetwork(format, card, values);
    const file = await readWeights(bytesOf(bytes), `network.${ending}`);
    expect(bytesIn(valuesFor(file, card.spec))).toEqual(bytesIn(values));
    const { accuracy, ...told } = card;
    // PyTorch's files have no place for it.
    if (format === "pytorch") expect(file.card).toBeUndefined();
    else expect(file.card).toEqual(accuracy === null ? told : card);
    const expected = expectedBytes(card.spec);
    expect(Math.abs(bytes.length - expected)).toBeLessThan(0.1 * expected + 40_000);
  });
});

test("an ONNX file with the transform inside has the same constants", async () => {
  const values = valuesOf(residual);
  const file = await readWeights(bytesOf(encodeNetwork("onnx", residual, values, { withTransform: true })), "a.onnx");
  expect(bytesIn(valuesFor(file, residual.spec))).toEqual(bytesIn(values));
});

test("a checkpoint of the command says its network, and is read by its averages", async () => {
  const values = valuesOf(lenet);
  const params = Object.entries(values.params ?? {});
  const tensors = [
    ...params.map(([name, host]) => [`params/${name}`, fromHostTensor(zeros(host.shape))] as const),
    ...params.map(([name, host]) => [`ema/${name}`, fromHostTensor(host)] as const),
    ["optimizer/momentum", fromHostTensor(zeros([3]))] as const,
  ];
  const run = JSON.stringify({
    model: { name: "lenet5_modern", options: { numClasses: 10, inputSize: [28, 28] } },
    classes: lenet.classes,
    image: [1, 28, 28],
    transform: lenet.transform,
    optimizer: { name: "sgd", options: {} },
  });
  const bytes = writeSafetensors(tensors, { format: "ocelli-checkpoint-1", progress: "{}", run });
  const file = await readWeights(bytesOf(bytes), "last.safetensors");
  expect(file.card).toEqual({
    spec: { kind: "zoo", name: "lenet5_modern", numClasses: 10, inputSize: 28 },
    classes: lenet.classes,
    transform: lenet.transform,
  });
  expect(bytesIn(valuesFor(file, lenet.spec))).toEqual(bytesIn(values));
});

test("a file that does not say its network fits some of the zoo, with as many classes as it has", async () => {
  const spec = { kind: "zoo", name: "resnet20_cifar", numClasses: 7 } as const;
  const bytes = encodeNetwork("pytorch", { ...residual, spec }, valuesOf({ ...residual, spec }));
  const file = await readWeights(bytesOf(bytes), "weights.pth");
  expect(fittingModels(file)).toContainEqual(spec);
  expect(specFor(file, { kind: "zoo", name: "resnet20_cifar" })).toEqual(spec);
});

test("what does not fit is told in the library's words, and nothing comes of it", async () => {
  const file = await readWeights(bytesOf(encodeNetwork("pytorch", lenet, valuesOf(lenet))), "lenet.pth");
  expect(() => valuesFor(file, residual.spec)).toThrow(/lenet.pth: the values do not fit the model\n.*missing/s);
});

test.each([
  ["notes.txt", 10, /notes.txt: networks are in files that end in .safetensors/],
  ["huge.pth", 1e11, /100.0 GB; the playground reads files of up to 2.1 GB/],
  ["none.onnx", 0, /none.onnx is empty/],
])("%s of %d bytes is refused unread", (name, size, reason) => {
  expect(() => checkWeightsFile({ name, size })).toThrow(reason);
});

test("damaged files are the formats' errors", async () => {
  const whole = encodeNetwork("safetensors", lenet, valuesOf(lenet));
  for (const ending of weightsEndings)
    await expect(readWeights(bytesOf(whole.subarray(0, 1000)), `damaged${ending}`)).rejects.toThrow(/damaged/);
});

test("values that are not finite, and metadata that lie, are refused", async () => {
  const params = Object.entries(valuesOf(lenet).params ?? {});
  const spoiled = params.map(([name, host], i) => [name, fromHostTensor(i === 0 ? nans(host.shape) : host)] as const);
  const file = await readWeights(bytesOf(writePyTorch(spoiled)), "nan.pth");
  expect(() => valuesFor(file, lenet.spec)).toThrow(/not finite/);
  const lies = JSON.stringify({ ...lenet, classes: ["one"] });
  const bytes = writeSafetensors(spoiled, { network: lies });
  await expect(readWeights(bytesOf(bytes), "a.safetensors")).rejects.toThrow(/1 names of classes; the network has 10/);
});

test("a published file is known by its checksum", async () => {
  const [weights] = modelEntry("resnet20_cifar").weights ?? [];
  const card = await publishedCard(`${weights?.sha256}`.padEnd(64, "0"));
  expect(card).toMatchObject({ spec: { kind: "zoo", name: "resnet20_cifar" }, accuracy: expect.closeTo(0.9173) });
  expect(card?.classes?.[3]).toBe("cat");
  expect(card?.transform?.name).toBe("normalize");
  expect(await publishedCard("0".repeat(64))).toBeUndefined();
});

const zeros = (shape: readonly number[]) => hostTensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const nans = (shape: readonly number[]) =>
  hostTensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN), shape);
