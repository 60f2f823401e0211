import { hostTensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { decodeModel } from "@ocelli/formats/onnx";
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { exportOnnx, normalize, predictor } from "./index.js";

const model = (): Sequential =>
  new Sequential(
    new Conv2d(1, 4, { kernelSize: 3, padding: 1 }),
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Flatten(),
    new Linear(36, 3),
  );
const transform = normalize({ mean: [0.4], std: [0.3] });
const pixels = (count: number): Uint8Array => Uint8Array.from({ length: count * 42 }, (_, i) => (i * 53) % 256);

describe("exportOnnx", () => {
  it.each([1, 4])(
    "gives the predictor's logits in plain onnxruntime, preprocessing included (batch %i)",
    async (count) => {
      await using device = await reference();
      const net = model();
      using state = await device.init(net, { seed: 4 });
      using predict = await predictor(device, state, { model: net, transform, output: "logits" });
      const expected = toNumbers(await predict(hostTensor(pixels(count), [count, 1, 6, 7])));
      const bytes = exportOnnx(net, await state.read(), { input: ["N", 1, 6, 7], transform });
      const session = await ort.InferenceSession.create(bytes);
      const { logits } = await session.run({ images: new ort.Tensor("uint8", pixels(count), [count, 1, 6, 7]) });
      const got = logits?.data as Float32Array;
      expect(got).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(Math.abs((got[i] as number) - value)).toBeLessThan(1e-5);
    },
  );

  it("names weights as PyTorch does, and says opset and input", async () => {
    await using device = await reference();
    const net = model();
    using state = await device.init(net);
    const file = decodeModel(exportOnnx(net, await state.read(), { input: ["N", 1, 6, 7] }));
    expect(file.graph.initializers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["0.weight", "1.running_mean", "5.bias"]),
    );
    expect(file.graph.inputs.map(({ name }) => name)).toEqual(["input"]);
    expect(file.opsets).toEqual({ "": 17 });
  });

  it("lists what the state lacks", async () => {
    expect(() => exportOnnx(model(), { params: {} }, { input: ["N", 1, 6, 7] })).toThrow(/has no params\/0.weight/);
  });
});
