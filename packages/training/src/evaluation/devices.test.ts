import { type Device, hostTensor, type Tensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { webgpu } from "@ocelli/kernels-webgpu";
import { type Context, Conv2d, GlobalAvgPool, Linear, Module, ReLU } from "@ocelli/layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOnAdapter } from "../../../kernels-webgpu/test/adapter.js";
import {
  crossEntropyLoss,
  digits,
  evaluateProbe,
  evaluator,
  featuresOf,
  linearProbe,
  loader,
  losses,
  makeLoss,
  multiScaleViews,
  nearestNeighbours,
  normalize,
  tenCropViews,
} from "../index.js";

class Net extends Module {
  readonly conv = new Conv2d(1, 6, { kernelSize: 5, stride: 2 });
  readonly relu = new ReLU();
  readonly pool = new GlobalAvgPool();
  readonly fc = new Linear(6, 10);
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.conv, this.relu, this.pool, this.fc);
  }
}

const quiet = { onNotice: () => undefined };
const transform = normalize({ mean: [0.13], std: [0.3] });
const data = digits({ split: "test", count: 23 });
const model = new Net();
const values = model.initialState({ seed: 4 });
const batches = () => loader(data, { batchSize: 9 }).epoch(0);

/** The figures that the reference gives. */
function agrees(open: () => Promise<Device>): void {
  let devices: [Device, Device];
  beforeAll(async () => {
    devices = [await reference(), await open()];
  });
  afterAll(() => Promise.all(devices.map((device) => device.dispose())));

  const both = async <T>(run: (device: Device) => Promise<T>): Promise<[T, T]> => [
    await run(devices[0]),
    await run(devices[1]),
  ];

  it.each([undefined, tenCropViews({ size: 24 }), multiScaleViews({ sizes: [28, 20] })])(
    "evaluator, views %#",
    async (views) => {
      const [expected, got] = await both(async (device) => {
        using state = await device.createState(values);
        const weighted = crossEntropyLoss({ labelSmoothing: 0.1, classWeights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
        const options = { model, transform, views, lossPerSample: weighted.perSample, samples: true };
        return await evaluator(device, state, options)(batches());
      });
      expect(got).toMatchObject({ accuracy: expected.accuracy, top5: expected.top5, count: 23, finite: 23 });
      expect(got.confusion).toEqual(expected.confusion);
      expect(got.loss).toBeCloseTo(expected.loss, 4);
      for (const [i, value] of expected.samples!.probabilities.entries())
        expect(got.samples?.probabilities[i]).toBeCloseTo(value, 4);
    },
  );

  it.each(Object.keys(losses))("the loss %s", async (name) => {
    const [expected, got] = await both(async (device) => {
      using state = await device.createState(values);
      const { perSample: lossPerSample } = makeLoss({ name, options: {} });
      return (await evaluator(device, state, { model, transform, lossPerSample })(batches())).loss;
    });
    expect(Math.abs(got - expected)).toBeLessThan(1e-4 * Math.max(1, expected));
  });

  it("featuresOf", async () => {
    const [expected, got] = await both((device) =>
      featuresOf(device, values, batches(), { model, transform, layer: "conv" }),
    );
    expect(got.features.shape).toEqual([23, 6]);
    for (const [i, value] of (expected.features.data as Float32Array).entries())
      expect(got.features.data[i]).toBeCloseTo(value, 4);
  });

  it("nearestNeighbours", async () => {
    const train = digits({ split: "train", count: 50 });
    for (const metric of ["l2", "cosine"] as const) {
      const [expected, got] = await both((device) =>
        nearestNeighbours(device, hostTensor(train.images, [50, 1, 28, 28]), hostTensor(data.images, [23, 1, 28, 28]), {
          k: 4,
          metric,
        }),
      );
      expect(got).toEqual(expected);
    }
  });

  it("linearProbe", async () => {
    const rows = { features: hostTensor(data.images, [23, 784]), labels: data.labels };
    const [expected, got] = await both(async (device) => {
      const probe = await linearProbe(device, rows, { classes: 10, epochs: 10, lr: 0.01 });
      return await evaluateProbe(device, probe, rows);
    });
    expect(got.accuracy).toBe(expected.accuracy);
    expect(got.loss).toBeCloseTo(expected.loss, 3);
  });
}

describe("the figures of the reference, by ONNX Runtime", () => agrees(() => onnx(quiet)));
describeOnAdapter("the figures of the reference, by WebGPU", () => agrees(() => webgpu(quiet)));
